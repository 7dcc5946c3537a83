import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { defaultPrivacy, profileChoices, profileCodes } from '../../../../engine/domain/privacy.ts'
import { parseDicom } from '../../../../engine/importers/dicom/parse.ts'
import { profileAttributes } from '../../../../engine/importers/privacy/profile/attributes.ts'
import { countAttributes, identityOf } from '../../../../engine/importers/privacy/profile/header-identity.ts'
import { judgeAttribute } from '../../../../engine/importers/privacy/profile/judge-attribute.ts'
import { keptAttributes, restrictHeader } from '../../../../engine/importers/privacy/profile/kept-attributes.ts'
import { imageElements, syntaxes, writeDicom, type Elements } from '../dicom/make-dicom.ts'

const planted: Elements = {
  ...imageElements({ rows: 2, columns: 2, bits: 8 }),
  '0008,0080': ['LO', 'Fernhill Royal'], '0008,0090': ['PN', 'OKONKWO^THANDIWE'], '0008,103e': ['LO', 'Chest for Mr Quispe'], '0010,0010': ['PN', 'QUISPE^TOBIAS'], '0010,0020': ['LO', 'KX-481516'],
  '0010,0030': ['DA', '19510304'], '0010,1010': ['AS', '093Y'], '0009,0010': ['LO', 'SCANNER 1'], '0009,1001': ['PN', 'LINDHOLM^AOIFE'],
  '0040,0275': ['SQ', [{ '0040,1001': ['SH', 'RP-77123'], '0008,0096': ['SQ', [{ '0040,1101': ['SQ', [{ '0008,0100': ['SH', 'x'] }]], '0008,0080': ['LO', 'Penwith House'] }]], '0032,1032': ['PN', 'HATHAWAY^INGRID'] }]],
}
const headerOf = (isImplicit = false) => parseDicom(new Uint8Array(writeDicom(planted, new Uint8Array(4), isImplicit ? { syntax: syntaxes.implicit } : {}))).dataSet

it('has the attributes of the standard with their actions', () => {
  expect(profileAttributes.size).toBeGreaterThan(480)
  const actionOf = (tag: string): string | undefined => profileAttributes.get(tag)?.action
  expect(['0010,0010', '0010,0020', '0010,0030', '0008,0050', '0008,0020', '0008,0018', '0020,000d', '0010,1010', '0008,0080', '0008,1070', '0040,a730', '0008,1140', '0070,0001', '0018,1000'].map(actionOf))
    .toEqual(['Z', 'Z', 'Z', 'Z', 'Z', 'U', 'U', 'X', 'X/Z/D', 'X/Z/D', 'D', 'X/Z/U', 'D', 'X/Z/D'])
  for (const { tag, action, keyword } of profileAttributes.values()) {
    expect(tag).toMatch(/^[0-9a-f]{4},[0-9a-f]{4}$/)
    expect(action).toMatch(/^[DZXKCU](\/[DZXKCU])*$/)
    expect(keyword).toMatch(/^[A-Z]\w+$/)
  }
})

it('removes what nobody listed, private groups, overlays and curves', () => {
  expect(judgeAttribute('0009,1001')).toEqual({ name: 'Private', action: 'X', fate: 'removed' })
  expect(judgeAttribute('6002,3000')).toEqual({ name: 'Overlay', action: 'X', fate: 'removed' })
  expect(judgeAttribute('5004,3000')).toEqual({ name: 'Curve', action: 'X', fate: 'removed' })
  expect(judgeAttribute('0018,9999')).toEqual({ name: 'Unlisted', action: null, fate: 'removed' })
  expect(judgeAttribute('0010,0020')).toEqual({ name: 'PatientID', action: 'Z', fate: 'pseudonym' })
  expect(judgeAttribute('0010,0010').fate).toBe('removed')
})

it('keeps no attribute that the profile removes without an option for it', () => {
  const kept = [...keptAttributes.keys()].map((tag) => profileAttributes.get(tag)).filter((entry) => entry !== undefined)
  expect(kept.map(({ tag }) => tag).sort()).toEqual(['0008,0020', '0008,0022', '0008,0050', '0010,0020', '0010,0040', '0010,1010', '0020,000d', '0040,a120', '0040,a121', '0040,a122', '0040,a730'])
})

it('hides everything else from the code that makes rows of headers, at any depth', () => {
  const header = restrictHeader(headerOf())
  expect(header.text('0010,0020')).toBe('KX-481516')
  expect(['0010,0010', '0008,0080', '0008,103e', '0009,1001'].map((tag) => [header.has(tag), header.text(tag)])).toEqual(Array(4).fill([false, null]))
  expect(header.items('0040,0275')).toEqual([])
  expect(header.tags()).not.toContain('0010,0030')
})

/** A reader of a header that is not on the list would bring its attribute past the profile. */
it('lists every attribute that an importer reads', () => {
  const root = join(import.meta.dirname, '../../../../engine/importers')
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts') && !/privacy[\\/]profile/.test(name))
  const read = files.flatMap((name) => [...readFileSync(join(root, name), 'utf8').matchAll(/'([0-9a-f]{4},[0-9a-f]{4})'/g)].map((match) => ({ name, tag: match[1]! })))
  expect(read.length).toBeGreaterThan(20)
  expect(read.filter(({ tag }) => !keptAttributes.has(tag))).toEqual([])
})

it.each([false, true])('finds names and numbers anywhere in a header, implicit %s', (isImplicit) => {
  const { names, ids } = identityOf(headerOf(isImplicit))
  expect(names).toEqual(expect.arrayContaining(['OKONKWO^THANDIWE', 'QUISPE^TOBIAS', 'HATHAWAY^INGRID', ...(isImplicit ? [] : ['LINDHOLM^AOIFE'])]))
  expect(ids).toEqual(expect.arrayContaining(['KX-481516', 'RP-77123', 'Fernhill Royal', 'Penwith House']))
})

it('counts attributes by name, once for each file', () => {
  const counts = new Map<string, number>()
  for (let i = 0; i < 3; i++) countAttributes(headerOf(), counts)
  expect(counts.get('InstitutionName\u001fremoved')).toBe(3)
  expect(counts.get('PatientID\u001fpseudonym')).toBe(3)
  expect(counts.get('PatientAge\u001fgeneralised')).toBe(3)
  expect([...counts.keys()].some((key) => key.startsWith('Rows'))).toBe(false)
})

it('says which options of the profile are in force', () => {
  expect(profileCodes(defaultPrivacy)).toBe('113100, 113103, 113104, 113105, 113107, 113108')
  expect(profileCodes({ ...defaultPrivacy, dates: 'remove', characteristics: 'remove' })).toBe('113100, 113103, 113104, 113105')
  expect(profileChoices({ ...defaultPrivacy, off: ['dates'] }).find(({ code }) => code === '113107')).toMatchObject({ state: 'no', words: 'The rule for dates is switched off: dates in texts stay as they are. Dates of studies are moved all the same.' })
})
