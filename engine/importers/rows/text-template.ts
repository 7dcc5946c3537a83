import { isBlankCell } from '../ids.ts'
import type { ColumnLookup } from './mapped-columns.ts'
import { parseAge, parseSex } from './demographics.ts'

const placeholder = /\{([^{}]+)\}/g

/** Column names in braces, in order. */
export function templateColumns(template: string): string[] {
  return [...template.matchAll(placeholder)].map((match) => match[1]!)
}

type Piece = string | { position: number; render: (cell: string) => string }

/**
 * Compiles a text template such as "{Age} year old {Sex}" to a function from row cells to the text, or null when every cell
 * it names is blank. A sentence whose cells are all blank is left out, so that "Left eye: ." never reaches a model. The age
 * column is written as a plain number and the sex column as "female", "male" or "other" whatever its coding.
 * @throws AppError IMPORT_COLUMN_MISSING
 */
export function compileTemplate(template: string, lookup: ColumnLookup, attributes: { age: string | null; sex: string | null }): (cells: readonly string[]) => string | null {
  const agePosition = attributes.age === null ? -1 : lookup(attributes.age)
  const sexPosition = attributes.sex === null ? -1 : lookup(attributes.sex)
  const renderFor = (position: number): ((cell: string) => string) => {
    if (position === agePosition) return (cell) => String(parseAge(cell).ageYears ?? cell)
    if (position === sexPosition) return (cell) => parseSex(cell) ?? cell
    return (cell) => cell
  }
  const sentences = splitSentences(template).map((sentence) => {
    const pieces: Piece[] = []
    let end = 0
    for (const match of sentence.matchAll(placeholder)) {
      const position = lookup(match[1]!)
      pieces.push(sentence.slice(end, match.index), { position, render: renderFor(position) })
      end = match.index + match[0].length
    }
    pieces.push(sentence.slice(end))
    return pieces
  })
  return (cells) => {
    let hasValue = false
    let text = ''
    for (const pieces of sentences) {
      let hasSlot = false
      let isFilled = false
      let sentence = ''
      for (const piece of pieces) {
        if (typeof piece === 'string') {
          sentence += piece
          continue
        }
        hasSlot = true
        const cell = cells[piece.position] ?? ''
        if (isBlankCell(cell)) continue
        isFilled = true
        sentence += piece.render(cell)
      }
      if (isFilled) hasValue = true
      if (!hasSlot || isFilled) text += sentence
    }
    return hasValue ? text.replace(/[^\S\n]{2,}/gu, ' ').trim() : null
  }
}

/** Pieces that end after a full stop, semicolon or line break outside braces; joined they give the template again. */
function splitSentences(template: string): string[] {
  const sentences: string[] = []
  let start = 0
  let isInBraces = false
  for (let i = 0; i < template.length; i++) {
    const char = template[i]!
    if (char === '{') isInBraces = true
    else if (char === '}') isInBraces = false
    else if (!isInBraces && (char === '\n' || ((char === '.' || char === ';') && /\s/.test(template[i + 1] ?? '')))) {
      const end = char === '\n' ? i + 1 : i + 2
      sentences.push(template.slice(start, end))
      start = end
    }
  }
  sentences.push(template.slice(start))
  return sentences.filter((sentence) => sentence !== '')
}
