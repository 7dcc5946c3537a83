/** Two-sided tests used to compare methods and patient groups. p-values are null with a reason when undefined. */
import { chiSquareUpperTail, fairBinomialLowerTail, normalUpperTail, studentUpperTail } from './distributions.ts'
import { averageRanks, tieCorrection } from './ranks.ts'

/** A test statistic and its two-sided p-value; both null exactly when `reason` is given. */
export interface TestResult {
  statistic: number | null
  pValue: number | null
  reason?: string
}

/** Paired t test of mean(first - second) = 0. */
export function pairedTTest(first: ArrayLike<number>, second: ArrayLike<number>): TestResult {
  const differences = pairDifferences(first, second)
  const n = differences.length
  if (n < 2) return undefinedTest('fewer than 2 pairs')
  const mean = meanOf(differences)
  const variance = differences.reduce((sum, d) => sum + (d - mean) ** 2, 0) / (n - 1)
  if (variance === 0) return undefinedTest('all differences are equal')
  const statistic = mean / Math.sqrt(variance / n)
  return { statistic, pValue: 2 * studentUpperTail(Math.abs(statistic), n - 1) }
}

/** Pearson correlation; the p-value uses t with n - 2 degrees of freedom. */
export function pearson(first: ArrayLike<number>, second: ArrayLike<number>): TestResult {
  checkPairs(first, second)
  const n = first.length
  if (n < 3) return undefinedTest('fewer than 3 pairs')
  const meanFirst = meanOf(Array.from(first))
  const meanSecond = meanOf(Array.from(second))
  let xx = 0
  let yy = 0
  let xy = 0
  for (let i = 0; i < n; i += 1) {
    const x = first[i]! - meanFirst
    const y = second[i]! - meanSecond
    xx += x * x
    yy += y * y
    xy += x * y
  }
  if (xx === 0 || yy === 0) return undefinedTest('one side is constant')
  const r = Math.max(-1, Math.min(1, xy / Math.sqrt(xx) / Math.sqrt(yy)))
  const t = Math.abs(r) * Math.sqrt((n - 2) / ((1 - r) * (1 + r)))
  return { statistic: r, pValue: Math.min(1, 2 * studentUpperTail(t, n - 2)) }
}

/** Spearman rank correlation: Pearson on average ranks, same t approximation. */
export function spearman(first: ArrayLike<number>, second: ArrayLike<number>): TestResult {
  checkPairs(first, second)
  return pearson(averageRanks(first).ranks, averageRanks(second).ranks)
}

/** Mann-Whitney U of `first` (ties one half), normal approximation with tie and continuity correction. */
export function mannWhitney(first: ArrayLike<number>, second: ArrayLike<number>): TestResult {
  const n1 = first.length
  const n2 = second.length
  if (n1 === 0 || n2 === 0) return undefinedTest('a group is empty')
  checkFinite(first)
  checkFinite(second)
  const { ranks, tieSizes } = averageRanks([...Array.from(first), ...Array.from(second)])
  let rankSum = 0
  for (let i = 0; i < n1; i += 1) rankSum += ranks[i]!
  const statistic = rankSum - (n1 * (n1 + 1)) / 2
  const n = n1 + n2
  const spread = Math.sqrt(((n1 * n2) / 12) * (n + 1 - tieCorrection(tieSizes) / (n * (n - 1))))
  if (!(spread > 0)) return undefinedTest('all values are equal')
  const z = (Math.max(statistic, n1 * n2 - statistic) - (n1 * n2) / 2 - 0.5) / spread
  return { statistic, pValue: Math.min(1, 2 * normalUpperTail(z)) }
}

/** Friedman test of k >= 3 treatments on the same n blocks; groups: [k][n]. Ties are corrected. */
export function friedman(groups: readonly ArrayLike<number>[]): TestResult {
  const k = groups.length
  const n = groups[0]?.length ?? 0
  if (k < 3) return undefinedTest('fewer than 3 groups')
  if (n < 1) return undefinedTest('no blocks')
  if (groups.some((group) => group.length !== n)) throw new RangeError('Friedman groups differ in length.')
  groups.forEach(checkFinite)
  const rankSums = new Float64Array(k)
  let ties = 0
  for (let i = 0; i < n; i += 1) {
    const { ranks, tieSizes } = averageRanks(groups.map((group) => group[i]!))
    ranks.forEach((rank, group) => (rankSums[group]! += rank))
    ties += tieCorrection(tieSizes)
  }
  const correction = 1 - ties / (k * (k * k - 1) * n)
  if (correction === 0) return undefinedTest('all values are tied')
  const squares = rankSums.reduce((sum, rank) => sum + rank * rank, 0)
  const statistic = ((12 / (k * n * (k + 1))) * squares - 3 * n * (k + 1)) / correction
  return { statistic, pValue: chiSquareUpperTail(statistic, k - 1) }
}

export interface McNemarResult {
  /** Cases only the second, and only the first, method got right. */
  onlySecond: number
  onlyFirst: number
  exactPValue: number | null
  /** Chi-square with continuity correction, one degree of freedom. */
  chiSquare: number | null
  chiSquarePValue: number | null
  reason?: string
}

/** McNemar's test on two 0/1 columns of correctness. */
export function mcNemar(firstCorrect: ArrayLike<number>, secondCorrect: ArrayLike<number>): McNemarResult {
  checkPairs(firstCorrect, secondCorrect)
  let onlySecond = 0
  let onlyFirst = 0
  for (let i = 0; i < firstCorrect.length; i += 1) {
    if (firstCorrect[i] === 0 && secondCorrect[i] === 1) onlySecond += 1
    if (firstCorrect[i] === 1 && secondCorrect[i] === 0) onlyFirst += 1
  }
  const n = onlySecond + onlyFirst
  if (n === 0) {
    const reason = 'the two never differ'
    return { onlySecond, onlyFirst, exactPValue: 1, chiSquare: null, chiSquarePValue: null, reason }
  }
  const exactPValue = Math.min(1, 2 * fairBinomialLowerTail(Math.min(onlySecond, onlyFirst), n))
  const chiSquare = (Math.abs(onlySecond - onlyFirst) - 1) ** 2 / n
  return { onlySecond, onlyFirst, exactPValue, chiSquare, chiSquarePValue: chiSquareUpperTail(chiSquare, 1) }
}

/** first - second for each pair. Throws RangeError for unequal lengths or values that are not finite. */
export function pairDifferences(first: ArrayLike<number>, second: ArrayLike<number>): number[] {
  checkPairs(first, second)
  return Array.from(first, (value, i) => value - second[i]!)
}

export function undefinedTest(reason: string): TestResult {
  return { statistic: null, pValue: null, reason }
}

function checkPairs(first: ArrayLike<number>, second: ArrayLike<number>): void {
  if (first.length !== second.length) throw new RangeError(`${first.length} values against ${second.length}.`)
  checkFinite(first)
  checkFinite(second)
}

function checkFinite(values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i += 1) {
    if (!Number.isFinite(values[i]!)) throw new RangeError(`Value ${i} is ${values[i]}; it must be a finite number.`)
  }
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
