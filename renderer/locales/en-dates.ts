import type { DateOrder, DateProblem } from '../../engine/domain/visit-dates.ts'

/** Strings about the days of studies. Numbers arrive formatted. Days of the calendar are never written on a screen: they were moved, and would look like real ones. */

const studies = (count: number, shown: string): string => `${shown} ${count === 1 ? 'study' : 'studies'}`
const problems: Record<DateProblem, string> = {
  'unreadable': 'the date cannot be read', 'no-day': 'the date has no day', 'future': 'the date lies in the future', 'too-early': 'the date lies before 1900', 'before-birth': 'the date lies before the birth',
  'too-old': 'the patient would be too old', 'age-differs': 'age and dates contradict each other', 'header-differs': 'the image is of another day', 'rows-differ': 'the rows have different dates, the earliest counts',
}
const orders: Record<DateOrder, string> = {
  'day-first': 'Day first (25/03/2020)', 'month-first': 'Month first (03/25/2020)', 'year-first': 'Year first (20-03-25)', 'spreadsheet-days': 'Days counted by a spreadsheet (43915)',
}

export const enDates = {
  problems,
  fields: {
    study: 'Date of the study',
    studyHint: 'Moved by the patient’s own number of days before anything is stored, as dates in texts are: intervals stay. Without a column the headers of DICOM images say when.',
    birth: 'Date of birth',
    birthHint: 'Only to check, and for the age where no column has it. Never stored.',
    order: { study: 'What comes first in the date of the study', birth: 'What comes first in the date of birth' },
    choose: 'Choose',
    orders,
    open: (example: string) => `Every cell can be read in more than one way, such as ${example}. Choose; nothing is guessed.`,
    contradictory: 'Some cells are possible only with the day first, others only with the month first. What does not fit the order you choose is imported without a date and told.',
    exchanged: 'All real dates lie in the first twelve days of a month and all dates kept as text after them: a spreadsheet has probably taken the day for the month. Have the column written again, or choose after checking some dates.',
    proven: (order: string) => `Found from the cells: ${order.toLowerCase()}. No other order fits all of them.`,
    noDates: (column: string) => `Most cells of “${column}” are no dates.`,
    removed: 'On the privacy step dates are set to be removed: they are checked, and none is stored.',
  },
  report: {
    known: (count: number, dated: string, undated: string) => (undated === '0' ? `A date was read for every study (${dated}).` : `A date was read for ${studies(count, dated)}; ${undated} ${undated === '1' ? 'has' : 'have'} none.`),
    problem: (problem: DateProblem, count: number, shown: string, rows: string) => `${studies(count, shown)}: ${problems[problem]} (${count === 1 ? 'row' : 'rows'} ${rows})`,
    toAlarms: 'Decide about them on the Alarms page.',
  },
  visits: {
    title: 'Studies of this patient in order of time',
    first: 'Day 0',
    later: (days: string) => `Day +${days}`,
    unknown: 'day not known',
    notUsed: 'day not used',
    excluded: 'excluded',
    under: (key: string) => `Under ${key}:`,
    mergedHint: 'These numbers were counted as one person. The dates of each were moved by another number of days, so nothing leads from one line to the other.',
    hint: 'Days since the first study. Real dates are not stored.',
    noteDay: (day: string) => `Dates in the notes were moved by the same number of days as this study, which they would write as ${day}. It is not the real date.`,
    open: (study: string, when: string) => `Open study ${study}, ${when}`,
  },
  fingerprint: {
    title: 'Follow-up, patients',
    axis: 'Days from the first to the last study',
    caption: (patients: string, median: string, shortest: string, longest: string) => `n = ${patients} patients with studies on more than one day; median ${median} days, ${shortest} to ${longest}. Counted within each patient number, from moved dates.`,
    followed: 'Patients followed over time',
    detail: (dated: string, undated: string, doubtful: string) => [`day known of ${dated} studies`, undated === '0' ? '' : `not of ${undated}`, doubtful === '0' ? '' : `impossible in ${doubtful}`].filter((part) => part !== '').join(', '),
  },
  openStudy: (patient: string) => `Open patient ${patient}`,
}
