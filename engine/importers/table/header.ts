import { cleanCell } from '../ids.ts'

/** A column title as it is compared and shown: cleaned, inner runs of blanks and line breaks made one blank. */
export function normaliseColumnName(name: string): string {
  return cleanCell(name).replace(/\s+/gu, ' ')
}

export interface Header {
  columns: string[]
  /** What had to be repaired, naming columns by position. */
  repairs: string[]
}

/** Usable, unique column names from the cells of a header row: empty ones become "Column 7", repeated ones "Age (2)". */
export function readHeader(cells: readonly string[]): Header {
  const columns: string[] = []
  const repairs: string[] = []
  const taken = new Set(cells.map(normaliseColumnName))
  const used = new Set<string>()
  for (const [index, cell] of cells.entries()) {
    const plain = normaliseColumnName(cell).slice(0, 300)
    let name = plain
    if (name === '') {
      name = uniqueName(`Column ${index + 1}`, taken)
      repairs.push(`Column ${index + 1} has no title; it is called "${name}".`)
    } else if (used.has(name)) {
      name = uniqueName(plain, taken)
      repairs.push(`Column ${index + 1} repeats the title "${plain}"; it is called "${name}".`)
    } else if (plain !== cell) {
      repairs.push(`Column ${index + 1}: blanks around or hidden characters in the title "${plain}" were removed.`)
    }
    used.add(name)
    taken.add(name)
    columns.push(name)
  }
  return { columns, repairs }
}

function uniqueName(base: string, taken: ReadonlySet<string>): string {
  if (!taken.has(base)) return base
  for (let number = 2; ; number++) if (!taken.has(`${base} (${number})`)) return `${base} (${number})`
}

/**
 * Index of the header among the first records: the first one with a cell, or the next when that one is a lone title
 * over a wider table. -1 when all are blank.
 */
export function findHeader(records: readonly (readonly string[])[]): number {
  const filled = records.map((cells) => cells.filter((cell) => cleanCell(cell) !== '').length)
  const first = filled.findIndex((count) => count > 0)
  if (first < 0 || filled[first]! > 1) return first
  const next = filled.findIndex((count, index) => index > first && count > 0)
  return next > 0 && filled[next]! >= 3 ? next : first
}
