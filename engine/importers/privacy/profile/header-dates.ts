import type { DicomDataSet } from '../../dicom/data-set.ts'
import { epochDayOf, parseDate, type WrittenDate } from '../../dates/parse-date.ts'

/** Real days of one image file, in memory only: they are judged and moved before anything is written. */
export interface HeaderDates {
  /** Epoch days of the study, or of the picture where the study has none. */
  days: number[]
  /** Never stored; an age is checked by it, and computed where the table has none. */
  birth: WrittenDate | null
}

/**
 * Study Date and Acquisition Date, and Patient's Birth Date, of a header; PS3.5 DA, also in the older writing 2020.03.14. The birth date is an attribute that
 * nothing may keep, so it is read here and nowhere else.
 */
export function headerDatesOf(dataSet: DicomDataSet): HeaderDates {
  const [study, acquisition] = ['0008,0020', '0008,0022'].map((tag) => dateOf(dataSet.text(tag)))
  const days = [study, acquisition].flatMap((date) => (date ? [epochDayOf(date, date.year)] : [])).filter((day) => day !== null)
  return { days, birth: dateOf(dataSet.text('0010,0030')) }
}

function dateOf(text: string | null): WrittenDate | null {
  const reading = text === null ? null : parseDate(text)
  return reading?.kind === 'date' && !reading.date.isShort ? reading.date : null
}
