/** Tried in this order; the full-width ones only help when no other separates anything. */
const separators = [',', ';', '\t', '|', '\uFF0C', '\uFF1B'] as const
const maxRecords = 60

/**
 * The character that separates the cells of a text table, judged on its beginning: the one under which most records have
 * as many cells as the header. Null when the table has a single column. `sep=;` in the first line decides by itself.
 */
export function detectSeparator(text: string): string | null {
  const declared = /^sep=(.)\r?\n/i.exec(text)
  if (declared?.[1]) return declared[1]
  let best: { separator: string; value: number } | null = null
  for (const separator of separators) {
    const counts = countCells(text, separator)
    const header = headerCellCount(counts)
    if (header < 2) continue
    const agreeing = counts.filter((count) => count === header).length / counts.length
    const value = agreeing * agreeing * Math.log2(1 + header)
    if (!best || value > best.value * 1.05) best = { separator, value }
  }
  return best?.separator ?? null
}

/** Cells of the first record, or of the one after a lone title line. */
function headerCellCount(counts: readonly number[]): number {
  const [first = 0, second = 0] = counts
  return first === 1 && second >= 3 ? second : first
}

/** Number of cells of each of the first records, quoted cells respected; empty lines left out. */
function countCells(text: string, separator: string): number[] {
  const counts: number[] = []
  let cells = 1
  let isQuoted = false
  let isCellStart = true
  let isEmpty = true
  for (let i = 0; i < text.length && counts.length < maxRecords; i++) {
    const char = text[i]!
    if (isQuoted) {
      if (char === '"') {
        if (text[i + 1] === '"') i++
        else isQuoted = false
      }
      continue
    }
    if (char === '\n' || char === '\r') {
      if (!isEmpty) counts.push(cells)
      cells = 1
      isCellStart = true
      isEmpty = true
      continue
    }
    isEmpty = false
    if (char === separator) {
      cells++
      isCellStart = true
    } else if (char === '"' && isCellStart) {
      isQuoted = true
      isCellStart = false
    } else if (char !== ' ') isCellStart = false
  }
  // The sample may be cut inside a record, so the last one counts only when it is the only one.
  if (counts.length === 0 && !isEmpty) counts.push(cells)
  return counts
}
