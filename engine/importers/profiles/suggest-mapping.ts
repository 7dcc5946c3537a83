import { covidCxrProfile } from './covid-cxr.ts'
import { demoProfile } from './demo.ts'
import { withDates } from './find-dates.ts'
import { dicomFolderProfile } from './dicom-folder.ts'
import { guessMapping } from './guess-mapping.ts'
import { indianaProfile, indianaXmlProfile } from './indiana.ts'
import { odirPerEyeProfile } from './odir-per-eye.ts'
import { odirProfile } from './odir.ts'
import type { Profile, Suggestion, TableFacts } from './profile.ts'

/** Known layouts, the more particular ones first. */
const profiles: readonly Profile[] = [odirPerEyeProfile, odirProfile, covidCxrProfile, indianaXmlProfile, indianaProfile, demoProfile, dicomFolderProfile]

/** The mapping of a known layout, else a guess to be checked, else null. */
export function suggestMapping(facts: TableFacts): Suggestion | null {
  for (const profile of profiles) {
    const suggestion = profile(facts)
    if (suggestion) return { ...suggestion, mapping: withDates(suggestion.mapping, facts) }
  }
  const guess = guessMapping(facts)
  return guess === null ? null : { ...guess, mapping: withDates(guess.mapping, facts) }
}
