/**
 * Tabular values as a vector of fixed length. Numbers are standardised by the training patients' mean and spread, categories take one place
 * each, a blank cell and a category never seen in training each have a place of their own. Every place has a fixed random direction
 * of unit length that follows from its name (a random projection: Johnson and Lindenstrauss 1984), so the vector's length depends neither on how
 * many columns there are nor on which categories a fold happens to hold, and the same value means the same in every fold.
 */
import { z } from 'zod'
import { createRng } from '../compute/rng.ts'
import type { TabularValues } from '../domain/tabular.ts'

/** Length of the vector of one table. */
export const TABULAR_WIDTH = 64
/** Part of what the vector means; another seed would be another model. */
const directionSeed = 20240817
/** Rarer categories than these share the place of the unseen ones. */
const maxCategories = 60
/** A slip of a decimal point must not outweigh everything else. */
const largestDeviation = 5

const columnStatisticsSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('number'), column: z.string(), mean: z.number(), deviation: z.number() }),
  z.object({ kind: z.literal('category'), column: z.string(), categories: z.array(z.string()) }),
])
/** What is counted on the training patients of a fold, by slot; kept in the checkpoint. */
export const tabularStatisticsSchema = z.record(z.string(), z.array(columnStatisticsSchema))
export type TabularStatistics = z.infer<typeof tabularStatisticsSchema>
type ColumnStatistics = z.infer<typeof columnStatisticsSchema>

/** Mean and spread of each number column and the categories of the others, most frequent first; a column without any value is left out. */
export function fitTabular(rows: readonly TabularValues[]): ColumnStatistics[] {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))].sort()
  return columns.flatMap((column): ColumnStatistics[] => {
    const known = rows.map((row) => row[column] ?? null).filter((value) => value !== null)
    if (known.length === 0) return []
    const numbers = known.filter((value) => typeof value === 'number')
    if (numbers.length === known.length) {
      const mean = numbers.reduce((sum, value) => sum + value, 0) / numbers.length
      const variance = numbers.reduce((sum, value) => sum + (value - mean) ** 2, 0) / numbers.length
      return [{ kind: 'number', column, mean, deviation: Math.sqrt(variance) }]
    }
    const counts = new Map<string, number>()
    for (const value of known) counts.set(String(value), (counts.get(String(value)) ?? 0) + 1)
    const byCount = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, maxCategories)
    return [{ kind: 'category', column, categories: byCount.map(([category]) => category) }]
  })
}

/** The vector of one table, [TABULAR_WIDTH]; about unit length for an unremarkable patient, whatever the number of columns. */
export function encodeTabular(values: TabularValues, statistics: readonly ColumnStatistics[]): Float32Array {
  const vector = new Float32Array(TABULAR_WIDTH)
  const scale = 1 / Math.sqrt(Math.max(1, statistics.length))
  for (const column of statistics) {
    const { place, amount } = placeOf(column, values[column.column] ?? null)
    directionOf(`${column.column}\u001f${place}`).forEach((value, i) => { vector[i] = vector[i]! + value * amount * scale })
  }
  return vector
}

function placeOf(column: ColumnStatistics, value: number | string | null): { place: string; amount: number } {
  if (value === null) return { place: 'missing', amount: 1 }
  if (column.kind === 'category') return { place: column.categories.includes(String(value)) ? `is ${String(value)}` : 'unseen', amount: 1 }
  // A column of numbers that suddenly holds a word, in another cohort, is not a number we know.
  if (typeof value !== 'number') return { place: 'unseen', amount: 1 }
  const deviations = column.deviation === 0 ? 0 : (value - column.mean) / column.deviation
  return { place: 'value', amount: Math.max(-largestDeviation, Math.min(largestDeviation, deviations)) }
}

const directions = new Map<string, Float32Array>()

function directionOf(name: string): Float32Array {
  let direction = directions.get(name)
  if (direction === undefined) {
    const random = createRng(directionSeed).fork(name)
    const drawn = Float64Array.from({ length: TABULAR_WIDTH }, () => random.normal())
    const norm = Math.hypot(...drawn)
    directions.set(name, (direction = Float32Array.from(drawn, (value) => value / norm)))
  }
  return direction
}
