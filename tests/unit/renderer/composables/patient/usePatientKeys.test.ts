import { describe, expect, it } from 'vitest'
import { patientActionOfKey, type PressedKey } from '../../../../../renderer/composables/patient/usePatientKeys.ts'

const press = (key: string, overrides: Partial<PressedKey> = {}) =>
  patientActionOfKey({ key, hasModifier: false, isRepeat: false, tag: 'BODY', role: null, isEditable: false, ...overrides })

describe('patientActionOfKey', () => {
  it('moves with J, K and the arrows, in either case', () => {
    expect(['j', 'J', 'ArrowRight'].map((key) => press(key)?.kind)).toEqual(['next', 'next', 'next'])
    expect(['k', 'ArrowLeft'].map((key) => press(key)?.kind)).toEqual(['previous', 'previous'])
  })
  it('gives verdicts with 1, 2 and 3', () => {
    expect(['1', '2', '3'].map((key) => press(key))).toEqual([{ kind: 'verdict', verdict: 'agree' }, { kind: 'verdict', verdict: 'disagree' }, { kind: 'verdict', verdict: 'unsure' }])
  })
  it('leaves typing alone', () => {
    expect(press('1', { tag: 'TEXTAREA' })).toBeNull()
    expect(press('j', { isEditable: true })).toBeNull()
    expect(press('c', { hasModifier: true })).toBeNull()
  })
  it('leaves arrows to widgets that use them', () => {
    expect(press('ArrowRight', { role: 'slider' })).toBeNull()
    expect(press('j', { role: 'slider' })).toEqual({ kind: 'next' })
  })
  it('pages but does not judge while a key is held', () => {
    expect(press('j', { isRepeat: true })).toEqual({ kind: 'next' })
    expect(press('2', { isRepeat: true })).toBeNull()
  })
  it('knows comment, search, what-ifs, list and help', () => {
    expect(['c', '/', 'w', 'l', '?'].map((key) => press(key)?.kind)).toEqual(['comment', 'search', 'what-ifs', 'list', 'help'])
  })
  it('asks about excluding the patient', () => expect(press('x')).toEqual({ kind: 'exclude' }))

  it('ignores everything else', () => expect(['z', 'Enter', 'ArrowUp', '4'].map((key) => press(key))).toEqual([null, null, null, null]))
})
