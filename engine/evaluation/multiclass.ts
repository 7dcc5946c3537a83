/** Results of a single-choice label with C >= 2 classes: probabilities per class, decision = first largest. */
import { cohenKappa, countPairs, matthewsCorrelation } from './agreement.ts'
import { brier, expectedCalibrationError, LOG_LOSS_CLIP } from './calibration.ts'
import * as confusionMetrics from './confusion.ts'
import {
  columnOf,
  estimated,
  meanOfEstimable,
  notEstimable,
  weightedMeanOfEstimable,
  type Estimate,
  type Matrix,
  type MeanEstimate,
} from './estimate.ts'
import { auprc, auroc } from './ranking.ts'

/** One class against the rest. */
export interface ClassMetrics {
  support: number
  precision: Estimate
  recall: Estimate
  f1: Estimate
  auroc: Estimate
  auprc: Estimate
  brier: Estimate
  calibrationError: Estimate
}

export interface MulticlassMetrics {
  patientCount: number
  classes: ClassMetrics[]
  /** [C][C] counts, rows are the truth. */
  confusion: number[][]
  accuracy: Estimate
  /** Mean recall over the classes present. */
  balancedAccuracy: Estimate
  macroF1ZeroDivision0: number
  microF1ZeroDivision0: number
  weightedF1ZeroDivision0: number
  macroF1OverPresentClasses: MeanEstimate
  meanAuroc: MeanEstimate
  /** The next three are null as soon as one class is absent: an average over fewer classes is another quantity. */
  macroAurocAllClasses: Estimate
  weightedAurocAllClasses: Estimate
  /** Mean over pairs of classes, Hand and Till 2001. */
  macroAurocPairwise: Estimate
  /** Sum over classes of the squared error (0..2), not halved. */
  brierSum: Estimate
  logLoss: Estimate
  /** Largest probability against correctness, 15 bins. */
  topCalibrationError: Estimate
  kappa: Estimate
  kappaLinear: Estimate
  kappaQuadratic: Estimate
  matthewsCorrelation: Estimate
}

/** All multi-class numbers. truth: class index 0..C-1 [N]; probabilities: [N][C]. */
export function multiclassMetrics(truth: ArrayLike<number>, probabilities: Matrix, classCount: number): MulticlassMetrics {
  const patientCount = truth.length
  if (probabilities.length !== patientCount) throw new RangeError('Truth and probabilities differ in rows.')
  const decisions = Uint32Array.from(probabilities, (row) => firstLargest(row, classCount))
  const confusion = countPairs(truth, decisions, classCount)
  const columns = Array.from({ length: classCount }, (_, c) => columnOf(probabilities, c))
  const classes = columns.map((column, c) => classMetrics(truth, column, confusion, c))
  const supports = classes.map((one) => one.support)
  const cases = { positives: patientCount, negatives: 0 }
  const right = confusion.reduce((sum, row, c) => sum + row[c]!, 0)
  const correct = Uint8Array.from(decisions, (decision, i) => (decision === truth[i] ? 1 : 0))
  const largest = Float64Array.from(decisions, (decision, i) => probabilities[i]![decision]!)
  const f1s = classes.map((one) => one.f1.value ?? 0)
  const aurocs = classes.map((one) => one.auroc)
  const isEveryClassPresent = supports.every((support) => support > 0 && support < patientCount)
  const allClasses = (estimate: () => Estimate) =>
    isEveryClassPresent ? estimate() : notEstimable('a class is absent', cases)
  const accuracy = patientCount === 0 ? notEstimable('no cases', cases) : estimated(right / patientCount, cases)
  const present = classes.filter((one) => one.support > 0)
  return {
    patientCount,
    classes,
    confusion,
    accuracy,
    balancedAccuracy: dropCount(meanOfEstimable(classes.map((one) => one.recall), 'no cases')),
    macroF1ZeroDivision0: classCount === 0 ? 0 : f1s.reduce((sum, value) => sum + value, 0) / classCount,
    // With one choice per patient every wrong decision is one false positive and one false negative.
    microF1ZeroDivision0: accuracy.value ?? 0,
    weightedF1ZeroDivision0:
      patientCount === 0 ? 0 : f1s.reduce((sum, value, c) => sum + value * supports[c]!, 0) / patientCount,
    macroF1OverPresentClasses: meanOfEstimable(present.map((one) => one.f1), 'no cases'),
    meanAuroc: meanOfEstimable(aurocs, 'one class only'),
    macroAurocAllClasses: allClasses(() => dropCount(meanOfEstimable(aurocs, 'one class only'))),
    weightedAurocAllClasses: allClasses(() => dropCount(weightedMeanOfEstimable(aurocs, supports, 'one class only'))),
    macroAurocPairwise: allClasses(() => pairwiseAuroc(truth, columns)),
    brierSum: sumOfBriers(classes, patientCount),
    logLoss: multiclassLogLoss(truth, probabilities),
    topCalibrationError: expectedCalibrationError(correct, largest),
    kappa: cohenKappa(confusion),
    kappaLinear: cohenKappa(confusion, 'linear'),
    kappaQuadratic: cohenKappa(confusion, 'quadratic'),
    // Classes are chosen here, also where there are two: no row of a label's table is meant.
    matthewsCorrelation: matthewsCorrelation(confusion, cases, 'one class in truth or prediction'),
  }
}

/** Index of the first largest value among the first `count` values of a row. Throws RangeError for NaN. */
export function firstLargest(row: ArrayLike<number>, count: number): number {
  let best = 0
  for (let c = 0; c < count; c += 1) {
    if (!(row[c]! >= 0)) throw new RangeError(`Class ${c} has probability ${row[c]}.`)
    if (row[c]! > row[best]!) best = c
  }
  return best
}

function classMetrics(
  truth: ArrayLike<number>,
  column: Float64Array,
  confusion: readonly (readonly number[])[],
  index: number,
): ClassMetrics {
  const labels = Uint8Array.from({ length: truth.length }, (_, i) => (truth[i] === index ? 1 : 0))
  const support = labels.reduce((sum, label) => sum + label, 0)
  const truePositives = confusion[index]![index]!
  const predicted = confusion.reduce((sum, row) => sum + row[index]!, 0)
  const binary = {
    truePositives,
    falsePositives: predicted - truePositives,
    falseNegatives: support - truePositives,
    trueNegatives: truth.length - support - predicted + truePositives,
  }
  return {
    support,
    precision: confusionMetrics.precision(binary),
    recall: confusionMetrics.recall(binary),
    f1: confusionMetrics.f1(binary),
    auroc: auroc(labels, column),
    auprc: auprc(labels, column),
    brier: brier(labels, column),
    calibrationError: expectedCalibrationError(labels, column),
  }
}

function pairwiseAuroc(truth: ArrayLike<number>, columns: readonly Float64Array[]): Estimate {
  let total = 0
  let pairCount = 0
  for (let a = 0; a < columns.length; a += 1) {
    for (let b = a + 1; b < columns.length; b += 1) {
      const members: number[] = []
      for (let i = 0; i < truth.length; i += 1) if (truth[i] === a || truth[i] === b) members.push(i)
      for (const [positive, column] of [[a, columns[a]!], [b, columns[b]!]] as const) {
        const labels = members.map((i) => (truth[i] === positive ? 1 : 0))
        total += auroc(labels, members.map((i) => column[i]!)).value! / 2
      }
      pairCount += 1
    }
  }
  return estimated(total / pairCount, { positives: truth.length, negatives: 0 })
}

function sumOfBriers(classes: readonly ClassMetrics[], patientCount: number): Estimate {
  const cases = { positives: patientCount, negatives: 0 }
  if (patientCount === 0) return notEstimable('no cases', cases)
  return estimated(classes.reduce((sum, one) => sum + one.brier.value!, 0), cases)
}

function multiclassLogLoss(truth: ArrayLike<number>, probabilities: Matrix): Estimate {
  const cases = { positives: truth.length, negatives: 0 }
  if (truth.length === 0) return notEstimable('no cases', cases)
  let total = 0
  probabilities.forEach((row, i) => {
    total -= Math.log(Math.min(Math.max(row[truth[i]!]!, LOG_LOSS_CLIP), 1 - LOG_LOSS_CLIP))
  })
  return estimated(total / truth.length, cases)
}

function dropCount(estimate: MeanEstimate): Estimate {
  const { estimableCount: _, ...rest } = estimate
  return rest
}
