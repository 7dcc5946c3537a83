/** Words as the search for telling words and the masks both see them: one place, or a word that is found could not be masked. */

export interface Word {
  /** Lower case. */
  word: string
  /** Places in the text, the end exclusive. */
  from: number
  to: number
}

/** Chinese and Japanese signs count one by one. */
const wordPattern = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]|[\p{L}\p{N}]+/gu

/** A phrase never crosses a full stop, a comma or the like. */
export const clauseEnd = /[.,;:!?()[\]\n\uFF0C\u3001\u3002\uFF1B\uFF1A|/]/u

export function wordsOf(text: string): Word[] {
  return Array.from(text.matchAll(wordPattern), (match) => ({ word: match[0].toLowerCase(), from: match.index, to: match.index + match[0].length }))
}

/** Words by clause, lower case. */
export function clausesOf(text: string): string[][] {
  const clauses: string[][] = []
  let end = 0
  for (const { word, from, to } of wordsOf(text)) {
    if (clauses.length === 0 || clauseEnd.test(text.slice(end, from))) clauses.push([word])
    else clauses.at(-1)!.push(word)
    end = to
  }
  return clauses
}
