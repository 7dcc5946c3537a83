import { decide, hasChosenClass } from '../domain/decisions.ts'
import type { LabelMetrics, MetricEstimate, MetricsRow } from '../domain/results.ts'
import { countDecisions, f1 } from './confusion.ts'
import type { Estimate } from './estimate.ts'
import { auprc, auroc } from './ranking.ts'

/** One study under one pattern. Arrays are in run label order [C]; `reference` is 1, 0 or NaN (unknown). */
export interface LabelledPrediction {
  patientId: number
  probabilities: Float32Array
  thresholds: Float32Array
  reference: Float32Array
}

export type MetricsSummary = Omit<MetricsRow, 'pattern' | 'patternTitle'>

/** The predictions that count: of a multi-class task those of studies with one of its classes (`hasChosenClass`). */
export function countedOf<Prediction extends LabelledPrediction>(predictions: readonly Prediction[], task: 'multi-label' | 'multi-class'): readonly Prediction[] {
  return task === 'multi-label' ? predictions : predictions.filter(({ reference }) => hasChosenClass(task, reference))
}

/**
 * The numbers of one row of the results table.
 * Each label is counted over the studies whose reference for it is known. Where these hold one class only, the values are null with the
 * reason, and the macro means are taken over the estimable labels.
 * Multi-class: a study is called its most probable class, ties to the first; thresholds do not apply. Studies of classes that were not
 * chosen are left out and counted in `otherClassCount`.
 */
export function summarisePredictions(given: readonly LabelledPrediction[], labels: readonly { labelId: number; labelName: string }[], task: 'multi-label' | 'multi-class'): MetricsSummary {
  const predictions = countedOf(given, task)
  const decided = predictions.map((prediction) => decide(task, prediction.probabilities, prediction.thresholds))
  const rows = labels.map((label, index): LabelMetrics => {
    const known = predictions.map((_, i) => i).filter((i) => !Number.isNaN(predictions[i]!.reference[index]!))
    const truth = known.map((i) => predictions[i]!.reference[index]!)
    const probabilities = known.map((i) => predictions[i]!.probabilities[index]!)
    const positives = truth.reduce((sum, value) => sum + value, 0)
    const negatives = truth.length - positives
    const confusion = countDecisionsOf(truth, known.map((i) => (decided[i]![index] ? 1 : 0)))
    return {
      ...label,
      positives,
      negatives,
      f1: whereBothClasses(positives, negatives, () => f1(confusion)),
      auroc: whereBothClasses(positives, negatives, () => auroc(truth, probabilities)),
      auprc: whereBothClasses(positives, negatives, () => auprc(truth, probabilities)),
      threshold: task === 'multi-class' ? null : commonThreshold(predictions, index),
    }
  })
  return {
    studyCount: predictions.length,
    patientCount: new Set(predictions.map((prediction) => prediction.patientId)).size,
    macroF1: meanOf(rows.map((row) => row.f1)),
    macroAuroc: meanOf(rows.map((row) => row.auroc)),
    macroAuprc: meanOf(rows.map((row) => row.auprc)),
    estimableLabels: rows.filter((row) => row.auroc.value !== null).length,
    ...(given.length > predictions.length ? { otherClassCount: given.length - predictions.length } : {}),
    labels: rows,
  }
}

/** Decisions are made already, with each fold's own threshold, so they enter as probabilities 0 and 1 at threshold 0.5. */
function countDecisionsOf(truth: readonly number[], called: readonly number[]) {
  return countDecisions(truth, called, 0.5)
}

/** The threshold when all folds share one; folds that chose different ones have no single number to show. */
function commonThreshold(predictions: readonly LabelledPrediction[], index: number): number | null {
  const first = predictions[0]?.thresholds[index]
  return first !== undefined && predictions.every((prediction) => prediction.thresholds[index] === first) ? first : null
}

/**
 * A row of a small pattern often holds one class only. F1 and AUPRC would then be defined, as 0 or 1, and say nothing about the model;
 * a macro mean over them would look like a result.
 */
function whereBothClasses(positives: number, negatives: number, compute: () => Estimate): MetricEstimate {
  if (positives === 0) return { value: null, reason: 'no positives' }
  if (negatives === 0) return { value: null, reason: 'no negatives' }
  const estimate = compute()
  return { value: estimate.value, reason: estimate.reason ?? null }
}

function meanOf(estimates: readonly MetricEstimate[]): MetricEstimate {
  const values = estimates.map((estimate) => estimate.value).filter((value) => value !== null)
  if (values.length === 0) return { value: null, reason: 'no label is estimable' }
  return { value: values.reduce((sum, value) => sum + value, 0) / values.length, reason: null }
}
