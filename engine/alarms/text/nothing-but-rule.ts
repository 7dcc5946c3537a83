import type { Document } from './terms.ts'

/** Words that can be listed in a rule that a person still reads. */
const maxWords = 60
/** A positive text that loses its last telling phrase costs as much as this many phrases explained. */
const lossWeight = 3

/**
 * "Names something other than ...": words of which every phrase of the negative texts holds at least one, while each positive text keeps
 * a phrase without any. Greedy set cover over phrases (Chvátal 1979, Math. Oper. Res. 4:233-235). It finds labels such as "other" or, the
 * other way round, "normal", which no list of words could spell out.
 * @param isPositive 1 or 0 of each document; 2 leaves it out
 */
export function learnNothingBut(documents: readonly Document[], isPositive: Uint8Array): string[] {
  // Distinct phrases with the number of negative texts that hold them; each positive text as its distinct phrases.
  const phrases = new Map<string, { words: Set<string>; negatives: number }>()
  const positiveTexts: Set<string>[] = []
  documents.forEach((clauses, index) => {
    if (clauses === null || isPositive[index] === 2) return
    const own = new Set<string>()
    for (const words of clauses) {
      const key = words.join(' ')
      if (own.has(key)) continue
      own.add(key)
      const entry = phrases.get(key) ?? phrases.set(key, { words: new Set(words), negatives: 0 }).get(key)!
      if (isPositive[index] === 0) entry.negatives++
    }
    if (isPositive[index] === 1) positiveTexts.push(own)
  })
  const words: string[] = []
  const open = new Map(phrases)
  while (words.length < maxWords) {
    const gains = new Map<string, number>()
    for (const { words: inside, negatives } of open.values()) {
      if (negatives > 0) for (const word of inside) gains.set(word, (gains.get(word) ?? 0) + negatives)
    }
    for (const own of positiveTexts) {
      const left = [...own].filter((key) => open.has(key)).map((key) => open.get(key)!.words)
      if (left.length === 0) continue
      for (const word of left.reduce((shared, next) => new Set([...shared].filter((word) => next.has(word))))) if (gains.has(word)) gains.set(word, gains.get(word)! - lossWeight)
    }
    const [best, gain] = [...gains].reduce<[string, number]>((first, next) => (next[1] > first[1] || (next[1] === first[1] && next[0] < first[0]) ? next : first), ['', 0])
    if (gain <= 0) break
    words.push(best)
    for (const [key, phrase] of open) if (phrase.words.has(best)) open.delete(key)
  }
  return words
}

/** Which documents have a phrase without any of the words. */
export function takenBySomethingElse(words: readonly string[], documents: readonly Document[]): Uint8Array {
  const known = new Set(words)
  return Uint8Array.from(documents, (clauses) => (clauses?.some((clause) => !clause.some((word) => known.has(word))) === true ? 1 : 0))
}
