import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assignKeys, cleanCell, keyedCode, normaliseId } from '../../../engine/importers/ids.ts'

describe('normaliseId', () => {
  it.each([
    ['317', '317'], [' 317 ', '317'], ['\u00a0317\u3000', '317'], ['00317', '00317'], ['="00317"', '00317'], ['aB-7', 'aB-7'], ['\uFEFF12\u200B', '12'],
    ['e\u0301', '\u00e9'], ['1 2', '1 2'], ['', ''], ['  ', ''], ['NaN', ''], ['N/A', ''], ['null', ''], ['-', ''],
  ])('%j is %j', (cell, id) => expect(normaliseId(cell)).toBe(id))

  it('is idempotent and never pads or strips digits (property)', () => {
    fc.assert(fc.property(fc.string(), (text) => {
      const once = normaliseId(text)
      // A wrapped ID is unwrapped once; what is inside may be wrapped text again only if someone typed it so.
      if (!once.startsWith('="')) expect(normaliseId(once)).toBe(once)
    }))
    fc.assert(fc.property(fc.stringMatching(/^0{0,3}[1-9]\d{0,8}$/), (digits) => {
      expect(normaliseId(` ${digits}\u00a0`)).toBe(digits)
    }))
  })

  it('cleans short ASCII and anything else alike (property)', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(cleanCell(text)).toBe(text.replace(/[\u200B-\u200D\u2060\uFEFF]/g, '').normalize('NFC').trim())
    }))
  })
})

describe('pseudonyms', () => {
  it('are Crockford base32 of the keyed hash', () => {
    // HMAC-SHA256 test case 2 of RFC 4231: 5bdcc146bf60754e...
    expect(keyedCode('Jefe', 'what do ya want for nothing?', 8)).toBe('BFEC2HNZ')
    expect(keyedCode('k', 'x', 40)).toMatch(/^[0-9A-HJKMNP-TV-Z]{40}$/)
  })

  it('depend on key and ID, not on order, and never meet', () => {
    const ids = Array.from({ length: 3000 }, (_, i) => String(i))
    const keys = assignKeys('P-', 'secret', ids)
    expect(new Set(keys.values()).size).toBe(3000)
    expect(assignKeys('P-', 'secret', [...ids].reverse()).get('317')).toBe(keys.get('317'))
    expect(assignKeys('P-', 'other', ids).get('317')).not.toBe(keys.get('317'))
    expect(keys.get('317')).toMatch(/^P-[0-9A-HJKMNP-TV-Z]{8}$/)
  })
})
