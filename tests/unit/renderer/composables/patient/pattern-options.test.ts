import { describe, expect, it } from 'vitest'
import type { Slot } from '../../../../../engine/domain/slots.ts'
import { patternOptionsOf, slotsOfRun, whatIfTiles } from '../../../../../renderer/composables/patient/pattern-options.ts'

const slots: Slot[] = [
  { slotId: 'right-eye', modality: 'image', title: 'Right eye', letter: 'R' },
  { slotId: 'left-eye', modality: 'image', title: 'Left eye', letter: 'L' },
  { slotId: 'notes', modality: 'text', title: 'Notes', letter: 'N' },
]

describe('patterns of a run', () => {
  it('sums the patterns that look alike to a run with fewer slots', () => {
    const counts = [{ pattern: 'right-eye+left-eye+notes', count: 5 }, { pattern: 'right-eye+notes', count: 3 }, { pattern: 'left-eye', count: 2 }]
    const own = slotsOfRun(slots, ['notes', 'right-eye'])
    expect(own.map((slot) => slot.slotId)).toEqual(['right-eye', 'notes'])
    expect(patternOptionsOf(counts, own)).toEqual([
      { pattern: 'right-eye+notes', title: 'Complete (Right eye + Notes)', count: 8 },
      { pattern: '', title: 'Nothing present', count: 2 },
    ])
  })
  it('keeps all slots without a run', () => expect(slotsOfRun(slots, null)).toEqual(slots))
})

describe('tiles of a what-if', () => {
  it('tell withheld apart from missing', () => {
    expect(whatIfTiles(slots, 'right-eye+notes', 'notes').map((tile) => tile.state)).toEqual(['withheld', 'missing', 'present'])
  })
})
