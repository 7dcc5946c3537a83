import type { Alarm, AlarmReport } from '../domain/alarms.ts'
import type { CohortFacts } from './facts/cohort-facts.ts'
import { dateAlarms } from './date-alarms.ts'
import { personAlarms, sharedImageAlarms } from './person-alarms.ts'
import { probeAlarm, type ProbeSubject } from './probe-alarm.ts'
import { borderSubject, metadataSubject, presenceSubject } from './probe-subjects.ts'
import { textAlarm } from './text-alarm.ts'
import { ageAlarms, rareLabelAlarms } from './value-alarms.ts'

/** A cohort whose labels are random may raise any alarm about labels this often. */
const falseAlarmRate = 0.01
/** Kinds of alarm that test labels: texts, presence, files, borders. */
const testedKinds = 4

/**
 * Everything that is looked for before a training, worst first. A generator, so that whoever drives it can say how far it is and stop:
 * it yields the name of what comes next.
 */
export function* findAlarms(facts: CohortFacts): Generator<{ stage: string; done: number; total: number }, Omit<AlarmReport, 'effectiveHash' | 'unmeasuredCount' | 'elapsedMs'>> {
  const notes: string[] = []
  const alarms: Alarm[] = []
  const quiet: string[] = []
  const level = falseAlarmRate / testedKinds
  const texts = facts.slots.filter(({ modality }) => modality === 'text')
  const images = facts.slots.filter(({ modality }) => modality === 'image')
  /** The first of the subjects that tells anything raises the alarm. */
  const probe = (subjects: readonly (ProbeSubject | null)[], share: number, silence: string) => {
    const given = subjects.filter((subject) => subject !== null)
    for (const subject of given) {
      const alarm = probeAlarm(facts, subject, share / subjects.length)
      if (alarm === null) continue
      alarms.push(alarm)
      return
    }
    if (given.length > 0) quiet.push(silence)
  }
  const measured = (slotId: string) => facts.images.get(slotId)?.some((image) => image?.measures) === true
  const steps: { stage: string; run: () => void }[] = [
    ...texts.map((slot) => ({
      stage: `Words of ${slot.title}`,
      run: () => {
        const { alarm, note } = textAlarm(facts, slot, level / texts.length)
        if (note !== null) notes.push(note)
        if (alarm === null) quiet.push(`No word, short rule or bag of words of ${slot.title} gives a label away.`)
        else alarms.push(alarm)
      },
    })),
    { stage: 'Presence patterns', run: () => probe([presenceSubject(facts)], level, 'Which items are missing tells no label.') },
    ...images.flatMap((slot) => [
      { stage: `Files of ${slot.title}`, run: () => probe([metadataSubject(facts, slot, false), metadataSubject(facts, slot, true)], level / images.length, `Size, format and bytes of the files of ${slot.title} tell no label.`) },
      {
        stage: `Borders of ${slot.title}`,
        run: () => {
          if (!measured(slot.slotId)) notes.push(`${slot.title}: borders and near-duplicates were not looked at, since its images have not been measured yet.`)
          probe([borderSubject(facts, slot)], level / images.length, `The borders of ${slot.title} tell no label.`)
        },
      },
    ]),
    {
      stage: 'Images under two patients',
      run: () => {
        const shared = sharedImageAlarms(facts)
        alarms.push(...shared)
        if (images.length > 0 && !shared.some(({ kind }) => kind === 'shared-images')) quiet.push('No image file lies under two patients.')
      },
    },
    {
      stage: 'Patients, ages, dates and labels',
      run: () => {
        const found = [...personAlarms(facts), ...ageAlarms(facts), ...dateAlarms(facts), ...rareLabelAlarms(facts)]
        alarms.push(...found)
        const has = (...kinds: Alarm['kind'][]) => found.some(({ kind }) => kinds.includes(kind))
        if (!has('impossible-ages', 'placeholder-ages', 'age-jumps')) quiet.push('No age is impossible or looks like a placeholder.')
        if (facts.hasDates && !has('impossible-dates')) quiet.push('No date of a study is impossible or contradicts another.')
        if (!has('few-cases')) quiet.push('Every label has at least 10 studies with and without it.')
      },
    },
  ]
  for (const [done, { stage, run }] of steps.entries()) {
    yield { stage, done, total: steps.length }
    run()
  }
  const rank = { serious: 0, warning: 1 } as const
  alarms.sort((a, b) => rank[a.severity] - rank[b.severity])
  return { studyCount: facts.studyIds.length, personCount: new Set(facts.persons).size, notes, quiet, alarms }
}
