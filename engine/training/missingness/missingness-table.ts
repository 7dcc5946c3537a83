/**
 * Draws a missingness table (see domain/missingness.ts): which pattern every study is shown with. Chances follow a logistic model of a
 * standardised driver whose intercept is set so that the mean chance over the studies that have the target is the wanted rate; losses of several
 * targets are tied by a Gaussian copula. Every study takes the same number of draws whatever its data, so changing one loss of a table
 * leaves the draws of the others where they were.
 */
import type { RandomSource } from '../../compute/random-source.ts'
import type { Loss, LossDriver, LossTarget, MissingnessTable } from '../../domain/missingness.ts'
import { patternKey, slotIdsOfPattern, type Slot } from '../../domain/slots.ts'
import { normalUpperTail } from '../../evaluation/comparison/distributions.ts'

/** One study as a table sees it. */
export interface MissingnessCase {
  /** Natural pattern; never empty. */
  pattern: string
  /** What a loss depends on: a number, a category, or null where it is not known (treated as average). */
  valueOf: (driver: LossDriver, target: LossTarget) => number | string | null
}

export interface DrawnTable {
  /** The pattern each study is shown with. */
  patterns: string[]
  /** Indices of the studies that lost everything in the draw and got one target back. */
  restored: readonly number[]
}

/** The slots of a target. */
export function slotsOfTarget(slots: readonly Slot[], target: LossTarget): string[] {
  return slots.filter((slot) => (target.kind === 'slot' ? slot.slotId === target.slotId : slot.modality === target.modality)).map((slot) => slot.slotId)
}

export function drawTable(slots: readonly Slot[], cases: readonly MissingnessCase[], table: MissingnessTable, random: RandomSource): DrawnTable {
  const { losses } = table
  const targets = losses.map((loss) => new Set(slotsOfTarget(slots, loss.target)))
  const chances = losses.map((loss, t) => chancesOf(loss, targets[t]!, cases))
  const restored: number[] = []
  const patterns = cases.map(({ pattern }, i) => {
    const lost = table.exclusive ? drawExclusive(chances.map((chance) => chance[i]!), random) : drawTogether(chances.map((chance) => chance[i]!), table.correlation, random)
    const choice = random.uniform()
    const present = slotIdsOfPattern(pattern)
    const hidden = losses.map((_, t) => lost[t]! && present.some((slotId) => targets[t]!.has(slotId)))
    const shownWith = (isHidden: readonly boolean[]) => patternKey(slots, (slotId) => present.includes(slotId) && !isHidden.some((flag, t) => flag && targets[t]!.has(slotId)))
    const shown = shownWith(hidden)
    if (shown !== '') return shown
    // "All missing" never occurs: one of the lost targets, drawn like everything else, is there after all.
    restored.push(i)
    const gone = hidden.flatMap((flag, t) => (flag ? [t] : []))
    const back = targets[gone[Math.floor(choice * gone.length)]!]!
    return patternKey(slots, (slotId) => present.includes(slotId) && back.has(slotId))
  })
  return { patterns, restored }
}

/** Chance of a loss for each study; 0 where there is nothing to lose. */
function chancesOf(loss: Loss, target: ReadonlySet<string>, cases: readonly MissingnessCase[]): number[] {
  const has = cases.map(({ pattern }) => slotIdsOfPattern(pattern).some((slotId) => target.has(slotId)))
  const { mechanism, rate } = loss
  if (mechanism.kind === 'mcar' || rate === 0 || rate === 1) return has.map((isThere) => (isThere ? rate : 0))
  const z = standardise(cases.map(({ valueOf }, i) => (has[i] ? valueOf(mechanism.driver, loss.target) : null)))
  const chanceAt = (intercept: number, i: number) => 1 / (1 + Math.exp(-(intercept + mechanism.strength * z[i]!)))
  const eligible = has.flatMap((isThere, i) => (isThere ? [i] : []))
  if (eligible.length === 0) return has.map(() => 0)
  // The mean chance grows with the intercept, so bisection finds the one for the wanted rate; 60 halvings exhaust double precision.
  let [low, high] = [-200, 200]
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2
    const mean = eligible.reduce((sum, i) => sum + chanceAt(middle, i), 0) / eligible.length
    if (mean < rate) low = middle
    else high = middle
  }
  return has.map((isThere, i) => (isThere ? chanceAt((low + high) / 2, i) : 0))
}

/** Mean 0 and standard deviation 1 over the known values, 0 where unknown. A category counts as 1 where it is the most frequent one. */
function standardise(values: readonly (number | string | null)[]): number[] {
  const common = mostFrequent(values)
  const numbers = values.map((value) => (typeof value === 'string' ? Number(value === common) : value))
  const known = numbers.filter((value) => value !== null)
  const mean = known.reduce((sum, value) => sum + value, 0) / Math.max(known.length, 1)
  const deviation = Math.sqrt(known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(known.length, 1))
  return numbers.map((value) => (value === null || deviation === 0 ? 0 : (value - mean) / deviation))
}

/** The most frequent category, the first in the alphabet among equals; null without categories. */
export function mostFrequent(values: readonly (number | string | null)[]): string | null {
  const counts = new Map<string, number>()
  for (const value of values) if (typeof value === 'string') counts.set(value, (counts.get(value) ?? 0) + 1)
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0]?.[0] ?? null
}

function drawExclusive(chances: readonly number[], random: RandomSource): boolean[] {
  const draw = random.uniform()
  // Where a driver pushes the chances of one study over 1 together, they share what there is.
  const total = Math.max(1, chances.reduce((sum, chance) => sum + chance, 0))
  let reached = 0
  let isTaken = false
  return chances.map((chance) => {
    reached += chance / total
    const isLost = !isTaken && draw < reached
    isTaken ||= isLost
    return isLost
  })
}

/** Independent or correlated losses: target t is lost where a standard normal falls below the quantile of its chance. */
function drawTogether(chances: readonly number[], correlation: number, random: RandomSource): boolean[] {
  const shared = random.normal()
  const own = chances.map(() => random.normal())
  return chances.map((chance, t) => {
    const tendency = correlation >= 0 ? Math.sqrt(correlation) * shared + Math.sqrt(1 - correlation) * own[t]!
      : t === 0 ? shared : correlation * shared + Math.sqrt(1 - correlation ** 2) * own[t]!
    return normalUpperTail(-tendency) < chance
  })
}
