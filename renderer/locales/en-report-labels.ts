import type { CueKind, Mention, TermKind } from '../../engine/domain/report-labels.ts'
import { formatCount } from '../composables/common/format.ts'

/** Labels made from the words of reports: the wizard's panel, its rules, and the sentences on the patient page. */
export const enReportLabels = {
  title: 'Labels from the report text',
  intro: 'Rules look for findings of chest imaging in English reports, with what denies them and what leaves them in doubt. These labels are marked “(derived)” wherever they appear: they say what the report says, not what an expert decided from the image.',
  use: 'Make labels from a report',
  noText: 'Add a text item first; its words are read.',
  slots: 'Text to read',
  slotsHint: 'Findings and impression. An item with the request or the history must not be read.',
  findings: (chosen: number, all: number) => `Findings (${chosen} of ${all})`,
  usual: 'The usual set',
  all: 'All',
  none: 'None',
  uncertain: 'A finding in doubt (“possible”, “cannot exclude”)',
  uncertainOptions: { unknown: 'is unknown (left out of training)', positive: 'counts as present', negative: 'counts as absent' },
  unmentioned: 'A finding that a report does not name',
  unmentionedOptions: { negative: 'counts as absent', unknown: 'is unknown (left out of training)' },
  unmentionedHint: 'Radiologists describe what they see, so silence mostly means absent. It can also mean that nobody looked: choose unknown where that matters. A report without findings or impression leaves every label unknown.',
  leak: 'A model that reads the same text can repeat these rules instead of learning the disease. Leave that text out of runs on these labels; the run page warns if you do not.',
  rules: 'Read and change the rules',
  changed: (count: number) => (count === 0 ? 'as they came' : count === 1 ? '1 phrase changed' : `${formatCount(count)} phrases changed`),
  /** The rules of a cohort, on its page. */
  record: {
    title: 'Labels from reports',
    sum: (findings: number, items: string) => `${findings === 1 ? '1 finding' : `${formatCount(findings)} findings`}, read from ${items}`,
    uncertain: (what: string) => `A finding in doubt ${what}.`,
    unmentioned: (what: string) => `A finding that a report does not name ${what}.`,
    version: (version: string) => `Shipped lists of version ${version}.`,
    changed: (count: number) => (count === 0 ? 'No phrase was changed.' : count === 1 ? 'One phrase was changed:' : `${formatCount(count)} phrases were changed:`),
    edit: (phrase: string, of: string, isAdded: boolean) => `${isAdded ? 'added' : 'taken out'}: “${phrase}” (${of})`,
    details: 'Findings and changed phrases',
  },
  show: 'Show',
  shows: { rows: 'Rows', sentences: 'Sentences read' },
  problems: { slots: 'Choose the text that is read.', findings: 'Choose at least one finding.', single: 'A column with one class for each study cannot stand beside labels from reports. Choose “list” or “no labels” above.' },
  sentences: {
    title: 'What the rules read',
    hint: (reports: number) => `${formatCount(reports)} reports from the start of the table. The check counts all of them.`,
    waiting: 'Choose what is read and which findings; counts and sentences appear here.',
    columns: { finding: 'Finding', positive: 'Yes', negative: 'No', uncertain: 'In doubt', unmentioned: 'Not named', noReport: 'No report' },
    list: 'Sentences',
    allFindings: 'All findings',
    only: 'Finding', outcome: 'Said', anyOutcome: 'Anything',
    row: (row: number) => `row ${formatCount(row)}`,
    none: 'No sentence of the kind among these reports.',
  },
  outcomes: { positive: 'Yes', negative: 'No', uncertain: 'In doubt', 'not-counted': 'Not counted' } satisfies Record<Mention['outcome'], string>,
  evidenceOutcomes: { positive: 'yes', negative: 'no', uncertain: 'in doubt', unmentioned: 'not named', 'no-report': 'no report' },
  /** Why a mention has its outcome; `cue` is the phrase as it stands in the sentence. */
  why: (outcome: Mention['outcome'], kind: string | null, cue: string): string => {
    if (kind === 'section') return 'in the request, history or comparison: not counted'
    if (outcome === 'positive') return 'named, with nothing that denies it or leaves it in doubt'
    if (kind === 'absent') return `“${cue}” says that it is absent`
    if (kind === 'uncertain') return `“${cue}” leaves it in doubt`
    if (outcome === 'negative') return `denied by “${cue}”`
    if (outcome === 'uncertain') return `left in doubt by “${cue}”`
    return `not counted after “${cue}”`
  },
  patient: {
    title: 'Labels from the report',
    hint: 'Made by rules from the words of the report, not by a person. The sentence shows what decided.',
    columns: { label: 'Label', value: 'Value', why: 'Sentence' },
    values: { 1: 'present', 0: 'absent', unknown: 'unknown' },
    unmentioned: 'The report does not name it.',
    noReport: 'There is no report with findings or an impression.',
    noFinding: 'No finding but devices is named or left in doubt.',
    otherFindings: 'Other findings are named or left in doubt:',
    quiet: (count: number) => (count === 1 ? '1 label that the report does not name' : `${formatCount(count)} labels that the report does not name`),
    from: 'derived from the report',
  },
  dialog: {
    title: 'Rules for labels from reports',
    description: 'Phrases are compared word by word, whatever the capitals, the number and British or American spelling. word|word: either; word*: any ending; …: up to four words between. Your changes are kept with the mapping.',
    about: 'Rules of',
    language: 'How reports say no and perhaps',
    ownFinding: 'Add a finding of your own',
    ownFindingName: 'Name of the finding',
    add: 'Add',
    remove: (phrase: string) => `Remove “${phrase}”`,
    newPhrase: (list: string) => `New phrase: ${list}`,
    noFinding: 'This label is present when no other finding but support devices is named or left in doubt. It has no phrases of its own.',
    restore: 'Undo all changes',
    done: 'Done',
    invalid: 'At least two characters, at most 120.',
    own: 'yours',
  },
  terms: { terms: 'It is there', absent: 'It is absent', uncertain: 'It is in doubt', except: 'These words mean something else' } satisfies Record<TermKind, string>,
  cues: {
    'negation-before': 'Denies what follows', 'negation-after': 'Denies what came before', 'uncertain-before': 'Leaves in doubt what follows', 'uncertain-after': 'Leaves in doubt what came before',
    'uncertain-between': 'Leaves both sides in doubt', 'not-counted-before': 'What follows is asked or past, not found', 'no-negation': 'Looks like a denial and is none', 'scope-end': 'Ends the reach of the phrases above',
  } satisfies Record<CueKind, string>,
}
