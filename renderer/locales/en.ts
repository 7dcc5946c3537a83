import type { Place } from '../router.ts'
import type { ThemeChoice } from '../stores/app.store.ts'
import type { AbsenceReason } from '../../engine/domain/slots.ts'
import type { Job } from '../../electron/contract/contract.ts'
import type { PresenceState } from '../composables/common/presence.ts'
import { enBackbones } from './en-backbones.ts'
import { enCohorts } from './en-cohorts.ts'
import { enDeliveries } from './en-deliveries.ts'
import { enImport } from './en-import.ts'
import { enPatients } from './en-patients.ts'
import { enRuns } from './en-runs.ts'
import { enPrivacy } from './en-privacy.ts'
import { enWorkstation } from './en-workstation.ts'

/** Every word the user reads. What varies is a function; numbers arrive formatted. */

const reasons: Record<AbsenceReason, string> = {
  'not-collected': 'not collected', 'file-missing': 'file not found', 'unreadable': 'file cannot be read', 'excluded': 'excluded',
}

const states: Record<PresenceState, string> = { present: 'present', missing: 'missing', excluded: 'excluded', withheld: 'present, withheld from the model' }

export const en = {
  researchUse: 'Research use only. Not for diagnosis or treatment.',
  common: {
    close: 'Close',
    cancel: 'Cancel',
    retry: 'Try again',
    loading: 'Loading',
    remove: 'Remove',
    moreRows: (shown: string, total: string) => `First ${shown} of ${total}`,
  },
  presence: {
    reasons,
    tile: (title: string, state: PresenceState, reason: AbsenceReason | null, detail: string | null) =>
      `${title}: ${states[state]}${state === 'missing' && reason !== null ? `, ${reasons[reason]}` : ''}${detail === null ? '' : ` (${detail})`}`,
    nothing: 'Nothing present',
  },
  shell: {
    product: 'Lacuna',
    places: { cohorts: 'Cohorts', runs: 'Runs', patients: 'Patients', backbones: 'Backbones', workstation: 'This workstation' } satisfies Record<Place, string>,
    placesLabel: 'Places',
    trailLabel: 'Where you are',
    skip: 'Skip to content',
    theme: 'Theme',
    themes: { reading: 'Dark for images', system: 'As the system', light: 'Light', dark: 'Dark' } satisfies Record<ThemeChoice, string>,
    documentTitle: (steps: string[]) => [...steps].reverse().concat('Lacuna').join(' · '),
    failed: 'Lacuna could not read its database',
  },
  jobs: {
    title: 'Jobs',
    none: 'No job is running.',
    kinds: { check: 'Check', originals: 'Original files', import: 'Import', training: 'Training', test: 'Test', demo: 'Demo cohort', backbone: 'Backbone', alarms: 'Alarms', measure: 'Image measures' } satisfies Record<Job['kind'], string>,
    // A stopped import can be resumed; a cancelled run is gone. Each has the word of its own page.
    status: ({ kind, status }: Pick<Job, 'kind' | 'status'>): string => ({ running: 'Running', done: 'Done', cancelled: kind === 'training' ? 'Cancelled' : 'Stopped', failed: 'Failed' })[status],
    progress: (title: string) => `Progress of ${title}`,
    count: (done: string, total: string) => `${done} of ${total}`,
    timeLeft: (time: string) => `${time} left`,
    estimating: 'Estimating time',
    cancel: ({ kind, title }: Pick<Job, 'kind' | 'title'>) => `${kind === 'training' ? 'Cancel' : 'Stop'} ${title}`,
    dismiss: (title: string) => `Clear ${title} from the list`,
    open: 'Open',
    details: 'What happened',
  },
  cohorts: enCohorts,
  deliveries: enDeliveries,
  import: enImport,
  privacy: enPrivacy,
  workstation: enWorkstation,
  backbones: enBackbones,
  runs: enRuns,
  patients: enPatients,
}
