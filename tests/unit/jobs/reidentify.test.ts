import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { readReidentification, writeReidentification } from '../../../engine/jobs/reidentify.ts'
import { temporaryFolder } from '../store/fixtures.ts'

const pairs = [{ patientKey: 'P-ABCDEFGH', patientId: '00481516' }]
const passphrase = 'correct horse battery'

it('gives the pairs to who knows the passphrase only, and shows none of them', () => {
  const file = join(temporaryFolder(), 'key.json')
  writeReidentification(file, passphrase, pairs)
  expect(readFileSync(file, 'utf8')).not.toMatch(/00481516|ABCDEFGH/)
  expect(readReidentification(file, passphrase)).toEqual(pairs)
  expect(() => readReidentification(file, 'correct horse batteri')).toThrow(expect.objectContaining({ code: 'REIDENTIFY_PASSPHRASE' }))
  expect(() => writeReidentification(file, passphrase, pairs)).toThrow(expect.objectContaining({ code: 'EXPORT_FAILED' }))
  // Another character than the one that stands there, whichever that is.
  writeFileSync(file, readFileSync(file, 'utf8').replace(/"sealed":"(.)/, (_, first: string) => `"sealed":"${first === '/' ? 'A' : '/'}`))
  expect(() => readReidentification(file, passphrase)).toThrow(expect.objectContaining({ code: 'REIDENTIFY_PASSPHRASE' }))
})

it('refuses a short passphrase and a foreign file', () => {
  const file = join(temporaryFolder(), 'key.json')
  expect(() => writeReidentification(file, 'short', pairs)).toThrow(expect.objectContaining({ code: 'REIDENTIFY_PASSPHRASE' }))
  writeFileSync(file, '{}')
  expect(() => readReidentification(file, passphrase)).toThrow(expect.objectContaining({ code: 'REIDENTIFY_FILE' }))
})
