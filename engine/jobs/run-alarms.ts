import type { RunRecord } from '../domain/records.ts'
import type { Slot } from '../domain/slots.ts'
import { summarisePredictions, type LabelledPrediction } from '../evaluation/summarise.ts'
import type { Store } from '../store/open.ts'
import { slotWarnings } from './slot-warnings.ts'

/** A probe that should know nothing reaches 0.5; above this it knows something that is worth a warning. */
const alarmingAuroc = 0.6

/**
 * What makes a run's numbers mean less than they seem to (METHODS 4 and 8): text that names the answer, labels that follow from which items
 * are missing, patterns that nobody trained on. In plain words, worst first; empty when there is nothing to say.
 */
export function alarmsOf(store: Store, runId: number): string[] {
  const run = store.runs.get(runId)
  const cohort = store.cohorts.get(run.cohortId)
  const slots = cohort.slots.filter((slot) => run.config.slotIds.includes(slot.slotId))
  const leaks = slotWarnings(slots, store.cohorts.labelWords(run.cohortId)).map(({ text }) => text)
  return [...leaks, ...missingnessAlarm(store, run), ...textAlarm(store, run, slots)]
}

/**
 * The "missingness only" probe without a model: each label's frequency among the training studies of the same presence pattern,
 * judged on the test studies. It should know nothing.
 */
function missingnessAlarm(store: Store, run: RunRecord): string[] {
  const split = store.runs.getSplit(run.runId)
  if (split === null) return []
  const studies = store.patients.trainingStudies(run.cohortId, run.config.slotIds, run.config.labelIds)
  const byId = new Map(studies.map((study) => [study.studyId, study]))
  const width = run.config.labelIds.length
  const predictions: LabelledPrediction[] = []
  for (const sides of split.assignments) {
    const on = (side: 'train' | 'test') => split.studyIds.flatMap((studyId, index) => (sides[index] === side ? (byId.get(studyId) ?? []) : []))
    const train = on('train')
    const everybody = frequencies(train, width)
    const byPattern = new Map([...Map.groupBy(train, (study) => study.pattern)].map(([pattern, members]) => [pattern, frequencies(members, width, everybody)]))
    for (const study of on('test')) {
      predictions.push({ patientId: study.patientId, probabilities: byPattern.get(study.pattern) ?? everybody, thresholds: everybody, reference: study.labels })
    }
  }
  const { value } = summarisePredictions(predictions, run.config.labelIds.map((labelId) => ({ labelId, labelName: '' })), run.config.task).macroAuroc
  if (value === null || value < alarmingAuroc) return []
  return [`Which items are missing already gives labels away: without looking at any of them, the pattern alone reaches a macro-AUROC of ${value.toFixed(2)} on the test patients (0.50 would be chance). Part of what a model shows here may be how data went missing, not the disease.`]
}

/** Shares of positives, [C]; small groups are drawn towards `prior`, so that two patients do not make a certainty. */
function frequencies(studies: readonly { labels: Float32Array }[], width: number, prior?: Float32Array): Float32Array {
  const strength = prior === undefined ? 0 : 2
  return Float32Array.from({ length: width }, (_, label) => {
    const known = studies.filter((study) => !Number.isNaN(study.labels[label]!))
    const positives = known.filter((study) => study.labels[label] === 1).length
    const total = known.length + strength
    return total === 0 ? 0.5 : (positives + strength * (prior?.[label] ?? 0)) / total
  })
}

/** A comparable run of the text-only probe, when there is one and text is not all there is. */
function textAlarm(store: Store, run: RunRecord, slots: readonly Slot[]): string[] {
  if (run.config.adapter === 'text-only' || slots.every((slot) => slot.modality === 'text')) return []
  const probe = store.runs.list(run.cohortId).find((other) => other.status === 'finished' && other.config.adapter === 'text-only' && other.splitHash === run.splitHash)
  if (probe === undefined) return []
  const overall = (runId: number): number | null => {
    const stored = store.predictions.forRun(runId, { split: 'test', onlyActual: true })
    const width = stored.labelIds.length
    const rows = Array.from({ length: stored.count }, (_, row): LabelledPrediction => {
      const cells = (values: Float32Array) => values.subarray(row * width, (row + 1) * width)
      return { patientId: stored.patientIds[row]!, probabilities: cells(stored.probabilities), thresholds: cells(stored.thresholds), reference: cells(stored.references) }
    })
    return summarisePredictions(rows, stored.labelIds.map((labelId) => ({ labelId, labelName: '' })), run.config.task).macroAuroc.value
  }
  const [text, own] = [overall(probe.runId), overall(run.runId)]
  if (text === null || own === null || text < alarmingAuroc || text < own - 0.02) return []
  return [`A linear probe that reads the text alone ("${probe.name}") reaches a macro-AUROC of ${text.toFixed(2)}, as good as this run's ${own.toFixed(2)}: the images add nothing that is seen here, or the text names the answer.`]
}
