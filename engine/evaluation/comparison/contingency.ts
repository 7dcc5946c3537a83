/** Tests of association in tables of counts, and of a value over several groups. p-values are null with a reason when undefined. */
import { chiSquareUpperTail, logGamma } from './distributions.ts'
import { undefinedTest, type TestResult } from './hypothesis-tests.ts'
import { averageRanks, tieCorrection } from './ranks.ts'

/** Relative difference under which two table probabilities count as equal; they come from sums of logarithms. As in R's fisher.test. */
const tieTolerance = 1e-7

/**
 * Fisher's exact test of a 2 x 2 table [[a, b], [c, d]], two-sided: the probabilities of all tables with these margins that are no more
 * likely than this one. The statistic is the odds ratio a d / (b c), null where it is infinite or undefined.
 */
export function fisherExact(a: number, b: number, c: number, d: number): TestResult {
  for (const count of [a, b, c, d]) if (!Number.isInteger(count) || count < 0) throw new RangeError(`${count} is not a count.`)
  const row = a + b
  const column = a + c
  const n = a + b + c + d
  if (row === 0 || column === 0 || row === n || column === n) return undefinedTest('a row or column of the table is empty')
  const lowest = Math.max(0, row + column - n)
  const highest = Math.min(row, column)
  const logProbability = (k: number): number => logChoose(row, k) + logChoose(n - row, column - k)
  const own = logProbability(a)
  const constant = logChoose(n, column)
  let sum = 0
  for (let k = lowest; k <= highest; k++) {
    const log = logProbability(k)
    if (log <= own + tieTolerance) sum += Math.exp(log - constant)
  }
  return { statistic: b * c === 0 ? null : (a * d) / (b * c), pValue: Math.min(1, sum) }
}

/**
 * Pearson's chi-square test of a table of counts [rows][columns], without continuity correction; degrees of freedom (R - 1)(C - 1).
 * `smallestExpected` is for the caller to judge the approximation by.
 */
export function chiSquareTest(table: readonly (readonly number[])[]): TestResult & { smallestExpected: number } {
  const rowSums = table.map((row) => row.reduce((sum, count) => sum + count, 0))
  const columnSums = (table[0] ?? []).map((_, c) => table.reduce((sum, row) => sum + row[c]!, 0))
  const n = rowSums.reduce((sum, count) => sum + count, 0)
  if (rowSums.length < 2 || columnSums.length < 2 || [...rowSums, ...columnSums].some((sum) => sum === 0)) return { ...undefinedTest('a row or column of the table is empty'), smallestExpected: 0 }
  let statistic = 0
  let smallestExpected = Infinity
  table.forEach((row, r) => row.forEach((count, c) => {
    const expected = (rowSums[r]! * columnSums[c]!) / n
    smallestExpected = Math.min(smallestExpected, expected)
    statistic += (count - expected) ** 2 / expected
  }))
  return { statistic, pValue: chiSquareUpperTail(statistic, (rowSums.length - 1) * (columnSums.length - 1)), smallestExpected }
}

/** Kruskal-Wallis test of k >= 2 independent groups; ties are corrected. */
export function kruskalWallis(groups: readonly ArrayLike<number>[]): TestResult {
  if (groups.length < 2) return undefinedTest('fewer than 2 groups')
  if (groups.some((group) => group.length === 0)) return undefinedTest('a group is empty')
  const { ranks, tieSizes } = averageRanks(groups.flatMap((group) => Array.from(group)))
  const n = ranks.length
  const correction = 1 - tieCorrection(tieSizes) / (n ** 3 - n)
  if (!(correction > 0)) return undefinedTest('all values are equal')
  let from = 0
  let sum = 0
  for (const { length } of groups) {
    let rankSum = 0
    for (let i = 0; i < length; i++) rankSum += ranks[from + i]!
    sum += rankSum ** 2 / length
    from += length
  }
  const statistic = ((12 / (n * (n + 1))) * sum - 3 * (n + 1)) / correction
  return { statistic, pValue: chiSquareUpperTail(statistic, groups.length - 1) }
}

function logChoose(n: number, k: number): number {
  return logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1)
}
