import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { withDateOptions, withPrivacyOptions } from '../../../engine/cli/mapping-options.ts'
import { privacyOptionsSchema } from '../../../engine/domain/privacy.ts'
import { plainMapping } from '../importers/helpers.ts'
import { temporaryFolder } from '../store/fixtures.ts'

const careful = { ...plainMapping, privacy: privacyOptionsSchema.parse({ dates: 'remove', characteristics: 'remove', burnedIn: 'exclude', words: ['Zephyrine'] }) }

it('keeps what the mapping says of privacy, and takes what the command line says', () => {
  expect(withPrivacyOptions(careful, {}).privacy).toEqual({ ...careful.privacy, profileVersion: expect.any(Number) })
  expect(withPrivacyOptions(careful, { dates: 'shift', 'burned-in': 'review' }).privacy).toMatchObject({ dates: 'shift', characteristics: 'remove', burnedIn: 'review', words: ['Zephyrine'] })
  expect(withPrivacyOptions(plainMapping, { characteristics: 'remove' }).privacy).toMatchObject({ dates: 'shift', characteristics: 'remove', burnedIn: 'review', off: [] })
  const list = join(temporaryFolder(), 'list.txt')
  writeFileSync(list, 'Ward 7\nshape:K-######\n')
  expect(withPrivacyOptions(careful, { 'privacy-list': list }).privacy).toMatchObject({ words: ['Zephyrine', 'Ward 7'], shapes: ['K-######'], dates: 'remove' })
  expect(() => withPrivacyOptions(plainMapping, { dates: 'keep' })).toThrow(expect.objectContaining({ code: 'CLI_USAGE' }))
})

it('names the columns of dates, and forgets the order of a column that another one replaces', () => {
  expect(withDateOptions(plainMapping, {})).toBe(plainMapping)
  const dated = withDateOptions(plainMapping, { 'study-date': 'when', 'study-date-order': 'day-first' })
  expect(dated.dates).toEqual({ study: 'when', studyOrder: 'day-first', birth: null, birthOrder: null })
  expect(withDateOptions(dated, { 'study-date': 'other', 'birth-date': 'born' }).dates).toEqual({ study: 'other', studyOrder: null, birth: 'born', birthOrder: null })
  // Texts of the same house are read alike, unless somebody says otherwise.
  const scrubbed = withPrivacyOptions(plainMapping, {})
  expect(withDateOptions(scrubbed, { 'study-date': 'when', 'study-date-order': 'day-first' }).privacy?.dateOrder).toBe('day-first')
  expect(withDateOptions(scrubbed, { 'study-date': 'when', 'study-date-order': 'day-first', 'date-order': 'month-first' }).privacy?.dateOrder).toBe('month-first')
  expect(withDateOptions(dated, { 'study-date': 'none' }).dates).toMatchObject({ study: null, studyOrder: null })
  expect(() => withDateOptions(dated, { 'study-date-order': 'guess' })).toThrow(expect.objectContaining({ code: 'CLI_USAGE' }))
})
