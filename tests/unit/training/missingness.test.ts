import { describe, expect, it } from 'vitest'
import { describePattern, patternKey, subPatterns, type Slot } from '../../../engine/domain/slots.ts'
import { onlyModality, simulateMissingness, withoutModality } from '../../../engine/training/missingness/missingness.ts'
import { createRng } from '../../../engine/training/rng.ts'

const slots: Slot[] = [
  { slotId: 'right-eye', modality: 'image', title: 'Right eye', letter: 'R' },
  { slotId: 'left-eye', modality: 'image', title: 'Left eye', letter: 'L' },
  { slotId: 'notes', modality: 'text', title: 'Notes', letter: 'N' },
]
const complete = 'right-eye+left-eye+notes'

describe('simulateMissingness', () => {
  it('hides each kind at its rate and never both', () => {
    const shown = simulateMissingness(slots, new Array<string>(4000).fill(complete), { image: 0.35, text: 0.35 }, createRng(1))
    const share = (pattern: string) => shown.filter((item) => item === pattern).length / shown.length
    expect(Math.abs(share('notes') - 0.35)).toBeLessThan(0.03)
    expect(Math.abs(share('right-eye+left-eye') - 0.35)).toBeLessThan(0.03)
    expect(Math.abs(share(complete) - 0.3)).toBeLessThan(0.03)
    expect(shown).not.toContain('')
  })

  it('leaves a sample as it is when nothing would remain', () => {
    expect(simulateMissingness(slots, ['notes', 'right-eye'], { image: 0, text: 1 }, createRng(1))).toEqual(['notes', 'right-eye'])
  })

  it('keeps who loses what when only the text rate grows', () => {
    const patterns = new Array<string>(200).fill(complete)
    const few = simulateMissingness(slots, patterns, { image: 0.2, text: 0.1 }, createRng(9))
    const more = simulateMissingness(slots, patterns, { image: 0.2, text: 0.5 }, createRng(9))
    few.forEach((pattern, index) => {
      if (pattern !== complete) expect(more[index]).toBe(pattern)
    })
  })
})

describe('patterns', () => {
  it('restricts and removes by modality', () => {
    expect(onlyModality(slots, complete, 'image')).toBe('right-eye+left-eye')
    expect(onlyModality(slots, 'right-eye', 'text')).toBe('')
    expect(withoutModality(slots, complete, 'image')).toBe('notes')
  })

  it('lists every non-empty subset, its own pattern first', () => {
    expect(subPatterns(complete)[0]).toBe(complete)
    expect(new Set(subPatterns(complete)).size).toBe(7)
    expect(subPatterns('')).toEqual([])
    expect(subPatterns('a+b+c+d+e')).toHaveLength(11)
  })

  it('names patterns in cohort order and in words', () => {
    expect(patternKey(slots, (slotId) => slotId !== 'left-eye')).toBe('right-eye+notes')
    expect(describePattern(slots, 'right-eye+notes')).toBe('Right eye + Notes (no Left eye)')
    expect(describePattern(slots, complete)).toBe('Complete (Right eye + Left eye + Notes)')
  })
})
