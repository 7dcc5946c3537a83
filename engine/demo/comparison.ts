import type { Slot } from '../domain/slots.ts'
import { slotIdsOfPattern } from '../domain/slots.ts'
import { bootstrapInterval, drawResamples } from '../evaluation/bootstrap.ts'
import { summarisePredictions } from '../evaluation/summarise.ts'
import type { LabelledPrediction, MetricsSummary } from '../evaluation/summarise.ts'
import { createRng } from '../training/rng.ts'

/** One run of the comparison: what it says of each test patient under the pattern that the patient really has, in one order for all runs. */
export interface ComparedRun {
  title: string
  predictions: readonly LabelledPrediction[]
}

/** A paired difference of two runs with its 95 % interval; nulls where the metric is not estimable. */
export interface Difference {
  value: number | null
  lower: number | null
  upper: number | null
}

const comparedMetrics = ['macroAuroc', 'macroAuprc', 'macroF1'] as const
export type ComparedMetric = (typeof comparedMetrics)[number]

const resampleCount = 1000
const resampleSeed = 20

/** Which kinds of modality a pattern has, in words; patients with one eye stand with those who have pictures. */
export function kindsOfPattern(slots: readonly Slot[], pattern: string): string {
  const present = new Set(slotIdsOfPattern(pattern))
  const has = (modality: Slot['modality']) => slots.some((slot) => slot.modality === modality && present.has(slot.slotId))
  if (has('image') && has('text')) return 'pictures and note'
  return has('image') ? 'pictures only' : 'note only'
}

export function summariseDemo(predictions: readonly LabelledPrediction[]): MetricsSummary {
  const labels = Array.from(predictions[0]?.reference ?? [], (_, labelId) => ({ labelId, labelName: '' }))
  return summarisePredictions(predictions, labels, 'multi-label')
}

/**
 * First run minus second on the same patients, percentile bootstrap over patients, both runs resampled together.
 * Efron and Tibshirani 1993, chapter 13; the interval speaks of other patients, not of other training seeds.
 *
 * @throws Error (a bug) when the runs were not tested on the same patients in the same order
 */
export function compareRuns(first: ComparedRun, second: ComparedRun): Record<ComparedMetric, Difference> {
  const isPaired = first.predictions.length === second.predictions.length
    && first.predictions.every(({ patientId }, index) => patientId === second.predictions[index]!.patientId)
  if (!isPaired) throw new Error(`"${first.title}" and "${second.title}" were not tested on the same patients.`)
  // A patient is drawn with all studies.
  const rowsOfPatient = [...Map.groupBy(first.predictions.keys(), (row) => first.predictions[row]!.patientId).values()]
  const resamples = drawResamples(createRng(resampleSeed).uniform, rowsOfPatient.length, resampleCount)
  const drawn = resamples.map((patients) => {
    const rows = Array.from(patients).flatMap((patient) => rowsOfPatient[patient]!)
    return [first, second].map(({ predictions }) => summariseDemo(rows.map((row) => predictions[row]!))) as [MetricsSummary, MetricsSummary]
  })
  const whole: [MetricsSummary, MetricsSummary] = [summariseDemo(first.predictions), summariseDemo(second.predictions)]
  const differenceIn = ([a, b]: [MetricsSummary, MetricsSummary], metric: ComparedMetric): number | null => {
    const [left, right] = [a[metric].value, b[metric].value]
    return left === null || right === null ? null : left - right
  }
  const entries = comparedMetrics.map((metric): [ComparedMetric, Difference] => {
    const { lower, upper } = bootstrapInterval(drawn.map((_, index) => [index]), (indices) => differenceIn(drawn[indices[0]!]!, metric))
    return [metric, { value: differenceIn(whole, metric), lower, upper }]
  })
  return Object.fromEntries(entries) as Record<ComparedMetric, Difference>
}

/** Whether the claim of resources/demo/README.md holds: ahead of every missing-blind run in both metrics, AUROC beyond doubt. */
export function isClaimShown(differences: readonly Record<ComparedMetric, Difference>[]): boolean {
  return differences.length > 0 && differences.every(({ macroAuroc, macroF1 }) => (macroAuroc.value ?? 0) > 0 && (macroAuroc.lower ?? 0) > 0 && (macroF1.value ?? 0) > 0)
}
