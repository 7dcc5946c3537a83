import type { Alarm } from '../domain/alarms.ts'
import { counted } from '../domain/curation.ts'
import { isImpossible, type DateProblem } from '../domain/visit-dates.ts'
import type { CohortFacts } from './facts/cohort-facts.ts'
import { listed } from './words.ts'

/** Rows of an evidence table; the rest is counted below it. */
const shownRows = 100

/** In the order in which they are told. A month without a day is a gap, not a mistake. */
const told: readonly { problem: DateProblem; title: string; words: (count: number) => string }[] = [
  { problem: 'future', title: 'after the day of the import', words: (count) => `${count} ${count === 1 ? 'lies' : 'lie'} in the future` },
  { problem: 'too-early', title: 'before 1900', words: (count) => `${count} ${count === 1 ? 'lies' : 'lie'} before 1900` },
  { problem: 'before-birth', title: 'before the birth of the patient', words: (count) => `${count} ${count === 1 ? 'lies' : 'lie'} before the birth of the patient` },
  { problem: 'too-old', title: 'at an age that nobody has reached', words: (count) => `${count} would make the patient older than anybody ever was` },
  { problem: 'age-differs', title: 'age more than a year from the one that follows from the date of birth', words: (count) => `${count} ${count === 1 ? 'contradicts' : 'contradict'} age and date of birth` },
  { problem: 'header-differs', title: 'image made on another day than the table says', words: (count) => `${count} ${count === 1 ? 'differs' : 'differ'} from the day in the image file` },
  { problem: 'rows-differ', title: 'the rows of one study differ', words: (count) => `${count} ${count === 1 ? 'differs' : 'differ'} between the rows of one study` },
  { problem: 'unreadable', title: 'it cannot be read', words: (count) => `${count} cannot be read as a date` },
]

/** Days of studies that cannot be true, that contradict something, or that could not be read, unless somebody has judged them. */
export function dateAlarms({ dateProblems, studyIds, studyKeys, patientKeys, persons }: CohortFacts): Alarm[] {
  const byKind = told.map((kind) => ({ ...kind, rows: [...dateProblems].flatMap(([row, problems]) => (problems.includes(kind.problem) ? [row] : [])) })).filter(({ rows }) => rows.length > 0)
  const rows = [...new Set(byKind.flatMap((kind) => kind.rows))].sort((a, b) => a - b)
  if (rows.length === 0) return []
  const chosen = rows.map((row) => studyIds[row]!)
  const people = new Set(rows.map((row) => persons[row]!)).size
  const isSerious = byKind.some(({ problem }) => isImpossible([problem]))
  const what = counted(rows.length, 'study', 'studies')
  const shown = byKind.flatMap((kind) => kind.rows.map((row) => ({ row, kind }))).slice(0, shownRows)
  const lines = byKind.reduce((sum, kind) => sum + kind.rows.length, 0)
  return [{
    alarmId: 'impossible-dates:all', kind: 'impossible-dates', severity: isSerious ? 'serious' : 'warning',
    title: `${what} of ${counted(people, 'patient')} ${rows.length === 1 ? 'has' : 'have'} a date that cannot be right`,
    text: `Of the dates of studies ${listed(byKind.map(({ words, rows: own }) => words(own.length)), told.length)}. Days that cannot be true count for nothing until you decide; the others count. A wrong date often stands in a row whose other values are wrong too.`,
    action: 'Look at the rows in the source. Exclude the studies if the rows cannot be trusted, or keep them without their dates. Dates that whoever sent the data has moved on purpose often lie in the future: use them as they are, since intervals stay.',
    evidence: [
      { title: 'What is wrong', columns: ['What speaks against the date', 'Patients', 'Studies'], rows: byKind.map(({ title, rows: own }) => [title, String(new Set(own.map((row) => persons[row]!)).size), String(own.length)]), note: null },
      {
        title: 'Studies', columns: ['Patient', 'Study', 'What speaks against the date'], rows: shown.map(({ row, kind }) => [patientKeys[row]!, studyKeys[row]!, kind.title]), studyIds: shown.map(({ row }) => studyIds[row]!),
        note: lines > shownRows ? `${lines - shownRows} more.` : null,
      },
    ],
    remedies: [
      { title: `Exclude ${what}`, draft: { kind: 'exclude-studies', studyIds: chosen } },
      { title: `Keep ${what} without ${rows.length === 1 ? 'its date' : 'their dates'}`, draft: { kind: 'judge-dates', studyIds: chosen, isUsed: false } },
      { title: `Use ${rows.length === 1 ? 'the date as it is' : 'the dates as they are'}`, draft: { kind: 'judge-dates', studyIds: chosen, isUsed: true } },
    ],
  }]
}
