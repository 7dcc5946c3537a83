import type { IssueCollector } from '../issues.ts'

export type Sex = 'female' | 'male' | 'other'

const sexWords = new Map<string, Sex>([
  ['f', 'female'], ['female', 'female'], ['w', 'female'], ['woman', 'female'], ['weiblich', 'female'], ['féminin', 'female'], ['femenino', 'female'], ['女', 'female'],
  ['m', 'male'], ['male', 'male'], ['man', 'male'], ['männlich', 'male'], ['masculin', 'male'], ['masculino', 'male'], ['男', 'male'],
  ['o', 'other'], ['other', 'other'], ['d', 'other'], ['divers', 'other'], ['diverse', 'other'], ['x', 'other'], ['nonbinary', 'other'], ['non-binary', 'other'],
])

/** Sex from a cell; null when blank or not one of the known words. Codes such as 0/1/2 differ between hospitals and are not guessed. */
export function parseSex(cell: string): Sex | null {
  return sexWords.get(cell.toLowerCase()) ?? null
}

const oldestYears = 125

/** Age in years from "69", "69.0", "69 years", "069Y", "6 months", "18M" or "3 weeks"; null when it is no age; `isImplausible` above 125 or below 0. */
export function parseAge(cell: string): { ageYears: number | null; isImplausible: boolean } {
  const match = /^(-?\d+(?:[.,]\d+)?)\s*([a-zäöüé.]*)$/i.exec(cell)
  if (!match) return { ageYears: null, isImplausible: false }
  const amount = Number(match[1]!.replace(',', '.'))
  const unit = match[2]!.toLowerCase().replace(/\.$/, '')
  const perYear = yearShare(unit)
  if (perYear === null) return { ageYears: null, isImplausible: false }
  const ageYears = amount * perYear
  if (ageYears < 0 || ageYears > oldestYears) return { ageYears: null, isImplausible: true }
  return { ageYears: Math.round(ageYears * 100) / 100, isImplausible: false }
}

function yearShare(unit: string): number | null {
  if (['', 'y', 'yr', 'yrs', 'year', 'years', 'yo', 'a', 'j', 'jahre', 'ans'].includes(unit)) return 1
  if (['m', 'mo', 'month', 'months', 'monate', 'mois'].includes(unit)) return 1 / 12
  if (['w', 'wk', 'week', 'weeks', 'wochen'].includes(unit)) return 7 / 365.25
  if (['d', 'day', 'days', 'tage'].includes(unit)) return 1 / 365.25
  return null
}

/**
 * Reports ages that stand out as placeholders: 0 or 1 in a cohort of adults, 99 or 120 where nobody is near that age.
 * `ages` holds one age for each patient and the row it came from. The ages themselves are left as they are.
 */
export function notePlaceholderAges(ages: readonly { ageYears: number; row: number }[], issues: IssueCollector): void {
  const countBetween = (low: number, high: number): number => ages.filter(({ ageYears }) => ageYears >= low && ageYears <= high).length
  const candidates = [
    { age: 0, neighbours: countBetween(2, 12) }, { age: 1, neighbours: countBetween(2, 12) },
    { age: 99, neighbours: countBetween(92, 98) }, { age: 100, neighbours: countBetween(92, 98) }, { age: 120, neighbours: countBetween(101, 119) },
  ]
  for (const { age, neighbours } of candidates) {
    const matching = ages.filter(({ ageYears }) => ageYears === age)
    if (matching.length < 3 || neighbours >= matching.length) continue
    issues.add('IMPORT_AGE_PLACEHOLDER', 'note', matching[0]!.row, `${matching.length} patients have the age ${age}, while almost nobody is near it.`, matching.length)
  }
}
