import { sampleRows } from '../compute/sample-rows.ts'
import type { Alarm, AlarmEvidence, AlarmRemedy } from '../domain/alarms.ts'
import { labelColumn, type CohortFacts } from './facts/cohort-facts.ts'
import { probeLabel, type ProbeResult } from './probe/grouped-probe.ts'
import { sparseRows } from './probe/logistic.ts'
import { decimal, intervalInWords, listed, pInWords } from './words.ts'

/** What should know nothing reaches 0.5; above this it knows something that is worth a warning. */
const tellingAuroc = 0.6
/** Above this the label is all but read off. */
const seriousAuroc = 0.8
const maxStudies = 10_000
const probeCost = 1
const namedLabels = 3

/** What one probe looks at, and how its alarm is worded. */
export interface ProbeSubject {
  kind: Extract<Alarm['kind'], 'presence-leak' | 'metadata-leak' | 'border-leak'>
  /** What the alarm is about besides its kind: a slot, or nothing. */
  about: string
  /** False: what is looked at may follow from the disease itself, and the alarm is a warning at most. */
  isProof: boolean
  title: (labels: string) => string
  /** Begins a sentence that goes on "reaches an AUROC of ...". */
  probe: string
  meaning: string
  action: string
  remedies: AlarmRemedy[]
  /** [column, value] of study i; null leaves the study out. */
  features: (i: number) => [number, number][] | null
  columnCount: number
}

/**
 * Trains a probe on something that should know nothing of the labels. Null when it does not.
 * @param level false alarms accepted, over all labels together
 */
export function probeAlarm(facts: CohortFacts, subject: ProbeSubject, level: number): Alarm | null {
  const chosen = sampleRows(facts.studyIds.length, maxStudies).flatMap((i) => {
    const features = subject.features(i)
    return features === null ? [] : [{ i, features }]
  })
  if (chosen.length === 0) return null
  const rows = sparseRows(chosen.map(({ features }) => features), subject.columnCount)
  const persons = chosen.map(({ i }) => facts.persons[i]!)
  const single = level / facts.labelNames.length
  const results = facts.labelNames.flatMap((name, label) => {
    const column = labelColumn(facts, label)
    const result = probeLabel(rows, Int8Array.from(chosen, ({ i }) => column[i]!), persons, { seed: 101 + label, cost: probeCost })
    return result === null ? [] : [{ name, result, isTelling: result.auroc >= tellingAuroc && result.pValue < single }]
  }).sort((a, b) => b.result.auroc - a.result.auroc)
  const telling = results.filter(({ isTelling }) => isTelling)
  if (telling.length === 0) return null
  const names = listed(telling.map(({ name }) => `"${name}"`), namedLabels)
  return {
    alarmId: `${subject.kind}:${subject.about}`, kind: subject.kind, severity: subject.isProof && telling[0]!.result.auroc >= seriousAuroc ? 'serious' : 'warning',
    title: subject.title(names),
    text: `${subject.probe} reaches an AUROC of ${telling.slice(0, namedLabels).map(({ name, result }) => `${decimal(result.auroc)} (${intervalInWords(result.interval)}) for "${name}"`).join(', ')} on patients that it was not trained on; 0.50 would be chance. ${subject.meaning}`,
    action: subject.action,
    evidence: [evidenceOf(results, single)],
    remedies: subject.remedies,
  }
}

function evidenceOf(results: readonly { name: string; result: ProbeResult }[], single: number): AlarmEvidence {
  return {
    title: 'Probe, label by label', columns: ['Label', 'AUROC', '95 % interval', 'With / without', 'p'],
    rows: results.map(({ name, result }) => [name, decimal(result.auroc), intervalInWords(result.interval), `${result.positives} / ${result.negatives}`, pInWords(result.pValue)]),
    note: `Logistic regression, five parts split by patient. p against chance, one-sided; it counts below ${pInWords(single)}, corrected for the number of labels and probes.`,
  }
}
