/**
 * Is the absence of an item random? One test for each slot and each fact about the patients.
 *
 * A patient counts once, with the share of its studies that lack the slot: several studies of one person are not independent. Where all
 * shares are 0 or 1 (one study each), two groups are compared by Fisher's exact test and more by chi-square, or by permutation where a cell
 * expects fewer than five; ages by Mann-Whitney. Other shares are compared by ranks: Mann-Whitney, Kruskal-Wallis, Spearman. Ranks are
 * permuted instead where a group, or those who lack the item, are fewer than twenty: many ties make the approximations too sure. The p-values
 * of all tests of a cohort are adjusted together (Holm 1979), since with a dozen labels one in two cohorts would show "p < 0.05" by chance.
 * What no column holds cannot be tested: "no sign" is not "at random" (Rubin 1976).
 */
import type { Factor, MissingnessTest } from '../domain/fingerprint.ts'
import { chiSquareTest, fisherExact, kruskalWallis } from '../evaluation/comparison/contingency.ts'
import { mannWhitney, spearman } from '../evaluation/comparison/hypothesis-tests.ts'
import { holm } from '../evaluation/comparison/multiplicity.ts'
import { averageRanks } from '../evaluation/comparison/ranks.ts'
import { describeTest } from './words.ts'

/** Smaller groups say nothing about a share; nor do tests on fewer patients with, or without, the item. */
export const minGroupPatients = 5
export const notableBelow = 0.05
const permutations = 10_000
const minExpected = 5
const minForRanks = 20

/** A fact about patients; `values[p]` is null where it is not known. Numbers are ages in years. */
export interface PatientFact { factor: Factor; values: readonly (string | number | null)[] }

export interface SlotAbsence {
  slotId: string
  title: string
  /** Share of the patient's studies that lack the slot, 0..1 [P]. */
  shares: Float64Array
}

type Outcome = Pick<MissingnessTest, 'test' | 'pValue' | 'reason' | 'groups'>

/** Every slot against every fact, adjusted together. `random` gives numbers in [0, 1) for permutations. */
export function testMissingness(slots: readonly SlotAbsence[], facts: readonly PatientFact[], random: () => number): MissingnessTest[] {
  const tests = slots.flatMap((slot) => facts.map((fact) => ({ slot, fact, outcome: testOne(slot.shares, fact, random) })))
  const done = tests.filter(({ outcome }) => outcome.pValue !== null)
  const adjusted = new Map(holm(done.map(({ outcome }) => outcome.pValue!)).map((value, i) => [done[i]!, value]))
  return tests.map((entry) => {
    const adjustedPValue = adjusted.get(entry) ?? null
    const test = { slotId: entry.slot.slotId, factor: entry.fact.factor, ...entry.outcome, adjustedPValue, isNotable: adjustedPValue !== null && adjustedPValue < notableBelow }
    return { ...test, sentence: describeTest(entry.slot.title, test, isWhole(entry.slot.shares)) }
  })
}

function testOne(allShares: Float64Array, { factor, values }: PatientFact, random: () => number): Outcome {
  const { known, groups } = groupsOf({ factor, values })
  const shares = Float64Array.from(known, (p) => allShares[p]!)
  const described = groups.map(({ name, members }) => ({ name, patients: members.length, lacking: members.filter((m) => shares[m]! > 0).length, share: meanOf(members.map((m) => shares[m]!)) }))
  const without = shares.filter((share) => share > 0).length
  const withSome = shares.filter((share) => share < 1).length
  const refuse = (reason: string): Outcome => ({ test: null, pValue: null, reason, groups: described })
  if (groups.length < 2) return refuse(factor.kind === 'label' ? `fewer than ${minGroupPatients} patients with or without the label` : `not two groups of ${minGroupPatients} patients`)
  if (without < minGroupPatients) return refuse(`only ${without} patients lack it`)
  if (withSome < minGroupPatients) return refuse(`only ${withSome} patients have it`)
  const perGroup = groups.map(({ members }) => Float64Array.from(members, (m) => shares[m]!))
  const outcome = factor.kind === 'age' ? testAges(known.map((p) => values[p] as number), shares, random) : isWhole(shares) ? testCounts(perGroup, random) : testShares(perGroup, without, random)
  return { test: outcome.pValue === null ? null : outcome.test, pValue: outcome.pValue, reason: outcome.reason ?? null, groups: described }
}

interface Tested { test: MissingnessTest['test']; pValue: number | null; reason?: string }

function testAges(ages: readonly number[], shares: Float64Array, random: () => number): Tested {
  if (!isWhole(shares)) return { test: 'spearman', ...spearman(ages, shares) }
  const [without, withIt] = [ages.filter((_, i) => shares[i] === 1), ages.filter((_, i) => shares[i] === 0)]
  if (Math.min(without.length, withIt.length) < minForRanks) return permuteRanks([without, withIt], random)
  return { test: 'mann-whitney', ...mannWhitney(without, withIt) }
}

function testShares(groups: readonly Float64Array[], without: number, random: () => number): Tested {
  if (Math.min(without, ...groups.map(({ length }) => length)) < minForRanks) return permuteRanks(groups, random)
  return groups.length === 2 ? { test: 'mann-whitney', ...mannWhitney(groups[0]!, groups[1]!) } : { test: 'kruskal-wallis', ...kruskalWallis(groups) }
}

function testCounts(groups: readonly Float64Array[], random: () => number): Tested {
  const table = groups.map((shares) => [shares.filter((share) => share === 1).length, shares.filter((share) => share === 0).length] as const)
  if (table.length === 2) return { test: 'fisher', ...fisherExact(table[0]![0], table[0]![1], table[1]![0], table[1]![1]) }
  const result = chiSquareTest(table)
  if (result.statistic === null || result.smallestExpected >= minExpected) return { test: 'chi-square', ...result }
  return { test: 'permutation', pValue: permute(table, result.statistic, random) }
}

/** Share of 10,000 tables, with the absent items dealt out anew, whose chi-square is at least as large; the table itself counts as one (Phipson and Smyth 2010). */
function permute(table: readonly (readonly [number, number])[], statistic: number, random: () => number): number {
  const sizes = table.map(([absent, present]) => absent + present)
  const groupOf = Uint16Array.from(sizes.flatMap((size, group) => new Array<number>(size).fill(group)))
  const absentCount = table.reduce((sum, [absent]) => sum + absent, 0)
  // The rarer of the two is dealt out; chi-square is the same.
  const dealt = Math.min(absentCount, groupOf.length - absentCount)
  let atLeast = 1
  for (let round = 0; round < permutations; round++) {
    const counts = new Array<number>(sizes.length).fill(0)
    for (let i = 0; i < dealt; i++) {
      const j = i + Math.floor(random() * (groupOf.length - i))
      const group = groupOf[j]!
      groupOf[j] = groupOf[i]!
      groupOf[i] = group
      counts[group]!++
    }
    const dealtTable = counts.map((own, group) => [own, sizes[group]! - own])
    if (chiSquareTest(dealtTable).statistic! >= statistic - 1e-9) atLeast++
  }
  return atLeast / (permutations + 1)
}

/** Kruskal and Wallis' statistic (of two groups: Mann and Whitney's) over 10,000 ways to deal the same ranks to groups of the same sizes. */
function permuteRanks(groups: readonly ArrayLike<number>[], random: () => number): Tested {
  const ordered = groups.toSorted((a, b) => a.length - b.length)
  const { ranks, tieSizes } = averageRanks(ordered.flatMap((group) => Array.from(group)))
  if (tieSizes.length === 1) return { test: 'permutation', pValue: null, reason: 'all values are equal' }
  const total = ranks.reduce((sum, rank) => sum + rank, 0)
  // The largest group is what the others leave.
  const statistic = (deal: (from: number, length: number) => number): number => {
    let [from, rest, sum] = [0, total, 0]
    for (const { length } of ordered.slice(0, -1)) {
      const own = deal(from, length)
      from += length
      rest -= own
      sum += own ** 2 / length
    }
    return sum + rest ** 2 / ordered.at(-1)!.length
  }
  const observed = statistic((from, length) => ranks.subarray(from, from + length).reduce((sum, rank) => sum + rank, 0))
  const drawn = ranks.slice()
  let atLeast = 1
  for (let round = 0; round < permutations; round++) {
    const dealt = statistic((from, length) => {
      let sum = 0
      for (let i = from; i < from + length; i++) {
        const j = i + Math.floor(random() * (drawn.length - i))
        const rank = drawn[j]!
        drawn[j] = drawn[i]!
        drawn[i] = rank
        sum += rank
      }
      return sum
    })
    if (dealt >= observed * (1 - 1e-12)) atLeast++
  }
  return { test: 'permutation', pValue: atLeast / (permutations + 1) }
}

interface Group { name: string; members: number[] }

/** The groups that a comparison by this fact is over. `members` are places in `known`, which holds the patients [P] whose fact is known. */
export function groupsOf({ factor, values }: PatientFact): { known: number[]; groups: Group[] } {
  const known = values.flatMap((value, p) => (value === null ? [] : [p]))
  return { known, groups: factor.kind === 'age' ? groupByAge(known.map((p) => values[p] as number)) : groupByName(known.map((p) => String(values[p])), factor) }
}

const otherPlaces = 'Other places'

/** Groups of at least five patients. Smaller places are put together, so that their patients still count. */
function groupByName(names: readonly string[], factor: Factor): Group[] {
  const groups = new Map<string, number[]>()
  names.forEach((name, m) => groups.set(name, [...groups.get(name) ?? [], m]))
  const entries = [...groups].map(([name, members]) => ({ name, members })).sort((a, b) => b.members.length - a.members.length || (a.name < b.name ? -1 : 1))
  const large = entries.filter(({ members }) => members.length >= minGroupPatients)
  const small = entries.filter(({ members }) => members.length < minGroupPatients).flatMap(({ members }) => members)
  if (factor.kind === 'site' && small.length >= minGroupPatients) large.push({ name: otherPlaces, members: small })
  // With the label first, then without.
  return factor.kind === 'label' ? large.sort((a, b) => (a.name > b.name ? -1 : 1)) : large
}

const ageBands: readonly [from: number, name: string][] = [[0, 'under 18'], [18, '18 to 39'], [40, '40 to 59'], [60, '60 to 74'], [75, '75 and over']]

function groupByAge(ages: readonly number[]): Group[] {
  const groups = ageBands.map(([, name]): Group => ({ name, members: [] }))
  ages.forEach((age, m) => groups[ageBands.findLastIndex(([from]) => age >= from)]!.members.push(m))
  return groups.filter(({ members }) => members.length >= minGroupPatients)
}

function isWhole(shares: Float64Array): boolean {
  return shares.every((share) => share === 0 || share === 1)
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
}
