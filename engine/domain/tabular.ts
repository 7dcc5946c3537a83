/** The values of one tabular slot of one study, by column: a number, a category, or null where the cell was blank. */
export type TabularValues = Record<string, number | string | null>

/** An item's text as written by `formatTabularItem`. */
export function parseTabularItem(text: string): TabularValues {
  return JSON.parse(text) as TabularValues
}

/** One line of JSON with the columns in the order of the mapping: the same values give the same content hash. */
export function formatTabularItem(columns: readonly string[], values: TabularValues): string {
  return JSON.stringify(Object.fromEntries(columns.map((column) => [column, values[column] ?? null])))
}
