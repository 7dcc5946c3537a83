import { bitsOf, countBoth, removeBits, type Bits } from './bits.ts'
import { nameOf, type Term } from './terms.ts'

/** One line of a rule: the text holds a term, and perhaps lacks or holds a second one. */
export interface RuleLine {
  has: Term
  second: { term: Term; isWanted: boolean } | null
}

/** A line must be right this often among the studies that it newly takes. */
const minimumPrecision = 0.85
const minimumStudies = 2
const maxLines = 40
/** Only the best single terms are tried with a second one. */
const refinedTerms = 6
const secondTerms = 300

/**
 * "Contains A, or B without C, or ...": lines that together take the positives, by sequential covering (Fürnkranz 1999, AI Review 13:3-54)
 * with the gain of FOIL (Quinlan 1990, Machine Learning 5:239-266).
 * @param isPositive 1 or 0 of each document; 2 leaves it out
 */
export function learnAnyOf(terms: readonly Term[], isPositive: Uint8Array): RuleLine[] {
  const n = isPositive.length
  const positives = bitsOf(n, (i) => isPositive[i] === 1)
  const negatives = bitsOf(n, (i) => isPositive[i] === 0)
  const held = terms.map(({ documents }) => {
    const inside = new Uint8Array(n)
    for (const index of documents) inside[index] = 1
    return bitsOf(n, (i) => inside[i] === 1)
  })
  const baseRate = Math.log2(countBoth(positives, positives) / Math.max(1, countBoth(positives, positives) + countBoth(negatives, negatives)))
  const gainOf = (p: number, q: number) => (p < minimumStudies ? -Infinity : p * (Math.log2((p + 0.5) / (p + q + 1)) - baseRate))
  const lines: RuleLine[] = []
  while (lines.length < maxLines) {
    const singles = held.map((bits, t) => ({ t, p: countBoth(bits, positives), q: countBoth(bits, negatives) })).filter(({ p }) => p >= minimumStudies)
      .map((entry) => ({ ...entry, gain: gainOf(entry.p, entry.q) })).sort((a, b) => b.gain - a.gain || a.t - b.t).slice(0, refinedTerms)
    let best: { line: RuleLine; bits: Bits; p: number; q: number; gain: number } | null = null
    for (const { t, p, q, gain } of singles) {
      const consider = (line: RuleLine, bits: Bits, p2: number, q2: number, by: number) => {
        if (p2 / (p2 + q2) >= minimumPrecision && (best === null || by > best.gain)) best = { line, bits, p: p2, q: q2, gain: by }
      }
      consider({ has: terms[t]!, second: null }, held[t]!, p, q, gain)
      if (q === 0) continue
      for (let u = 0; u < Math.min(terms.length, secondTerms); u++) {
        for (const isWanted of [true, false]) {
          const bits = held[t]!.map((word, k) => (isWanted ? word & held[u]![k]! : word & ~held[u]![k]!) >>> 0)
          const [p2, q2] = [countBoth(bits, positives), countBoth(bits, negatives)]
          // A second term must earn its place: a rule is read by people.
          consider({ has: terms[t]!, second: { term: terms[u]!, isWanted } }, bits, p2, q2, gainOf(p2, q2) * 0.95)
        }
      }
    }
    if (best === null) break
    const { line, bits } = best as { line: RuleLine; bits: Bits }
    lines.push(line)
    removeBits(positives, bits)
    removeBits(negatives, bits)
    if (positives.every((word) => word === 0)) break
  }
  return lines
}

/** Which documents the lines take. */
export function takenByLines(lines: readonly RuleLine[], terms: ReadonlyMap<string, ReadonlySet<number>>, documentCount: number): Uint8Array {
  const keyOf = (term: Term) => nameOf(term)
  const taken = new Uint8Array(documentCount)
  for (const { has, second } of lines) {
    const other = second === null ? null : terms.get(keyOf(second.term))
    for (const index of terms.get(keyOf(has)) ?? []) if (second === null || (other?.has(index) === true) === second.isWanted) taken[index] = 1
  }
  return taken
}

export function lineInWords({ has, second }: RuleLine): string {
  return second === null ? nameOf(has) : `${nameOf(has)} ${second.isWanted ? 'and' : 'without'} ${nameOf(second.term)}`
}
