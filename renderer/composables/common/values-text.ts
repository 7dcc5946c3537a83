import { parseTabularItem } from '../../../engine/domain/tabular.ts'

/** The values of a tabular item for reading, one column on each line; a dash where the cell was blank. */
export function valuesText(item: string): string {
  return Object.entries(parseTabularItem(item)).map(([column, value]) => `${column}: ${value ?? '–'}`).join('\n')
}
