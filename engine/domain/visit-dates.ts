import { z } from 'zod'

/**
 * The day of a study. Real days are known to the importer alone, while it runs: what is stored was moved by the patient's own number of days, so that
 * only the distance between two studies of one patient means anything, and screens show nothing else.
 */

/** What the parts of a date such as 03/04/20 mean. `spreadsheet-days`: whole numbers counted from 1900, as spreadsheets keep dates. */
export const dateOrderSchema = z.enum(['day-first', 'month-first', 'year-first', 'spreadsheet-days'])
export type DateOrder = z.infer<typeof dateOrderSchema>

/** How the cells of one column can be read as dates. */
export const dateColumnSchema = z.object({
  filled: z.number().int().nonnegative(),
  /** Cells that are a date in some reading. */
  readable: z.number().int().nonnegative(),
  /** Cells that need an order to be told; the others have one meaning. */
  needOrder: z.number().int().nonnegative(),
  /** Orders under which every one of those cells is a date. One: it is proven. Several, or none: somebody has to say. */
  orders: z.array(dateOrderSchema),
  /** Real date cells that all lie in the first twelve days of a month beside texts that all lie after: a spreadsheet has exchanged day and month of the former. */
  isExchanged: z.boolean(),
})
export type DateColumn = z.infer<typeof dateColumnSchema>

/** The order that the cells of a column are read in: the one that was chosen, else the one that alone fits all of them, else none. */
export function orderOf(column: DateColumn, chosen: DateOrder | null): DateOrder | null {
  return chosen ?? (column.orders.length === 1 && !column.isExchanged ? column.orders[0]! : null)
}

const columnName = z.string().min(1).max(300)

/** Where dates come from. The date of birth serves to check and to compute the age; it is never stored. Null order: it must be provable from the column. */
export const mappedDatesSchema = z.object({
  /** Null: the headers of DICOM images alone say when. */
  study: columnName.nullable().default(null),
  studyOrder: dateOrderSchema.nullable().default(null),
  birth: columnName.nullable().default(null),
  birthOrder: dateOrderSchema.nullable().default(null),
})
export type MappedDates = z.infer<typeof mappedDatesSchema>

/** Of which dates somebody has to say what comes first, because the cells leave it open and nothing was chosen. An import is refused until then. */
export function datesWithoutOrder(dates: MappedDates | null, columns: readonly { name: string; dates?: DateColumn | undefined }[]): ('study' | 'birth')[] {
  return (['study', 'birth'] as const).filter((part) => {
    const column = columns.find(({ name }) => name === dates?.[part])?.dates
    return column !== undefined && column.needOrder > 0 && orderOf(column, dates![part === 'study' ? 'studyOrder' : 'birthOrder']) === null
  })
}

/** What is wrong with the day of a study. */
export const dateProblemSchema = z.enum(['unreadable', 'no-day', 'future', 'too-early', 'before-birth', 'too-old', 'age-differs', 'header-differs', 'rows-differ'])
export type DateProblem = z.infer<typeof dateProblemSchema>

/** Days that cannot be true: they count for nothing until somebody says that they do. */
const impossible: ReadonlySet<DateProblem> = new Set(['future', 'too-early', 'before-birth', 'too-old'])

export const isImpossible = (problems: readonly DateProblem[]): boolean => problems.some((problem) => impossible.has(problem))

/** `day`: moved, as 2018-09-02; null where none is known or none may be kept. */
export const studyDateSchema = z.object({ day: z.string().regex(/^\d{4}-\d\d-\d\d$/).nullable(), problems: z.array(dateProblemSchema) })
export type StudyDate = z.infer<typeof studyDateSchema>

/** One study of a patient in the order of time. */
export const visitSchema = z.object({
  studyId: z.number().int(),
  patientKey: z.string(),
  studyKey: z.string(),
  /** Days since the first dated study under the same key; null without a day that counts. Keys that were merged were moved differently: no day leads from one to the other. */
  dayNumber: z.number().int().nonnegative().nullable(),
  problems: z.array(dateProblemSchema),
  isExcluded: z.boolean(),
})
export type Visit = z.infer<typeof visitSchema>

/** How long patients were followed, over studies whose day counts. */
export const followUpSchema = z.object({
  datedStudies: z.number().int().nonnegative(),
  undatedStudies: z.number().int().nonnegative(),
  /** Studies whose day cannot be true and that nobody has judged. */
  doubtfulStudies: z.number().int().nonnegative(),
  /** Patients with studies on more than one day. */
  followedPatients: z.number().int().nonnegative(),
  /** Of these patients: days from the first to the last study. */
  spanDays: z.object({ median: z.number(), shortest: z.number(), longest: z.number(), histogram: z.object({ edges: z.array(z.number()), counts: z.array(z.number().int()) }) }).nullable(),
})
export type FollowUp = z.infer<typeof followUpSchema>

export const dayMs = 86_400_000

/**
 * Days since the first study of the same group, by row; NaN without a day. `groups` are patient keys as stored, never merged persons.
 *
 * @param days epoch days [N], NaN for none
 */
export function daysSinceFirst(groups: readonly string[], days: ArrayLike<number>): Float64Array {
  const first = new Map<string, number>()
  groups.forEach((group, row) => {
    const day = days[row]!
    if (!Number.isNaN(day)) first.set(group, Math.min(day, first.get(group) ?? day))
  })
  return Float64Array.from(groups, (group, row) => days[row]! - (first.get(group) ?? Number.NaN))
}
