import { clausesOf } from '../../domain/words.ts'
import { sparseRows, type SparseRows } from '../probe/logistic.ts'

/** The texts of one slot as words by clause; null where a study has no text. */
export type Document = string[][] | null

/** A word, a phrase of two, or either of them twice in one text, with the documents that hold it. */
export interface Term { term: string; isTwice: boolean; documents: number[] }

export function documentsOf(texts: readonly (string | null)[]): Document[] {
  return texts.map((text) => (text === null ? null : clausesOf(text)))
}

/** A term as it is written in a rule. */
export function nameOf({ term, isTwice }: Pick<Term, 'term' | 'isTwice'>): string {
  return isTwice ? `"${term}" twice` : `"${term}"`
}

/** Terms held by at least `minimum` documents, the most frequent first, at most `most`. */
export function collectTerms(documents: readonly Document[], minimum: number, most: number): Term[] {
  const holders = new Map<string, { once: number[]; twice: number[] }>()
  documents.forEach((clauses, index) => {
    if (clauses === null) return
    const counts = new Map<string, number>()
    for (const clause of clauses) {
      clause.forEach((word, at) => {
        counts.set(word, (counts.get(word) ?? 0) + 1)
        if (at > 0) counts.set(`${clause[at - 1]} ${word}`, (counts.get(`${clause[at - 1]} ${word}`) ?? 0) + 1)
      })
    }
    for (const [term, count] of counts) {
      const held = holders.get(term) ?? holders.set(term, { once: [], twice: [] }).get(term)!
      held.once.push(index)
      if (count > 1) held.twice.push(index)
    }
  })
  const terms: Term[] = []
  for (const [term, { once, twice }] of holders) {
    if (once.length >= minimum) terms.push({ term, isTwice: false, documents: once })
    if (twice.length >= minimum) terms.push({ term, isTwice: true, documents: twice })
  }
  return terms.sort((a, b) => b.documents.length - a.documents.length || (a.term < b.term ? -1 : 1)).slice(0, most)
}

/** Steps of the logarithm of a text's length: a model reads how long a text is, so the probe does too. */
const lengthBins = 12

/**
 * Bag of words and phrases, each row scaled to length 1, with the text's length in steps; an absent text is an empty row.
 * Column c is term c, the length steps follow, the intercept is last.
 */
export function textRows(documents: readonly Document[], terms: readonly Term[]): SparseRows {
  const lists = documents.map((): [number, number][] => [])
  terms.forEach(({ documents: holders }, column) => holders.forEach((index) => lists[index]!.push([column, 1])))
  return sparseRows(lists.map((list, index) => {
    const norm = Math.sqrt(list.length) || 1
    const scaled = list.map(([column, value]): [number, number] => [column, value / norm])
    const length = documents[index]?.reduce((sum, clause) => sum + clause.length, 0)
    return length === undefined ? scaled : [...scaled, [terms.length + Math.min(lengthBins - 1, Math.floor(Math.log2(length + 1))), 0.5]]
  }), terms.length + lengthBins)
}
