/** The days of the studies of one table: noticed row by row, read once every cell was seen, judged with the headers of the images, and moved. */
import { AppError, type ErrorCode } from '../../domain/errors.ts'
import type { Mapping } from '../../domain/mapping.ts'
import { isImpossible, orderOf, type DateProblem, type StudyDate } from '../../domain/visit-dates.ts'
import { isBlankCell } from '../ids.ts'
import type { IssueCollector } from '../issues.ts'
import type { HeaderDates } from '../privacy/profile/header-dates.ts'
import { shiftDaysOf } from '../privacy/scrub.ts'
import { parseAge } from '../rows/demographics.ts'
import type { GroupedStudy } from '../rows/group-rows.ts'
import { createColumnLookup } from '../rows/mapped-columns.ts'
import { createDateEvidence, dateUnder } from './date-column.ts'
import { judgeDate } from './judge-date.ts'
import { epochDayOf, formatDay, parseDate, type DateReading } from './parse-date.ts'

export interface FoundDate { date: StudyDate; ageYears: number | null }

export interface StudyDates {
  /** Remembers the dates and the age of a row as the table has them. */
  notice: (row: { row: number; cells: readonly string[] }) => void
  /** The cells as texts and tables of values may see them: no date of birth, and the date of the study so that nobody reads it otherwise. */
  prepare: (cells: readonly string[]) => readonly string[]
  /** Decides how the columns are read, once all rows were noticed; what cannot be decided blocks the import. */
  settle: (issues: IssueCollector) => void
  /** The moved day of a study with all that speaks against it, and the age that it had, capped as every other. `headers`: of its images. */
  find: (study: Pick<GroupedStudy, 'patientId' | 'rows' | 'ageYears'>, headers: readonly HeaderDates[]) => FoundDate
}

const oldestShownAge = 90
interface RowDates { study: DateReading | null; birth: DateReading | null; ageYears: number | null }

/**
 * Null for a mapping that reads no dates.
 *
 * @param today epoch day of the import, by the calendar of this machine
 * @throws AppError IMPORT_COLUMN_MISSING
 */
export function createStudyDates(mapping: Mapping, columns: readonly string[], secret: string, today: number): StudyDates | null {
  const { dates, privacy } = mapping
  if (!dates) return null
  const lookup = createColumnLookup(columns)
  const positionOf = (name: string | null): number => (name === null ? -1 : lookup(name))
  const [studyPosition, birthPosition, agePosition] = [positionOf(dates.study), positionOf(dates.birth), positionOf(mapping.attributes.age)]
  const [studyEvidence, birthEvidence] = [createDateEvidence(), createDateEvidence()]
  const rows = new Map<number, RowDates>()
  const orders = { study: dates.studyOrder, birth: dates.birthOrder }
  const keepsDay = privacy?.dates !== 'remove'
  const keepsAge = privacy?.characteristics !== 'remove'
  const capsAge = !(privacy?.off.includes('ages') ?? false)

  const settleColumn = (part: 'study' | 'birth', issues: IssueCollector): void => {
    const column = (part === 'study' ? studyEvidence : birthEvidence).column()
    const name = part === 'study' ? dates.study : dates.birth
    const chosen = part === 'study' ? dates.studyOrder : dates.birthOrder
    orders[part] = orderOf(column, chosen)
    if (column.needOrder === 0) return
    if (column.isExchanged) {
      const detail = `"${name}": every real date lies in the first twelve days of a month and every date kept as text after them, as when a spreadsheet takes the day for the month.`
      issues.add('IMPORT_DATE_EXCHANGED', chosen === null ? 'blocks' : 'note', null, detail)
    } else if (orders[part] === null) {
      const detail = column.orders.length === 0 ? `"${name}": some dates are possible only with the day first, others only with the month first.` : `"${name}": each of ${column.needOrder} dates can be read in several ways, such as 03/04/2020.`
      issues.add('IMPORT_DATE_ORDER', 'blocks', null, detail)
    } else if (chosen === null) {
      issues.add('IMPORT_DATE_ORDER', 'note', null, `"${name}" is read as ${wordsOf[orders[part]!]}: no other reading fits all of its dates.`)
    }
    const hasText = mapping.slots.some(({ slot }) => slot.modality === 'text')
    if (part === 'study' && hasText && privacy?.dates === 'shift' && orders.study !== null && orders.study !== 'spreadsheet-days' && orders.study !== 'year-first' && orders.study !== privacy.dateOrder) {
      issues.add('IMPORT_DATE_TEXTS', 'note', null, `"${name}" is read as ${wordsOf[orders.study]}, while dates in texts that leave it open are read as ${wordsOf[privacy.dateOrder]}.`)
    }
  }

  return {
    notice({ row, cells }) {
      const study = studyPosition < 0 ? null : studyEvidence.add(cells[studyPosition] ?? '')
      const birth = birthPosition < 0 ? null : birthEvidence.add(cells[birthPosition] ?? '')
      const { ageYears } = parseAge(agePosition < 0 ? '' : cells[agePosition] ?? '')
      if (study !== null || birth !== null) rows.set(row, { study, birth, ageYears })
    },
    prepare(cells) {
      const bare = birthPosition < 0 ? cells : cells.with(birthPosition, '')
      const cell = bare[studyPosition] ?? ''
      if (studyPosition < 0 || isBlankCell(cell)) return bare
      const date = dateUnder(parseDate(cell), dates.studyOrder)
      const day = date === null || date.isShort ? null : epochDayOf(date, date.year)
      return day === null ? bare : bare.with(studyPosition, formatDay(day))
    },
    settle(issues) {
      settleColumn('study', issues)
      settleColumn('birth', issues)
    },
    find(study, headers) {
      const own = study.rows.flatMap((row) => rows.get(row) ?? [])
      const read = own.flatMap((row) => (row.study === null ? [] : [{ reading: row.study, date: dateUnder(row.study, orders.study) }]))
      const births = own.flatMap(({ birth }) => (birth === null ? [] : [dateUnder(birth, orders.birth)]))
      const { day, ageYears, problems } = judgeDate({
        written: read.flatMap(({ date }) => date ?? []),
        unreadable: read.filter(({ reading, date }) => date === null && reading.kind !== 'no-day').length,
        withoutDay: read.filter(({ reading }) => reading.kind === 'no-day').length,
        birth: births.find((date) => date !== null) ?? headers.map(({ birth }) => birth).find((date) => date !== null) ?? null,
        ageYears: own.map((row) => row.ageYears).find((age) => age !== null) ?? study.ageYears,
        headerDays: headers.flatMap(({ days }) => days),
      }, today)
      const computed = ageYears !== null && capsAge ? Math.min(ageYears, oldestShownAge) : ageYears
      return {
        date: { day: day === null || !keepsDay ? null : formatDay(day + shiftDaysOf(secret, study.patientId)), problems },
        ageYears: study.ageYears ?? (keepsAge ? computed : null),
      }
    },
  }
}

const wordsOf = { 'day-first': 'day first', 'month-first': 'month first', 'year-first': 'year first', 'spreadsheet-days': 'days counted by a spreadsheet' } as const

const issueOf: Record<DateProblem, { code: ErrorCode; words: string }> = {
  'unreadable': { code: 'IMPORT_DATE_UNREADABLE', words: 'what stands for the date of the study is no date' },
  'no-day': { code: 'IMPORT_DATE_UNREADABLE', words: 'the date of the study has no day, so its place in time is not known' },
  'future': { code: 'IMPORT_DATE_IMPOSSIBLE', words: 'the study lies in the future' },
  'too-early': { code: 'IMPORT_DATE_IMPOSSIBLE', words: 'the study lies before the year 1900' },
  'before-birth': { code: 'IMPORT_DATE_IMPOSSIBLE', words: 'the study lies before the birth of the patient' },
  'too-old': { code: 'IMPORT_DATE_IMPOSSIBLE', words: 'the patient would be older than anybody ever was' },
  'age-differs': { code: 'IMPORT_DATE_AGE', words: 'the age differs by more than a year from the one that follows from the dates' },
  'header-differs': { code: 'IMPORT_DATE_HEADER', words: 'the image was made on another day than the table says' },
  'rows-differ': { code: 'IMPORT_DATE_ROWS', words: 'belong to one study but have different dates; the earliest counts' },
}
/** Named in full up to here. */
const maxNamedRows = 8
/** "Row 3", "Rows 3, 4 and 9" */
function namesOf(rows: readonly number[]): string {
  if (rows.length === 1) return `Row ${rows[0]}`
  return rows.length > maxNamedRows ? `Rows ${rows.slice(0, maxNamedRows).join(', ')} and ${rows.length - maxNamedRows} more` : `Rows ${rows.slice(0, -1).join(', ')} and ${rows.at(-1)}`
}

/** One line for each problem of a study; never the date itself. */
export function noteDate(study: Pick<GroupedStudy, 'rows'>, { problems }: StudyDate, issues: IssueCollector): void {
  for (const problem of problems) {
    const { code, words } = issueOf[problem]
    if (problem === 'rows-differ') issues.add(code, 'note', study.rows[0]!, `${namesOf(study.rows)} ${words}.`)
    else issues.add(code, 'note', study.rows[0]!, `Row ${study.rows[0]}: ${words}${isImpossible([problem]) ? '; its day does not count' : ''}.`)
  }
}

/**
 * Stops an import whose dates could be read in several ways.
 * @throws AppError IMPORT_DATE_ORDER, IMPORT_DATE_EXCHANGED
 */
export function assertDatesSettled(issues: IssueCollector): void {
  const issue = issues.list().find(({ code, severity }) => severity === 'blocks' && (code === 'IMPORT_DATE_ORDER' || code === 'IMPORT_DATE_EXCHANGED'))
  if (issue) throw new AppError(issue.code, `${issue.examples[0]!.detail} Nothing was imported.`)
}
