/** Judging a column of values by its first cells. */

interface Column { samples: readonly string[] }

/** What the importer reads as a number: a decimal point or comma, an exponent. */
export function isNumberCell(cell: string): boolean {
  return /^[+-]?\d+(?:[.,]\d+)?(?:e[+-]?\d+)?$/iu.test(cell)
}

/** Numbers when most cells are; a code of few values such as 0 and 1 is a number too, which a yes/no column may well be. */
export function kindOfColumn({ samples }: Column): 'number' | 'category' {
  const numbers = samples.filter(isNumberCell).length
  return samples.length > 0 && numbers * 2 > samples.length ? 'number' : 'category'
}
