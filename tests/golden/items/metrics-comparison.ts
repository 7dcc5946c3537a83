/** Bootstrap, DeLong, multiplicity and test reference cases. */
import { bootstrapInterval, quantile, wilsonInterval } from '../../../engine/evaluation/bootstrap.ts'
import { brier } from '../../../engine/evaluation/calibration.ts'
import { deLong } from '../../../engine/evaluation/comparison/delong.ts'
import { chiSquareUpperTail, normalQuantile, studentUpperTail } from '../../../engine/evaluation/comparison/distributions.ts'
import * as hypothesis from '../../../engine/evaluation/comparison/hypothesis-tests.ts'
import { benjaminiHochberg, bonferroni, holm } from '../../../engine/evaluation/comparison/multiplicity.ts'
import { wilcoxonExact, wilcoxonNormal } from '../../../engine/evaluation/comparison/wilcoxon.ts'
import { macroF1 } from '../../../engine/evaluation/metrics.ts'
import { auprc, auroc } from '../../../engine/evaluation/ranking.ts'
import {
  asArray, asNumbers, asObject, asRows, checkKeys, relativeDifference, type Json, type JsonObject,
} from '../comparison.ts'
import type { GoldenReport } from '../report.ts'

const BOUND = 1e-10
// p-values and tails are compared relative to themselves: 1e-6 must not pass as 2e-6.
const TAIL_BOUND = 1e-9

export function checkDeLong(report: GoldenReport, name: string, one: JsonObject): void {
  const ours = deLong(asNumbers(one['y'], name), asNumbers(one['a'], name), asNumbers(one['b'], name))
  const { z, p, ...expected } = asObject(one['expected'], name)
  checkKeys(report, name, {
    auc_a: ours.aurocFirst, auc_b: ours.aurocSecond, var_a: ours.varianceFirst, var_b: ours.varianceSecond,
    cov: ours.covariance, diff: ours.difference, var_diff: ours.varianceOfDifference,
    ci95_diff: ours.intervalOfDifference, ci95_a_clipped: ours.intervalFirst, ci95_b_clipped: ours.intervalSecond,
    why: ours.reason,
  }, expected, BOUND, { informative: ['bootstrap_check_var_diff'] })
  checkTails(report, `${name}.test`, { z: ours.z, p: ours.pValue }, { z: z ?? null, p: p ?? null })
}

export function checkMultiplicity(report: GoldenReport, name: string, one: JsonObject): void {
  const { p, ...expected } = one
  const pValues = asNumbers(p, name)
  checkKeys(report, name, {
    holm: holm(pValues), bonferroni: bonferroni(pValues), bh: benjaminiHochberg(pValues),
  }, expected, BOUND)
}

export function checkBootstrap(report: GoldenReport, name: string, one: JsonObject): void {
  const labels = asRows(one['y'], name)
  const probabilities = asRows(one['p'], name)
  const resamples = asRows(one['resample_indices'], name)
  for (const [key, entry] of Object.entries(asObject(one['expected'], name))) {
    const metric = resampledMetric(key, labels, probabilities)
    if (metric === null) {
      report.notChecked(`${name}.${key}`)
      continue
    }
    const ours = bootstrapInterval(resamples, metric)
    checkKeys(report, `${name}.${key}`, {
      n_used: ours.usedCount, n_dropped: ours.droppedCount, lo: ours.lower, median: ours.median, hi: ours.upper,
      mean: ours.mean, sd: ours.standardDeviation, first5: resamples.slice(0, 5).map(metric),
    }, asObject(entry, key), BOUND)
  }
}

// Keys read `metric_labelN` or `macro_f1`.
function resampledMetric(key: string, labels: number[][], probabilities: number[][]) {
  const pick = (rows: number[][], indices: ArrayLike<number>) => Array.from(indices, (index) => rows[index]!)
  if (key === 'macro_f1') {
    const labelCount = labels[0]?.length ?? 0
    return (indices: ArrayLike<number>) => macroF1(pick(labels, indices), pick(probabilities, indices), labelCount)
  }
  const match = /^(auroc|auprc|brier)_label(\d+)$/.exec(key)
  if (match === null) return null
  const metric = { auroc, auprc, brier }[match[1] as 'auroc' | 'auprc' | 'brier']
  const column = Number(match[2])
  return (indices: ArrayLike<number>) =>
    metric(pick(labels, indices).map((row) => row[column]!), pick(probabilities, indices).map((row) => row[column]!)).value
}

export function checkTests(report: GoldenReport, tests: JsonObject): void {
  for (const [key, value] of Object.entries(tests)) {
    if (key === 'paired') checkPaired(report, asObject(value, key))
    else if (key === 'friedman') {
      const { groups, ...expected } = asObject(value, key)
      const ours = hypothesis.friedman(asRows(groups, key))
      checkTails(report, 'tests.friedman', { chi2: ours.statistic, p: ours.pValue }, expected)
    } else if (key === 'mcnemar') {
      const { correct_a: first, correct_b: second, ...expected } = asObject(value, key)
      const ours = hypothesis.mcNemar(asNumbers(first, key), asNumbers(second, key))
      checkTails(report, 'tests.mcnemar', {
        n01: ours.onlySecond, n10: ours.onlyFirst, exact_p: ours.exactPValue, chi2_cc: ours.chiSquare, chi2_cc_p: ours.chiSquarePValue,
      }, expected)
    } else if (key in rowChecks) {
      asArray(value, key).forEach((entry, index) => {
        rowChecks[key as keyof typeof rowChecks](report, `tests.${key}_${index}`, asObject(entry, key))
      })
    } else report.notChecked(`tests.${key}`)
  }
}

function checkPaired(report: GoldenReport, paired: JsonObject): void {
  const { x, y, ...expected } = paired
  const [first, second] = [asNumbers(x, 'paired.x'), asNumbers(y, 'paired.y')]
  const known: Record<string, [string, hypothesis.TestResult]> = {
    ttest_rel: ['t', hypothesis.pairedTTest(first, second)],
    wilcoxon_exact: ['W', wilcoxonExact(first, second)],
    wilcoxon_normal_no_continuity: ['W', wilcoxonNormal(first, second)],
    spearman: ['rho', hypothesis.spearman(first, second)],
    pearson: ['r', hypothesis.pearson(first, second)],
    mannwhitney_asymptotic: ['U', hypothesis.mannWhitney(first, second)],
  }
  for (const [key, entry] of Object.entries(expected)) {
    const found = known[key]
    if (found === undefined) report.notChecked(`tests.paired.${key}`)
    else checkTails(report, `tests.${key}`, { [found[0]]: found[1].statistic, p: found[1].pValue }, asObject(entry, key))
  }
}

const rowChecks = {
  wilson(report: GoldenReport, name: string, row: JsonObject) {
    const { k, n, ...expected } = row
    const ours = wilsonInterval(asNumber(k), asNumber(n))
    checkKeys(report, name, { lo: ours?.lower ?? null, hi: ours?.upper ?? null }, expected, BOUND)
  },
  normal(report: GoldenReport, name: string, row: JsonObject) {
    const { q, ...expected } = row
    checkTails(report, name, { ppf: normalQuantile(asNumber(q)) }, expected)
  },
  chi2_sf(report: GoldenReport, name: string, row: JsonObject) {
    const { x, df, ...expected } = row
    checkTails(report, name, { sf: chiSquareUpperTail(asNumber(x), asNumber(df)) }, expected)
  },
  t_sf(report: GoldenReport, name: string, row: JsonObject) {
    const { t, df, ...expected } = row
    checkTails(report, name, { sf: studentUpperTail(asNumber(t), asNumber(df)) }, expected)
  },
  quantile_type7(report: GoldenReport, name: string, row: JsonObject) {
    const { x, q, ...expected } = row
    const values = asNumbers(x, name)
    checkKeys(report, name, { value: asNumbers(q, name).map((level) => quantile(values, level)) }, expected, BOUND)
  },
}

function checkTails(report: GoldenReport, name: string, ours: Record<string, unknown>, expected: JsonObject): void {
  checkKeys(report, name, ours, expected, TAIL_BOUND, { difference: relativeDifference })
}

function asNumber(value: Json | undefined): number {
  if (typeof value !== 'number') throw new TypeError('A number was expected.')
  return value
}
