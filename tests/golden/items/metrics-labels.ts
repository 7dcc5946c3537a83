/** Multi-label, multi-class and kappa reference cases, mapped from our names to those of the files. */
import { cohenKappa, countPairs } from '../../../engine/evaluation/agreement.ts'
import { toMatrix } from '../../../engine/evaluation/confusion.ts'
import { columnOf, type Estimate } from '../../../engine/evaluation/estimate.ts'
import { multilabelMetrics, type LabelMetrics } from '../../../engine/evaluation/metrics.ts'
import { multiclassMetrics } from '../../../engine/evaluation/multiclass.ts'
import { decisionThresholds, netBenefit, netBenefitTreatAll } from '../../../engine/evaluation/net-benefit.ts'
import { asArray, asNumbers, asObject, asRows, checkKeys, type JsonObject } from '../comparison.ts'
import type { GoldenReport } from '../report.ts'

// Both sides work in doubles; only the order of summation differs.
const BOUND = 1e-10
// Two optimisers stop at slightly different points of a flat likelihood.
const FIT_BOUND = 1e-7
const informative = ['sklearn_says', 'per_label', 'per_class', 'not_estimable', 'calibration', 'why']

export function checkMultilabel(report: GoldenReport, name: string, one: JsonObject): void {
  const labels = asRows(one['y'], name)
  const probabilities = asRows(one['p'], name)
  const expected = asObject(one['expected'], name)
  const perLabel = asArray(expected['per_label'], name)
  const ours = multilabelMetrics(labels, probabilities, perLabel.length)
  const averages: Record<string, unknown> = {
    auroc_weighted_over_estimable: ours.weightedAuroc.value,
    auroc_micro: ours.microAuroc.value,
    auprc_micro: ours.microAuprc.value,
    subset_accuracy: ours.subsetAccuracy.value,
    hamming_loss: ours.hammingLoss.value,
    confusion: ours.labels.map((label) => toMatrix(label.confusion)),
  }
  for (const kind of ['macro', 'micro', 'weighted', 'samples'] as const) {
    for (const metric of ['precision', 'recall', 'f1'] as const) averages[`${metric}_${kind}_zero_division0`] = ours[kind][metric]
  }
  const means = { f1: ours.meanF1, auroc: ours.meanAuroc, auprc: ours.meanAuprc, brier: ours.meanBrier,
    log_loss: ours.meanLogLoss, ece15: ours.meanCalibrationError }
  for (const [metric, mean] of Object.entries(means)) {
    averages[`${metric}_mean_over_estimable`] = mean.value
    averages[`${metric}_n_estimable`] = mean.estimableCount
  }
  checkKeys(report, name, averages, expected, BOUND, { informative })
  checkReasons(report, name, expected, { auroc_micro: ours.microAuroc, auprc_micro: ours.microAuprc })
  perLabel.forEach((entry, c) => {
    const where = `${name}.label${c}`
    checkLabel(report, where, ours.labels[c]!, asObject(entry, where), columnOf(labels, c), columnOf(probabilities, c))
  })
}

function checkLabel(
  report: GoldenReport, where: string, ours: LabelMetrics, expected: JsonObject,
  labels: Float64Array, probabilities: Float64Array,
): void {
  const estimates: Record<string, Estimate> = {
    precision: ours.precision, recall: ours.recall, f1: ours.f1, specificity: ours.specificity,
    npv: ours.negativePredictiveValue, auroc: ours.auroc, auprc: ours.auprc, brier: ours.brier,
    log_loss: ours.logLoss, ece15: ours.calibrationError, kappa: ours.kappa, mcc: ours.matthewsCorrelation,
    balanced_accuracy: ours.balancedAccuracy, accuracy: ours.accuracy,
  }
  const values = Object.fromEntries(Object.entries(estimates).map(([key, estimate]) => [key, estimate.value]))
  checkKeys(report, where, {
    ...values,
    support: ours.counts.positives,
    confusion_tn_fp_fn_tp: toMatrix(ours.confusion).flat(),
    net_benefit: decisionThresholds.map((threshold) => netBenefit(labels, probabilities, threshold).value),
    net_benefit_treat_all: decisionThresholds.map((threshold) => netBenefitTreatAll(labels, threshold).value),
  }, expected, BOUND, { informative })
  checkReasons(report, where, expected, estimates)
  if (!('calibration' in expected)) return
  const fit = ours.calibration
  const reference = asObject(expected['calibration'], where)
  checkKeys(report, `${where}.calibration`, {
    citl: fit.inTheLarge.value, citl_se: fit.inTheLargeStandardError,
    intercept: fit.intercept.value, intercept_se: fit.interceptStandardError,
    slope: fit.slope.value, slope_se: fit.slopeStandardError,
  }, reference, FIT_BOUND, { informative })
  if (typeof reference['why'] === 'string') {
    report.checkThat(`${where}.calibration.why`, fit.slope.reason === reference['why'], `reason: ${fit.slope.reason}`)
  }
}

// Every number the reference calls not estimable must be null here too, with the same reason in words.
function checkReasons(report: GoldenReport, where: string, expected: JsonObject, ours: Record<string, Estimate>): void {
  if (!('not_estimable' in expected)) return
  for (const [key, reason] of Object.entries(asObject(expected['not_estimable'], where))) {
    const estimate = ours[key]
    if (estimate === undefined) report.notChecked(`${where}.not_estimable.${key}`)
    else report.checkThat(`${where}.not_estimable.${key}`, estimate.value === null && estimate.reason === reason, `reason: ${estimate.reason}`)
  }
}

export function checkMulticlass(report: GoldenReport, name: string, one: JsonObject): void {
  const probabilities = asRows(one['p'], name)
  const expected = asObject(one['expected'], name)
  const perClass = asArray(expected['per_class'], name)
  const ours = multiclassMetrics(asNumbers(one['y'], name), probabilities, perClass.length)
  checkKeys(report, name, {
    f1_macro_zero_division0: ours.macroF1ZeroDivision0,
    f1_micro_zero_division0: ours.microF1ZeroDivision0,
    f1_weighted_zero_division0: ours.weightedF1ZeroDivision0,
    f1_macro_over_classes_with_support: ours.macroF1OverPresentClasses.value,
    auroc_ovr_macro_over_estimable: ours.meanAuroc.value,
    auroc_n_estimable: ours.meanAuroc.estimableCount,
    auroc_ovr_macro_sklearn: ours.macroAurocAllClasses.value,
    auroc_ovr_weighted_sklearn: ours.weightedAurocAllClasses.value,
    auroc_ovo_macro_sklearn: ours.macroAurocPairwise.value,
    brier_sum: ours.brierSum.value,
    log_loss: ours.logLoss.value,
    ece15_top1: ours.topCalibrationError.value,
    accuracy: ours.accuracy.value,
    balanced_accuracy: ours.balancedAccuracy.value,
    confusion_rows_true: ours.confusion,
    kappa_unweighted: ours.kappa.value,
    kappa_linear: ours.kappaLinear.value,
    kappa_quadratic: ours.kappaQuadratic.value,
    mcc: ours.matthewsCorrelation.value,
  }, expected, BOUND, { informative })
  checkReasons(report, name, expected, {
    auroc_ovr_macro: ours.macroAurocAllClasses, auroc_ovr_weighted: ours.weightedAurocAllClasses,
    auroc_ovo_macro: ours.macroAurocPairwise, mcc: ours.matthewsCorrelation, kappa_unweighted: ours.kappa,
    kappa_linear: ours.kappaLinear, kappa_quadratic: ours.kappaQuadratic,
  })
  perClass.forEach((entry, c) => {
    const one = ours.classes[c]!
    checkKeys(report, `${name}.class${c}`, {
      precision: one.precision.value, recall: one.recall.value, f1: one.f1.value, support: one.support,
      auroc_ovr: one.auroc.value, auprc_ovr: one.auprc.value, brier_ovr: one.brier.value, ece15_ovr: one.calibrationError.value,
    }, asObject(entry, name), BOUND, { informative })
  })
}

export function checkKappa(report: GoldenReport, name: string, one: JsonObject): void {
  const { a, b, n_classes: classCount, ...expected } = one
  if (typeof classCount !== 'number') throw new TypeError(`${name}: n_classes is not a number.`)
  const matrix = countPairs(asNumbers(a, name), asNumbers(b, name), classCount)
  const unweighted = cohenKappa(matrix)
  checkKeys(report, name, {
    kappa_unweighted: unweighted.value,
    kappa_linear: cohenKappa(matrix, 'linear').value,
    kappa_quadratic: cohenKappa(matrix, 'quadratic').value,
    why: unweighted.reason,
  }, expected, BOUND)
}
