import { z } from 'zod'
import { frameChoiceSchema } from './frames.ts'
import { defaultPrivacy, privacyEdition, privacyOptionsSchema } from './privacy.ts'
import { reportLabelsSchema } from './report-labels.ts'
import { slotSchema } from './slots.ts'
import { mappedDatesSchema } from './visit-dates.ts'

const columnName = z.string().min(1).max(300)
/** Absent in mappings that were made before frames could be chosen, and wherever the first is meant. */
const frame = frameChoiceSchema.optional()

/** Where the image of a slot comes from: a column holding file names, or a file-name pattern with `{id}` for the patient ID. */
export const imageSourceSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('column'),
    column: columnName,
    /** One row per image: only rows whose `column` holds one of `values` (trimmed, case-insensitive) fill this slot. */
    view: z.object({ column: columnName, values: z.array(z.string()).min(1).max(50) }).nullable().default(null),
    frame,
  }),
  z.object({ kind: z.literal('pattern'), pattern: z.string().min(1).max(300), frame }),
])

/**
 * The text of a slot: a template in which `{Column name}` stands for that column's cell.
 * A slot is missing ("not-collected") when every column it names is blank in the row.
 */
export const textSourceSchema = z.object({ kind: z.literal('template'), template: z.string().min(1).max(2000) })

/**
 * The text of a slot from files in the source folder: text files, PDF, DICOM structured reports and PDF inside DICOM. A file belongs to a study when its name
 * is `pattern` with one of the study's cells for `{id}` (`*` any characters, the ending left out), or when its DICOM header holds the cell. The columns are tried in order.
 */
const reportFilesSourceSchema = z.object({ kind: z.literal('report-files'), columns: z.array(columnName).min(1).max(8), pattern: z.string().min(1).max(300).default('{id}') })
export type ReportFilesSource = z.infer<typeof reportFilesSourceSchema>

/** Columns read together as one table of values: numbers are standardised, categories told apart. The slot is missing when all of its cells are blank. */
export const tabularSourceSchema = z.object({
  kind: z.literal('columns'),
  columns: z.array(z.object({ column: columnName, values: z.enum(['number', 'category']).default('number') })).min(1).max(60),
})

export const imageSlotSchema = z.object({ slot: slotSchema.extend({ modality: z.literal('image') }), source: imageSourceSchema })
export const textSlotSchema = z.object({ slot: slotSchema.extend({ modality: z.literal('text') }), source: z.discriminatedUnion('kind', [textSourceSchema, reportFilesSourceSchema]) })
export const tabularSlotSchema = z.object({ slot: slotSchema.extend({ modality: z.literal('tabular') }), source: tabularSourceSchema })
export const mappedSlotSchema = z.union([imageSlotSchema, textSlotSchema, tabularSlotSchema])
export type MappedSlot = z.infer<typeof mappedSlotSchema>
export type ImageSource = z.infer<typeof imageSourceSchema>
export type TabularSource = z.infer<typeof tabularSourceSchema>

/** How reference labels are written in the table. Only `single` is multi-class; the others are multi-label. */
export const labelMappingSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('one-hot'), columns: z.array(z.object({ column: columnName, name: z.string().min(1).max(80) })).min(1).max(200) }),
  z.object({ kind: z.literal('list'), column: columnName, separators: z.string().min(1).max(10).default(',;|') }),
  z.object({ kind: z.literal('single'), column: columnName }),
  z.object({ kind: z.literal('none') }),
])
export type LabelMapping = z.infer<typeof labelMappingSchema>

/** Which rows belong together as one study: every row its own, all rows of a patient, or rows sharing a study column. */
export const rowUnitSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('patient') }),
  z.object({ kind: z.literal('row') }),
  z.object({ kind: z.literal('study'), column: columnName }),
])

/**
 * A second table whose columns are put beside those of the first, such as the list of images that belongs to a table of reports.
 * Several of its rows for one row of the first become columns of their own, numbered or named by `spreadBy`.
 */
export const tableJoinSchema = z.object({
  /** Path from the folder of the first table, so that the next delivery is found in its own folder; an absolute path elsewhere. */
  table: z.string().min(1).max(4000),
  sheet: z.string().nullable().default(null),
  /** The columns that hold the same ID in both tables. */
  column: columnName,
  otherColumn: columnName,
  /** Column of the second table that tells its rows of one ID apart, such as the projection. */
  spreadBy: columnName.nullable().default(null),
})
export type TableJoin = z.infer<typeof tableJoinSchema>

/** Everything that turns a table and a folder into a cohort. Column names are matched after trimming and Unicode NFC. */
export const mappingSchema = z.object({
  profile: z.enum(['odir', 'odir-per-eye', 'covid-cxr', 'demo', 'indiana', 'indiana-xml', 'manual']).default('manual'),
  join: tableJoinSchema.optional(),
  patientIdColumn: columnName,
  rowUnit: rowUnitSchema.default({ kind: 'patient' }),
  slots: z.array(mappedSlotSchema).min(1).max(8),
  labels: labelMappingSchema,
  /** Further labels, made from the words of text items by rules; each is marked as derived wherever it is listed. */
  reportLabels: reportLabelsSchema.optional(),
  /** `site`: hospital, scanner or ward; its cells become pseudonyms, since the name of an institution is an identifier. */
  attributes: z.object({ age: columnName.nullable().default(null), sex: columnName.nullable().default(null), site: columnName.nullable().optional() }).default({ age: null, sex: null }),
  /** Absent in mappings from before days of studies were kept: then no date is read. */
  dates: mappedDatesSchema.optional(),
  /** Absent in mappings written by hand (the defaults count) and in those of cohorts imported before texts were scrubbed. */
  privacy: privacyOptionsSchema.optional(),
})
export type Mapping = z.infer<typeof mappingSchema>

/** A mapping for a new import: what says nothing of privacy gets every rule, in the edition that is in force, whichever it was made with. */
export function withPrivacy(mapping: Mapping): Mapping {
  return { ...mapping, privacy: { ...(mapping.privacy ?? defaultPrivacy), profileVersion: privacyEdition } }
}

/**
 * What the wizard and the CLI name as a source: a folder with images, a table, a sheet of it when it has several.
 * A folder in place of the table stands for the headers of the DICOM files in it.
 */
export const importSourceSchema = z.object({
  sourceDir: z.string().min(1),
  tableFile: z.string().min(1),
  sheet: z.string().nullable().default(null),
})
export type ImportSource = z.infer<typeof importSourceSchema>
