/** Comparing plain numbers with a reference file that came from JSON. */
import type { GoldenReport } from './report.ts'

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
export type JsonObject = { [key: string]: Json }

/** Narrowing for a file whose form is known; throws TypeError naming what was expected where. */
export function asObject(value: Json | undefined, where: string): JsonObject {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw new TypeError(`${where} is not an object.`)
  return value
}

export function asArray(value: Json | undefined, where: string): Json[] {
  if (!Array.isArray(value)) throw new TypeError(`${where} is not a list.`)
  return value
}

export function asNumbers(value: Json | undefined, where: string): number[] {
  return asArray(value, where).map((entry) => {
    if (typeof entry !== 'number') throw new TypeError(`${where} holds something that is not a number.`)
    return entry
  })
}

export function asRows(value: Json | undefined, where: string): number[][] {
  return asArray(value, where).map((row) => asNumbers(row, where))
}

/**
 * Largest difference |a - b| / max(1, |b|) over two structures of the same form; Infinity when forms differ
 * or when only one side is null ("not estimable" must agree exactly).
 */
export function largestDifference(ours: unknown, reference: Json | undefined): number {
  if (reference === null || ours === null || reference === undefined || ours === undefined) {
    return reference === null && ours === null ? 0 : Infinity
  }
  if (typeof reference === 'number') {
    if (typeof ours !== 'number' || Number.isNaN(ours)) return Infinity
    return Math.abs(ours - reference) / Math.max(1, Math.abs(reference))
  }
  if (Array.isArray(reference)) {
    if (!Array.isArray(ours) || ours.length !== reference.length) return Infinity
    return reference.reduce<number>((worst, entry, i) => Math.max(worst, largestDifference(ours[i], entry)), 0)
  }
  return ours === reference ? 0 : Infinity
}

/** As `largestDifference`, relative to the reference also for small numbers: for tail probabilities. */
export function relativeDifference(ours: unknown, reference: Json | undefined): number {
  if (typeof ours !== 'number' || typeof reference !== 'number' || reference === 0) return largestDifference(ours, reference)
  return Math.abs(ours - reference) / Math.abs(reference)
}

/**
 * Checks every key of one reference object against ours: a line for each miss and one for all that agree. Keys that we
 * do not know are listed, keys in `informative` are passed over on purpose.
 */
export function checkKeys(
  report: GoldenReport,
  caseName: string,
  ours: Record<string, unknown>,
  reference: JsonObject,
  bound: number,
  settings: { informative?: readonly string[]; difference?: (ours: unknown, reference: Json | undefined) => number } = {},
): void {
  const difference = settings.difference ?? largestDifference
  let worst = 0
  let goodCount = 0
  for (const [key, expected] of Object.entries(reference)) {
    if (settings.informative?.includes(key)) continue
    if (!(key in ours)) {
      report.notChecked(`${caseName}.${key}`)
      continue
    }
    const error = difference(ours[key], expected)
    if (!(error <= bound)) {
      report.check(`${caseName}.${key}`, error, bound)
      continue
    }
    goodCount += 1
    worst = Math.max(worst, error)
  }
  if (goodCount > 0) report.check(`${caseName} (${goodCount} values)`, worst, bound)
}
