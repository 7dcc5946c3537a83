/** Wilcoxon signed-rank test; pairs with zero difference are dropped (Wilcoxon's own treatment). */
import { normalUpperTail } from './distributions.ts'
import { pairDifferences, undefinedTest, type TestResult } from './hypothesis-tests.ts'
import { averageRanks, tieCorrection } from './ranks.ts'

/**
 * Two-sided exact test: the distribution of the rank sum over all 2^n sign patterns, conditional on the ties.
 * The statistic is the smaller rank sum. Memory and time grow with n^2 and n^3: meant for n up to a few hundred.
 */
export function wilcoxonExact(first: ArrayLike<number>, second: ArrayLike<number>): TestResult {
  const signed = signedRanks(first, second)
  if (signed === null) return undefinedTest('all differences are zero')
  // Tied ranks are multiples of one half; doubled they are whole numbers and index the table.
  const doubled = Array.from(signed.ranks, (rank) => Math.round(rank * 2))
  const total = doubled.reduce((sum, rank) => sum + rank, 0)
  const chances = new Float64Array(total + 1)
  chances[0] = 1
  let reach = 0
  for (const rank of doubled) {
    reach += rank
    for (let sum = reach; sum >= 0; sum -= 1) {
      chances[sum] = (chances[sum]! + (sum >= rank ? chances[sum - rank]! : 0)) / 2
    }
  }
  const statistic = Math.min(signed.positive, signed.negative)
  let tail = 0
  for (let sum = 0; sum <= Math.round(statistic * 2); sum += 1) tail += chances[sum]!
  return { statistic, pValue: Math.min(1, 2 * tail) }
}

/** Two-sided normal approximation with tie correction and without continuity correction. */
export function wilcoxonNormal(first: ArrayLike<number>, second: ArrayLike<number>): TestResult {
  const signed = signedRanks(first, second)
  if (signed === null) return undefinedTest('all differences are zero')
  const n = signed.ranks.length
  const statistic = Math.min(signed.positive, signed.negative)
  const variance = (n * (n + 1) * (2 * n + 1)) / 24 - tieCorrection(signed.tieSizes) / 48
  const z = (statistic - (n * (n + 1)) / 4) / Math.sqrt(variance)
  return { statistic, pValue: Math.min(1, 2 * normalUpperTail(Math.abs(z))) }
}

function signedRanks(first: ArrayLike<number>, second: ArrayLike<number>) {
  const differences = pairDifferences(first, second).filter((difference) => difference !== 0)
  if (differences.length === 0) return null
  const { ranks, tieSizes } = averageRanks(differences.map(Math.abs))
  let positive = 0
  let negative = 0
  differences.forEach((difference, i) => {
    if (difference > 0) positive += ranks[i]!
    else negative += ranks[i]!
  })
  return { ranks, tieSizes, positive, negative }
}
