import type { Alarm } from '../domain/alarms.ts'
import { counted } from '../domain/curation.ts'
import { labelColumn, type CohortFacts } from './facts/cohort-facts.ts'
import { listed, share } from './words.ts'

/** No verified age is higher (Jeanne Calment, 122). */
const oldestAge = 122
/** Fewer studies with, or without, a label than this: its numbers will have very wide intervals. */
const fewCases = 10
/** As the import's own check (importers/rows/demographics.ts): an age that many have while almost nobody is near it. */
const placeholders = [
  { age: 0, near: [2, 12] }, { age: 1, near: [2, 12] }, { age: 99, near: [91, 98] }, { age: 100, near: [91, 98] }, { age: 120, near: [101, 119] },
] as const
const minimumPlaceholders = 3

/** Ages that nobody has, and ages that look typed in because none was known. */
export function ageAlarms({ ageYears, studyIds, persons }: CohortFacts): Alarm[] {
  const rowsWith = (isIt: (age: number) => boolean) => [...ageYears.keys()].filter((row) => isIt(ageYears[row]!))
  const peopleOf = (rows: readonly number[]) => new Set(rows.map((row) => persons[row]!)).size
  const exclude = (rows: readonly number[]) => [{ title: `Exclude ${counted(rows.length, 'study', 'studies')}`, draft: { kind: 'exclude-studies', studyIds: rows.map((row) => studyIds[row]!) } as const }]
  const impossible = rowsWith((age) => age < 0 || age > oldestAge)
  const typed = placeholders.flatMap(({ age, near: [low, high] }) => {
    const rows = rowsWith((value) => value === age)
    return peopleOf(rows) >= minimumPlaceholders && peopleOf(rowsWith((value) => value >= low && value <= high)) < peopleOf(rows) ? [{ age, rows }] : []
  })
  const table = (groups: readonly { age: number; rows: readonly number[] }[]) => [{ title: 'Ages', columns: ['Age', 'Patients', 'Studies'], rows: groups.map(({ age, rows }) => [String(age), String(peopleOf(rows)), String(rows.length)]), note: null }]
  return [
    ...(impossible.length === 0 ? [] : [{
      alarmId: 'impossible-ages:all', kind: 'impossible-ages', severity: 'serious', title: `${counted(peopleOf(impossible), 'patient has', 'patients have')} an impossible age`,
      text: `${counted(impossible.length, 'study gives', 'studies give')} an age below 0 or above ${oldestAge}. A birth date or a study date is wrong, and other values of the row may be too.`,
      action: 'Correct the rows in the source and import again, or exclude these studies.',
      evidence: table([...Map.groupBy(impossible, (row) => ageYears[row]!)].map(([age, rows]) => ({ age, rows }))), remedies: exclude(impossible),
    } as const]),
    ...(typed.length === 0 ? [] : [{
      alarmId: 'placeholder-ages:all', kind: 'placeholder-ages', severity: 'warning', title: `${listed(typed.map(({ age, rows }) => `${counted(peopleOf(rows), 'patient is', 'patients are')} exactly ${age}`), 3)} while almost nobody is near it`,
      text: `${typed.map(({ age, rows }) => `The age ${age} stands in ${counted(rows.length, 'study', 'studies')} of ${counted(peopleOf(rows), 'patient')}`).join('. ')}. Such ages are often typed in where none was known. A text or table that holds the age would teach it, and tables by age would be wrong.`,
      action: 'Check a few of these rows in the source. If the age is a placeholder, exclude these studies, or leave out what names the age.',
      evidence: table(typed), remedies: exclude(typed.flatMap(({ rows }) => rows)),
    } as const]),
  ]
}

/** Labels with too few studies of one class for any number to mean much. */
export function rareLabelAlarms(facts: CohortFacts): Alarm[] {
  const rare = facts.labelNames.flatMap((name, label) => {
    const column = labelColumn(facts, label)
    const positives = column.filter((value) => value === 1).length
    const known = column.filter((value) => value !== -1).length
    return positives < fewCases || known - positives < fewCases ? [{ name, positives, known }] : []
  })
  if (rare.length === 0) return []
  const inWords = ({ name, positives, known }: (typeof rare)[number]) => (positives < fewCases ? `"${name}" has ${share(positives, known)} positive studies` : `"${name}" has only ${known - positives} of ${known} studies without it`)
  return [{
    alarmId: 'few-cases:all', kind: 'few-cases', severity: 'warning',
    title: `${counted(rare.length, 'label has', 'labels have')} fewer than ${fewCases} studies of one kind`,
    text: `${rare.slice(0, 5).map(inWords).join(', ')}${rare.length > 5 ? ` and ${rare.length - 5} more` : ''}. Split into training, validation and test patients, one or two are left on a side: numbers for such labels will have very wide intervals or none.`,
    action: 'Leave these labels out of the run, join them with a related label before the import, or import more patients.',
    evidence: [{ title: 'Labels', columns: ['Label', 'With', 'Without', 'Unknown'], rows: rare.map(({ name, positives, known }) => [name, String(positives), String(known - positives), String(facts.studyIds.length - known)]), note: null }],
    remedies: [],
  }]
}
