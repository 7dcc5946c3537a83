/**
 * Multi-label results: one row of numbers per label and the averages over labels.
 * Averages named `...ZeroDivision0` count an undefined label as 0 (comparable with published tables);
 * `mean...` leave such labels out and say how many entered.
 */
import { cohenKappa, matthewsCorrelation } from './agreement.ts'
import { brier, expectedCalibrationError, fitCalibration, logLoss, type CalibrationFit } from './calibration.ts'
import * as confusionMetrics from './confusion.ts'
import type { BinaryConfusion } from './confusion.ts'
import {
  columnOf,
  countClasses,
  estimated,
  meanOfEstimable,
  notEstimable,
  weightedMeanOfEstimable,
  type ClassCounts,
  type Estimate,
  type Matrix,
  type MeanEstimate,
} from './estimate.ts'
import { auprc, auroc } from './ranking.ts'

export const DEFAULT_THRESHOLD = 0.5

/** Everything reported for one yes/no label. */
export interface LabelMetrics {
  counts: ClassCounts
  confusion: BinaryConfusion
  precision: Estimate
  recall: Estimate
  f1: Estimate
  specificity: Estimate
  negativePredictiveValue: Estimate
  accuracy: Estimate
  balancedAccuracy: Estimate
  kappa: Estimate
  matthewsCorrelation: Estimate
  auroc: Estimate
  auprc: Estimate
  brier: Estimate
  logLoss: Estimate
  calibrationError: Estimate
  calibration: CalibrationFit
}

/** Precision, recall and F1 with undefined values counted as 0. */
export interface AveragesZeroDivision0 {
  precision: number
  recall: number
  f1: number
}

export interface MultilabelMetrics {
  patientCount: number
  labels: LabelMetrics[]
  macro: AveragesZeroDivision0
  micro: AveragesZeroDivision0
  weighted: AveragesZeroDivision0
  samples: AveragesZeroDivision0
  meanF1: MeanEstimate
  meanAuroc: MeanEstimate
  meanAuprc: MeanEstimate
  meanBrier: MeanEstimate
  meanLogLoss: MeanEstimate
  meanCalibrationError: MeanEstimate
  weightedAuroc: MeanEstimate
  microAuroc: Estimate
  microAuprc: Estimate
  subsetAccuracy: Estimate
  hammingLoss: Estimate
}

/** All numbers for one label: labels 0/1 [N], probabilities 0..1 [N]; decisions are `probability >= threshold`. */
export function labelMetrics(
  labels: ArrayLike<number>,
  probabilities: ArrayLike<number>,
  threshold: number = DEFAULT_THRESHOLD,
): LabelMetrics {
  const counts = countClasses(labels, probabilities)
  const confusion = confusionMetrics.countDecisions(labels, probabilities, threshold)
  const matrix = confusionMetrics.toMatrix(confusion)
  return {
    counts,
    confusion,
    precision: confusionMetrics.precision(confusion),
    recall: confusionMetrics.recall(confusion),
    f1: confusionMetrics.f1(confusion),
    specificity: confusionMetrics.specificity(confusion),
    negativePredictiveValue: confusionMetrics.negativePredictiveValue(confusion),
    accuracy: confusionMetrics.accuracy(confusion),
    balancedAccuracy: confusionMetrics.balancedAccuracy(confusion),
    kappa: cohenKappa(matrix, 'unweighted', counts),
    matthewsCorrelation: matthewsCorrelation(matrix, counts),
    auroc: auroc(labels, probabilities),
    auprc: auprc(labels, probabilities),
    brier: brier(labels, probabilities),
    logLoss: logLoss(labels, probabilities),
    calibrationError: expectedCalibrationError(labels, probabilities),
    calibration: fitCalibration(labels, probabilities),
  }
}

/** All multi-label numbers. labels and probabilities: [N][C]; one threshold per label, 0.5 where none is given. */
export function multilabelMetrics(
  labels: Matrix,
  probabilities: Matrix,
  labelCount: number,
  thresholds: readonly number[] = [],
): MultilabelMetrics {
  if (labels.length !== probabilities.length) throw new RangeError('Labels and probabilities differ in rows.')
  const cuts = Array.from({ length: labelCount }, (_, c) => thresholds[c] ?? DEFAULT_THRESHOLD)
  const labelColumns = cuts.map((_, c) => columnOf(labels, c))
  const probabilityColumns = cuts.map((_, c) => columnOf(probabilities, c))
  const perLabel = cuts.map((cut, c) => labelMetrics(labelColumns[c]!, probabilityColumns[c]!, cut))
  const allLabels = concatenate(labelColumns)
  const allProbabilities = concatenate(probabilityColumns)
  const supports = perLabel.map((label) => label.counts.positives)
  const mean = (pick: (label: LabelMetrics) => Estimate) =>
    meanOfEstimable(perLabel.map(pick), 'no label is estimable')
  return {
    patientCount: labels.length,
    labels: perLabel,
    macro: averageZeroDivision0(perLabel, perLabel.map(() => 1)),
    micro: decisionsZeroDivision0(confusionMetrics.sumConfusions(perLabel.map((label) => label.confusion))),
    weighted: averageZeroDivision0(perLabel, supports),
    ...rowMetrics(labelColumns, probabilityColumns, cuts),
    meanF1: mean((label) => label.f1),
    meanAuroc: mean((label) => label.auroc),
    meanAuprc: mean((label) => label.auprc),
    meanBrier: mean((label) => label.brier),
    meanLogLoss: mean((label) => label.logLoss),
    meanCalibrationError: mean((label) => label.calibrationError),
    weightedAuroc: weightedMeanOfEstimable(perLabel.map((label) => label.auroc), supports, 'no label is estimable'),
    microAuroc: auroc(allLabels, allProbabilities),
    microAuprc: auprc(allLabels, allProbabilities),
  }
}

/** Macro-F1 with undefined labels counted as 0, the figure of published tables; cheap enough for a bootstrap. */
export function macroF1(labels: Matrix, probabilities: Matrix, labelCount: number, threshold = DEFAULT_THRESHOLD): number {
  let total = 0
  for (let c = 0; c < labelCount; c += 1) {
    const confusion = confusionMetrics.countDecisions(columnOf(labels, c), columnOf(probabilities, c), threshold)
    total += confusionMetrics.f1(confusion).value ?? 0
  }
  return labelCount === 0 ? 0 : total / labelCount
}

function decisionsZeroDivision0(confusion: BinaryConfusion): AveragesZeroDivision0 {
  return {
    precision: confusionMetrics.precision(confusion).value ?? 0,
    recall: confusionMetrics.recall(confusion).value ?? 0,
    f1: confusionMetrics.f1(confusion).value ?? 0,
  }
}

function averageZeroDivision0(perLabel: readonly LabelMetrics[], weights: readonly number[]): AveragesZeroDivision0 {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const average = (pick: (label: LabelMetrics) => Estimate) =>
    total === 0 ? 0 : perLabel.reduce((sum, label, c) => sum + weights[c]! * (pick(label).value ?? 0), 0) / total
  return {
    precision: average((label) => label.precision),
    recall: average((label) => label.recall),
    f1: average((label) => label.f1),
  }
}

// Per-patient averages: each patient's set of predicted labels against the set of true labels.
function rowMetrics(labelColumns: Float64Array[], probabilityColumns: Float64Array[], cuts: readonly number[]) {
  const patientCount = labelColumns[0]?.length ?? 0
  const sums = { precision: 0, recall: 0, f1: 0 }
  const cells = { positives: 0, negatives: 0 }
  let wrongCells = 0
  let exactRows = 0
  for (let i = 0; i < patientCount; i += 1) {
    const row = confusionMetrics.countDecisions(
      labelColumns.map((column) => column[i]!),
      probabilityColumns.map((column, c) => (column[i]! >= cuts[c]! ? 1 : 0)),
      1,
    )
    const values = decisionsZeroDivision0(row)
    sums.precision += values.precision
    sums.recall += values.recall
    sums.f1 += values.f1
    const wrong = row.falsePositives + row.falseNegatives
    wrongCells += wrong
    if (wrong === 0) exactRows += 1
    cells.positives += row.truePositives + row.falseNegatives
    cells.negatives += row.trueNegatives + row.falsePositives
  }
  const cellCount = cells.positives + cells.negatives
  const divide = (sum: number) => (patientCount === 0 ? 0 : sum / patientCount)
  return {
    samples: { precision: divide(sums.precision), recall: divide(sums.recall), f1: divide(sums.f1) },
    subsetAccuracy: cellCount === 0 ? notEstimable('no cases', cells) : estimated(exactRows / patientCount, cells),
    hammingLoss: cellCount === 0 ? notEstimable('no cases', cells) : estimated(wrongCells / cellCount, cells),
  }
}

function concatenate(columns: readonly Float64Array[]): Float64Array {
  const joined = new Float64Array(columns.reduce((sum, column) => sum + column.length, 0))
  let offset = 0
  for (const column of columns) {
    joined.set(column, offset)
    offset += column.length
  }
  return joined
}
