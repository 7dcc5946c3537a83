/**
 * Logistic regression with an L2 penalty by coordinate descent on the dual: Yu, Huang and Lin 2011 (Machine Learning 85:41-75, algorithm 5).
 * Minimises ½‖w‖² + C Σ log(1 + exp(-y w·x)). Rows are sparse; a feature that is 1 everywhere serves as the intercept.
 */
import type { RandomSource } from '../../compute/random-source.ts'

/** Row i holds `values[k]` in column `columns[k]` for k in `starts[i]` .. `starts[i + 1]`. */
export interface SparseRows {
  rowCount: number
  columnCount: number
  /** [N + 1] */
  starts: Uint32Array
  columns: Uint32Array
  values: Float32Array
}

/** Relative size of a dual step at which the fit counts as done; AUROCs do not move below it. */
const tolerance = 1e-2
const maxSweeps = 60
const maxNewtonSteps = 20

/**
 * Weights [columnCount] from the rows `chosen` with labels 0/1 of the same order.
 * @param cost C: the weight of the data against the penalty
 */
export function fitLogistic(rows: SparseRows, chosen: Int32Array, labels: Int8Array, cost: number, random: RandomSource): Float64Array {
  const n = chosen.length
  const weights = new Float64Array(rows.columnCount)
  const alpha = new Float64Array(n).fill(Math.min(0.001 * cost, 1e-8))
  const rest = alpha.map((value) => cost - value)
  const norms = new Float64Array(n)
  const order = Int32Array.from(chosen, (_, i) => i)
  const add = (row: number, by: number) => {
    for (let k = rows.starts[row]!; k < rows.starts[row + 1]!; k++) weights[rows.columns[k]!]! += by * rows.values[k]!
  }
  chosen.forEach((row, i) => {
    for (let k = rows.starts[row]!; k < rows.starts[row + 1]!; k++) norms[i]! += rows.values[k]! ** 2
    add(row, (labels[i] === 1 ? 1 : -1) * alpha[i]!)
  })
  for (let sweep = 0; sweep < maxSweeps; sweep++) {
    let largest = 0
    for (let s = 0; s < n; s++) {
      const t = s + Math.floor(random.uniform() * (n - s))
      const i = order[t]!
      order[t] = order[s]!
      order[s] = i
      const y = labels[i] === 1 ? 1 : -1
      const row = chosen[i]!
      const b = y * dot(rows, row, weights)
      const a = norms[i]!
      // The smaller of the two dual variables is updated, where the logarithm is the steeper one.
      const isFirst = 0.5 * a * (rest[i]! - alpha[i]!) + b >= 0
      const sign = isFirst ? 1 : -1
      const old = isFirst ? alpha[i]! : rest[i]!
      let z = cost - old < 0.5 * cost ? 0.1 * old : old
      let gradient = a * (z - old) + sign * b + Math.log(z / (cost - z))
      largest = Math.max(largest, Math.abs(gradient))
      for (let step = 0; step < maxNewtonSteps && Math.abs(gradient) > 1e-3; step++) {
        const next = z - gradient / (a + cost / (cost - z) / z)
        z = next <= 0 ? 0.1 * z : Math.min(next, cost * (1 - 1e-12))
        gradient = a * (z - old) + sign * b + Math.log(z / (cost - z))
      }
      if (z === old) continue
      if (isFirst) [alpha[i], rest[i]] = [z, cost - z]
      else [rest[i], alpha[i]] = [z, cost - z]
      add(row, sign * (z - old) * y)
    }
    if (largest < tolerance) break
  }
  return weights
}

/** w·x of one row. */
export function dot(rows: SparseRows, row: number, weights: Float64Array): number {
  let sum = 0
  for (let k = rows.starts[row]!; k < rows.starts[row + 1]!; k++) sum += weights[rows.columns[k]!]! * rows.values[k]!
  return sum
}

/** Rows from lists of [column, value], each with an intercept in a last column of its own. */
export function sparseRows(lists: readonly (readonly (readonly [number, number])[])[], columnCount: number): SparseRows {
  const total = lists.reduce((sum, list) => sum + list.length + 1, 0)
  const rows: SparseRows = { rowCount: lists.length, columnCount: columnCount + 1, starts: new Uint32Array(lists.length + 1), columns: new Uint32Array(total), values: new Float32Array(total) }
  let at = 0
  lists.forEach((list, i) => {
    for (const [column, value] of [...list, [columnCount, 1] as const]) {
      rows.columns[at] = column
      rows.values[at++] = value
    }
    rows.starts[i + 1] = at
  })
  return rows
}
