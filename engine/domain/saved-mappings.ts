import { z } from 'zod'
import { mappingSchema, type Mapping } from './mapping.ts'

/** Mappings kept under a name for the next delivery, and what is different in that delivery. */

/** The distinct values of the columns whose values a mapping relies on, with the rows that hold each; at most 200 of a column. */
export const mappedValuesSchema = z.object({
  columns: z.array(z.string()),
  values: z.array(z.object({ column: z.string(), isWhole: z.boolean(), values: z.array(z.object({ value: z.string(), rows: z.number().int() })) })),
})
export type MappedValues = z.infer<typeof mappedValuesSchema>

export const savedMappingContentSchema = z.object({
  mapping: mappingSchema,
  /** Titles of the table that the mapping was made for. */
  columns: z.array(z.string()),
  /** What stood in the columns of labels, views, sex and categories; null in a mapping that came as a file. */
  values: mappedValuesSchema.shape.values.nullable(),
})
export type SavedMappingContent = z.infer<typeof savedMappingContentSchema>

export const savedMappingSchema = z.object({
  mappingId: z.number().int(),
  name: z.string(),
  slotTitles: z.array(z.string()),
  columnCount: z.number().int(),
  createdAt: z.string(),
  usedAt: z.string().nullable(),
})
export type SavedMapping = z.infer<typeof savedMappingSchema>

/** The file that a mapping is handed on as. The user's own words are left out: they may be names. */
export const mappingFileSchema = z.object({
  lacunaMapping: z.literal(1),
  name: z.string().trim().min(1).max(120),
  columns: z.array(z.string()).default([]),
  mapping: mappingSchema,
})
export type MappingFile = z.infer<typeof mappingFileSchema>

export function toMappingFile(name: string, { mapping, columns }: SavedMappingContent): MappingFile {
  const { privacy, ...rest } = mapping
  return { lacunaMapping: 1, name, columns, mapping: { ...rest, ...(privacy ? { privacy: { ...privacy, words: [], shapes: [] } } : {}) } }
}

/** What is different in a table since a mapping was saved. */
export const recheckSchema = z.object({
  /** Columns that the mapping reads and the table has not; `likely`: a column of the table that is probably the same one. */
  gone: z.array(z.object({ column: z.string(), likely: z.string().nullable() })),
  /** Columns that the table has in addition; no reason not to go on. */
  added: z.array(z.string()),
  /** Values never seen before, in columns whose values mean something. */
  newValues: z.array(z.object({ column: z.string(), value: z.string(), rows: z.number().int() })),
  /** Values that stood in the earlier table and are in none of these rows. */
  absentValues: z.array(z.object({ column: z.string(), value: z.string() })),
})
export type Recheck = z.infer<typeof recheckSchema>

const templateColumns = (template: string): string[] => [...template.matchAll(/\{([^{}]+)\}/g)].map((match) => match[1]!)

/** Every column that a mapping reads from the table (and its second table), once. */
export function columnsOfMapping(mapping: Mapping): string[] {
  const { labels, rowUnit, attributes, patientIdColumn } = mapping
  const ofSlots = mapping.slots.flatMap(({ source }) => {
    if (source.kind === 'template') return templateColumns(source.template)
    if (source.kind === 'columns') return source.columns.map(({ column }) => column)
    if (source.kind === 'report-files') return source.columns
    if (source.kind === 'pattern') return []
    return [source.column, ...(source.view ? [source.view.column] : [])]
  })
  const ofLabels = labels.kind === 'one-hot' ? labels.columns.map(({ column }) => column) : 'column' in labels ? [labels.column] : []
  return [...new Set([patientIdColumn, ...(rowUnit.kind === 'study' ? [rowUnit.column] : []), ...ofSlots, ...ofLabels, ...[attributes.age, attributes.sex, attributes.site ?? null, mapping.dates?.study ?? null, mapping.dates?.birth ?? null].filter((name) => name !== null)])]
}

/** The columns of a mapping whose values it has to know: labels, views, sex, categories. */
export function valueColumnsOf(mapping: Mapping): string[] {
  const { labels, attributes } = mapping
  return [...new Set([
    ...(labels.kind === 'one-hot' ? labels.columns.map(({ column }) => column) : 'column' in labels ? [labels.column] : []),
    ...mapping.slots.flatMap(({ source }) => (source.kind === 'column' && source.view ? [source.view.column] : source.kind === 'columns' ? source.columns.filter(({ values }) => values === 'category').map(({ column }) => column) : [])),
    ...(attributes.sex === null ? [] : [attributes.sex]),
  ])]
}

/** The mapping with a column under its new title. */
export function renameColumn(mapping: Mapping, from: string, to: string): Mapping {
  const name = (column: string): string => (column === from ? to : column)
  const orNull = (column: string | null): string | null => (column === null ? null : name(column))
  return {
    ...mapping,
    patientIdColumn: name(mapping.patientIdColumn),
    rowUnit: mapping.rowUnit.kind === 'study' ? { ...mapping.rowUnit, column: name(mapping.rowUnit.column) } : mapping.rowUnit,
    slots: mapping.slots.map((mapped) => {
      const { source } = mapped
      if (source.kind === 'template') return { ...mapped, source: { ...source, template: source.template.replaceAll(`{${from}}`, `{${to}}`) } }
      if (source.kind === 'columns') return { ...mapped, source: { ...source, columns: source.columns.map((entry) => ({ ...entry, column: name(entry.column) })) } }
      if (source.kind === 'pattern') return mapped
      if (source.kind === 'report-files') return { ...mapped, source: { ...source, columns: source.columns.map(name) } }
      return { ...mapped, source: { ...source, column: name(source.column), view: source.view && { ...source.view, column: name(source.view.column) } } }
    }) as Mapping['slots'],
    labels: mapping.labels.kind === 'one-hot'
      ? { ...mapping.labels, columns: mapping.labels.columns.map((entry) => ({ ...entry, column: name(entry.column) })) }
      : 'column' in mapping.labels ? { ...mapping.labels, column: name(mapping.labels.column) } : mapping.labels,
    attributes: { ...mapping.attributes, age: orNull(mapping.attributes.age), sex: orNull(mapping.attributes.sex), ...(mapping.attributes.site == null ? {} : { site: name(mapping.attributes.site) }) },
    ...(mapping.dates ? { dates: { ...mapping.dates, study: orNull(mapping.dates.study), birth: orNull(mapping.dates.birth) } } : {}),
  }
}

/** Compares what a mapping was made for with a table as it is now. `now` was read under the mapping as saved. */
export function recheckMapping({ mapping, columns, values }: SavedMappingContent, now: MappedValues): Recheck {
  const present = new Set(now.columns)
  const known = new Set(columns)
  const added = now.columns.filter((column) => !known.has(column))
  const gone = columnsOfMapping(mapping).filter((column) => !present.has(column)).map((column) => ({ column, likely: likeliest(column, columns.length === 0 ? now.columns : added) }))
  const newValues: Recheck['newValues'] = []
  const absentValues: Recheck['absentValues'] = []
  for (const before of values ?? []) {
    const found = now.values.find(({ column }) => column === before.column)
    if (found === undefined) continue
    const fold = (value: string): string => value.trim().toLowerCase()
    const had = new Set(before.values.map(({ value }) => fold(value)))
    const has = new Set(found.values.map(({ value }) => fold(value)))
    // A list that was cut off says nothing of the values beyond its end.
    if (before.isWhole) newValues.push(...found.values.filter(({ value }) => !had.has(fold(value))).map(({ value, rows }) => ({ column: before.column, value, rows })))
    if (found.isWhole) absentValues.push(...before.values.filter(({ value }) => !has.has(fold(value))).map(({ value }) => ({ column: before.column, value })))
  }
  return { gone, added, newValues, absentValues }
}

/** Titles without case, blanks and signs; the nearest of the others when it is near enough to be the same one written anew. */
function likeliest(column: string, others: readonly string[]): string | null {
  const plain = (title: string): string => title.normalize('NFKC').toLowerCase().replace(/[^\p{L}\p{N}]/gu, '')
  const wanted = plain(column)
  const scored = others.map((other) => ({ other, distance: plain(other) === wanted ? 0 : editDistance(plain(other), wanted) })).sort((a, b) => a.distance - b.distance)
  const best = scored[0]
  if (best === undefined || wanted === '') return null
  const isPart = plain(best.other).includes(wanted) || wanted.includes(plain(best.other))
  return best.distance <= Math.max(1, Math.floor(wanted.length / 4)) || (isPart && plain(best.other).length >= 3) ? best.other : null
}

/** Levenshtein 1966: insertions, deletions and substitutions that turn one text into the other. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    row = next
  }
  return row[b.length]!
}
