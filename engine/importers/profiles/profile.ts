import type { Mapping } from '../../domain/mapping.ts'
import type { DateColumn } from '../../domain/visit-dates.ts'

/** What a profile may look at to recognise a table. */
export interface TableFacts {
  rowCount: number
  columns: readonly ColumnFacts[]
  imageFileSamples: readonly string[]
}

export interface ColumnFacts {
  name: string
  blankCount: number
  distinctCount: number
  /** First distinct non-blank cells. */
  samples: readonly string[]
  /** How its cells read as dates; absent where most do not. */
  dates?: DateColumn | undefined
}

export interface Suggestion {
  mapping: Mapping
  /** True when the layout is a known one, false when it is a guess to be checked. */
  isRecognised: boolean
  /** One or two sentences for the user. */
  explanation: string
}

/** Recognises one known layout by its columns; null when the table is something else. */
export type Profile = (facts: TableFacts) => Suggestion | null

/** A column title reduced to its letters and digits in lower case: "Left-Fundus " -> "leftfundus". */
export function foldTitle(title: string): string {
  return title.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '')
}

/** Finds the table's own name of the first column that has one of these folded titles. */
export function createTitleFinder(facts: TableFacts): (...titles: string[]) => string | null {
  const names = new Map<string, string>()
  for (const { name } of facts.columns) {
    const folded = foldTitle(name)
    if (!names.has(folded)) names.set(folded, name)
  }
  return (...titles) => {
    for (const title of titles) {
      const name = names.get(title)
      if (name !== undefined) return name
    }
    return null
  }
}
