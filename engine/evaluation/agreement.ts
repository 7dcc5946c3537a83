/**
 * Chance-corrected agreement from a square matrix of counts (rows: truth or first rater).
 * Cohen 1960; weighted: Cohen 1968; multi-class correlation: Gorodkin 2004.
 */
import { estimated, notEstimable, type ClassCounts, type Estimate } from './estimate.ts'

export type KappaWeights = 'unweighted' | 'linear' | 'quadratic'

/** Counts pairs of class indices into a [C, C] matrix, rows = `first`. Throws RangeError for an index outside 0..C-1. */
export function countPairs(first: ArrayLike<number>, second: ArrayLike<number>, classCount: number): number[][] {
  if (first.length !== second.length) throw new RangeError(`${first.length} against ${second.length} ratings.`)
  const matrix = Array.from({ length: classCount }, () => new Array<number>(classCount).fill(0))
  for (let i = 0; i < first.length; i += 1) {
    const row = matrix[first[i]!]
    const column = second[i]!
    if (row === undefined || row[column] === undefined) {
      throw new RangeError(`Rating pair ${i} (${first[i]}, ${column}) is outside 0..${classCount - 1}.`)
    }
    row[column] += 1
  }
  return matrix
}

/** Cohen's kappa; weights |i - j| or (i - j)^2 over all classes. Null when both raters use one and the same class. */
export function cohenKappa(
  matrix: readonly (readonly number[])[],
  weights: KappaWeights = 'unweighted',
  counts: ClassCounts = totalOf(matrix),
): Estimate {
  const { rows, columns, total } = margins(matrix)
  let observed = 0
  let expected = 0
  matrix.forEach((row, i) => {
    row.forEach((count, j) => {
      const weight = disagreement(i, j, weights)
      observed += weight * count
      expected += (weight * rows[i]! * columns[j]!) / total
    })
  })
  if (total === 0) return notEstimable('no cases', counts)
  if (expected === 0) return notEstimable('expected agreement is 1', counts)
  return estimated(1 - observed / expected, counts)
}

/** Matthews correlation of two classifications (two or more classes). Null, with this reason, when one side uses a single class. */
export function matthewsCorrelation(
  matrix: readonly (readonly number[])[],
  counts: ClassCounts = totalOf(matrix),
  reason = 'a row or column of the confusion matrix is 0',
): Estimate {
  const { rows, columns, total } = margins(matrix)
  let agree = 0
  let crossed = 0
  let rowSquares = 0
  let columnSquares = 0
  rows.forEach((rowTotal, i) => {
    agree += matrix[i]![i]!
    crossed += rowTotal * columns[i]!
    rowSquares += rowTotal * rowTotal
    columnSquares += columns[i]! * columns[i]!
  })
  const rowSpread = total * total - rowSquares
  const columnSpread = total * total - columnSquares
  if (rowSpread === 0 || columnSpread === 0) return notEstimable(reason, counts)
  return estimated((agree * total - crossed) / (Math.sqrt(rowSpread) * Math.sqrt(columnSpread)), counts)
}

function disagreement(i: number, j: number, weights: KappaWeights): number {
  if (weights === 'linear') return Math.abs(i - j)
  if (weights === 'quadratic') return (i - j) ** 2
  return i === j ? 0 : 1
}

function margins(matrix: readonly (readonly number[])[]): { rows: number[]; columns: number[]; total: number } {
  const rows = matrix.map((row) => row.reduce((sum, count) => sum + count, 0))
  const columns = matrix.map((_, j) => matrix.reduce((sum, row) => sum + row[j]!, 0))
  return { rows, columns, total: rows.reduce((sum, count) => sum + count, 0) }
}

// With more than two classes "positive" has no meaning; all cases are given as positives.
function totalOf(matrix: readonly (readonly number[])[]): ClassCounts {
  return { positives: margins(matrix).total, negatives: 0 }
}
