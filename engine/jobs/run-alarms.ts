import type { RunRecord } from '../domain/records.ts'
import type { Slot } from '../domain/slots.ts'
import { designEffect } from '../evaluation/comparison/clusters.ts'
import { normalQuantile } from '../evaluation/comparison/distributions.ts'
import { summarisePredictions, type LabelledPrediction, type MetricsSummary } from '../evaluation/summarise.ts'
import type { Store } from '../store/open.ts'
import { comparableRuns } from './run-information.ts'
import { slotWarnings } from './slot-warnings.ts'

/** A probe that should know nothing reaches 0.5; above this it knows something that is worth a warning. */
const alarmingAuroc = 0.6
/** A probe that knows nothing may raise the alarm this often by chance, over all labels together. */
const falseAlarmRate = 0.01
/** Folds share most of their training data, so their areas vary together: as in the probes before training (alarms/probe/grouped-probe.ts). */
const sharedTraining = 2

/**
 * What makes a run's numbers mean less than they seem to (METHODS 4 and 8): text that names the answer, labels that follow from which items
 * are missing, patterns that nobody trained on. In plain words, worst first; empty when there is nothing to say.
 */
export function alarmsOf(store: Store, runId: number): string[] {
  const run = store.runs.get(runId)
  const cohort = store.cohorts.get(run.cohortId)
  const slots = cohort.slots.filter((slot) => run.config.slotIds.includes(slot.slotId))
  // What was searched for before the run says more of a text or of presence than what can be told afterwards; each matter is told once.
  const open = store.curation.alarmsOfRun(runId)
  const isTold = (alarmId: string) => open.some((alarm) => alarm.alarmId === alarmId)
  const leaks = slotWarnings(slots.filter(({ slotId }) => !isTold(`text-leak:${slotId}`)), store.cohorts.labelWords(run.cohortId, runId), cohort.labels.filter(({ labelId }) => run.config.labelIds.includes(labelId))).map(({ text }) => text)
  return [...open.map((alarm) => `${alarm.title}. ${alarm.text}`), ...leaks, ...(isTold('presence-leak:all') ? [] : missingnessAlarm(store, run, cohort.labels)), ...simulationAlarm(run, cohort.labels), ...textAlarm(store, run, slots)]
}

/** Simulated losses that follow a label: the presence pattern then tells it, by the run's own setting. */
function simulationAlarm({ config }: RunRecord, labels: readonly { labelId: number; name: string }[]): string[] {
  const sides = { train: 'training', val: 'validation', test: 'test' } as const
  const found = (Object.keys(sides) as (keyof typeof sides)[]).flatMap((side) => (config.missingness?.[side].losses ?? []).flatMap(({ mechanism, rate }) => {
    if (mechanism.kind !== 'mnar' || mechanism.driver.kind !== 'label' || mechanism.strength === 0 || rate === 0 || rate === 1) return []
    const { labelId } = mechanism.driver
    return [{ side: sides[side], name: labels.find((label) => label.labelId === labelId)?.name ?? String(labelId) }]
  }))
  if (found.length === 0) return []
  const names = [...new Set(found.map(({ name }) => `"${name}"`))].join(', ')
  const where = [...new Set(found.map(({ side }) => side))].join(' and ')
  return [`The simulated missingness of this run depends on ${names} (${where} studies): which items are left tells that label by itself, so what a model shows under the run's own test table is partly the simulation.`]
}

/**
 * The "missingness only" probe without a model: each label's frequency among the training studies of the same presence pattern,
 * judged on the test studies. It should know nothing.
 */
function missingnessAlarm(store: Store, run: RunRecord, labels: readonly { labelId: number; name: string }[]): string[] {
  const split = store.runs.getSplit(run.runId)
  if (split === null) return []
  const studies = store.patients.trainingStudies(run.cohortId, run.config.slotIds, run.config.labelIds, run.runId)
  const byId = new Map(studies.map((study) => [study.studyId, study]))
  const width = run.config.labelIds.length
  const labelsOfRun = run.config.labelIds.map((labelId) => ({ labelId, labelName: labels.find((label) => label.labelId === labelId)?.name ?? '' }))
  const folds = split.assignments.map((sides) => {
    const on = (side: 'train' | 'test') => split.studyIds.flatMap((studyId, index) => (sides[index] === side ? (byId.get(studyId) ?? []) : []))
    const train = on('train')
    const everybody = frequencies(train, width)
    const byPattern = new Map([...Map.groupBy(train, (study) => study.pattern)].map(([pattern, members]) => [pattern, frequencies(members, width, everybody)]))
    const predictions = on('test').map((study): LabelledPrediction => ({ patientId: study.patientId, probabilities: byPattern.get(study.pattern) ?? everybody, thresholds: everybody, reference: study.labels }))
    return summarisePredictions(predictions, labelsOfRun, run.config.task)
  })
  const tested = split.assignments.flatMap((sides) => split.studyIds.flatMap((studyId, index) => (sides[index] === 'test' ? (byId.get(studyId) ?? []) : [])))
  const reached = reachedBeyondChance(folds, designEffect([...Map.groupBy(tested, (study) => study.patientId).values()].map((own) => own.length)))
  if (reached === null) return []
  return [`Which items are missing already gives labels away: without looking at any of them, the pattern alone reaches ${reached} on the test patients (0.50 would be chance). Part of what a model shows here may be how data went missing, not the disease.`]
}

/**
 * What a probe reaches that is neither small nor chance, in words, or null: the mean over the labels, or single labels, which a mean over many hides.
 * Areas are taken within a fold and weighted by their information: a fold that happens to test more positives has trained on fewer, so ranking
 * the frequencies of several folds together is biased below 0.5 (of 400 patients in five folds, 0.62 would look like 0.59).
 * Under chance a label's AUROC has the variance (m + n + 1) / (12 m n) of the rank-sum statistic (Mann and Whitney 1947; ties make it smaller),
 * here larger by the studies of each patient; labels count as independent, and single ones are corrected for their number (Bonferroni).
 */
function reachedBeyondChance(folds: readonly MetricsSummary[], clustering: number): string | null {
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
  const judged = (folds[0]?.labels ?? []).flatMap(({ labelName }, label) => {
    const areas = folds.flatMap(({ labels }) => {
      const { auroc, positives: m, negatives: n } = labels[label]!
      return auroc.value === null ? [] : [{ value: auroc.value, weight: (12 * m * n) / (m + n + 1) }]
    })
    const information = sum(areas.map(({ weight }) => weight))
    if (information === 0) return []
    return [{ labelName, value: sum(areas.map(({ value, weight }) => value * weight)) / information, deviation: Math.sqrt(((folds.length > 1 ? sharedTraining : 1) * clustering) / information) }]
  })
  if (judged.length === 0) return null
  const macro = sum(judged.map(({ value }) => value)) / judged.length
  const isTelling = (value: number, deviation: number, level: number) => value >= alarmingAuroc && value - 0.5 > normalQuantile(1 - level) * deviation
  if (isTelling(macro, Math.hypot(...judged.map(({ deviation }) => deviation)) / judged.length, falseAlarmRate)) return `a macro-AUROC of ${macro.toFixed(2)}`
  const single = judged.filter(({ value, deviation }) => isTelling(value, deviation, falseAlarmRate / judged.length))
  return single.length === 0 ? null : `an AUROC of ${single.map(({ labelName, value }) => `${value.toFixed(2)} for "${labelName}"`).join(' and ')}`
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

/** A comparable run of the text-only probe, when there is one and the run reads text and something else; both judged on the studies that both answer. */
function textAlarm(store: Store, run: RunRecord, slots: readonly Slot[]): string[] {
  if (run.config.adapter === 'text-only' || slots.every((slot) => slot.modality === 'text') || slots.every((slot) => slot.modality !== 'text')) return []
  const probe = comparableRuns(store, run).find((other) => other.config.adapter === 'text-only')
  if (probe === undefined) return []
  const rowsOf = (runId: number): Map<number, LabelledPrediction> => {
    const stored = store.predictions.forRun(runId, { split: 'test', onlyActual: true })
    const width = stored.labelIds.length
    return new Map(Array.from({ length: stored.count }, (_, row): [number, LabelledPrediction] => {
      const cells = (values: Float32Array) => values.subarray(row * width, (row + 1) * width)
      return [stored.studyIds[row]!, { patientId: stored.patientIds[row]!, probabilities: cells(stored.probabilities), thresholds: cells(stored.thresholds), reference: cells(stored.references) }]
    }))
  }
  const [ofProbe, ofRun] = [rowsOf(probe.runId), rowsOf(run.runId)]
  const macroAuroc = (rows: Map<number, LabelledPrediction>): number | null => {
    const shared = [...rows].flatMap(([studyId, row]) => (ofProbe.has(studyId) && ofRun.has(studyId) ? [row] : []))
    return summarisePredictions(shared, run.config.labelIds.map((labelId) => ({ labelId, labelName: '' })), run.config.task).macroAuroc.value
  }
  const [text, own] = [macroAuroc(ofProbe), macroAuroc(ofRun)]
  if (text === null || own === null || text < alarmingAuroc || text < own - 0.02) return []
  return [`A linear probe that reads the text alone ("${probe.name}") reaches a macro-AUROC of ${text.toFixed(2)}, as good as this run's ${own.toFixed(2)}: the other items add nothing that is seen here, or the text names the answer.`]
}
