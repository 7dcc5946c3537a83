import { describe, expect, it } from 'vitest'
import type { Slot } from '../../../../../engine/domain/slots.ts'
import { countItems, presenceTiles } from '../../../../../renderer/composables/common/presence.ts'
import { en } from '../../../../../renderer/locales/en.ts'

const slots: Slot[] = [
  { slotId: 'right-eye', modality: 'image', title: 'Right eye', letter: 'R' },
  { slotId: 'left-eye', modality: 'image', title: 'Left eye', letter: 'L' },
  { slotId: 'notes', modality: 'text', title: 'Notes', letter: 'N' },
]

describe('presenceTiles', () => {
  it('reads a pattern key in slot order', () => {
    expect(presenceTiles(slots, 'notes+right-eye').map((tile) => tile.state)).toEqual(['present', 'missing', 'present'])
    expect(presenceTiles(slots, '').map((tile) => tile.state)).toEqual(['missing', 'missing', 'missing'])
  })

  it('keeps reasons and tells excluded from missing', () => {
    const tiles = presenceTiles(slots, [{ slotId: 'right-eye', isPresent: false, reason: 'excluded' }, { slotId: 'notes', isPresent: false, reason: 'unreadable' }])
    expect(tiles.map(({ state, reason }) => [state, reason])).toEqual([['excluded', 'excluded'], ['missing', null], ['missing', 'unreadable']])
  })
})

it('names a tile in words', () => {
  expect(en.presence.tile('Left eye', 'missing', 'file-missing', null)).toBe('Left eye: missing, file not found')
  expect(en.presence.tile('Left eye', 'excluded', 'excluded', 'too dark')).toBe('Left eye: excluded (too dark)')
  expect(en.presence.tile('Notes', 'present', null, null)).toBe('Notes: present')
})

it('count items under the decisions in force', () => {
  // 600 studies of three slots: 13 + 186 and 203 images are not there, and a decision leaves all 330 texts out beside 270 that were never collected.
  expect(countItems(3, 600, [{ count: 186 }, { count: 13 }, { count: 203 }, { count: 330 }, { count: 270 }])).toEqual({ all: 1800, present: 798 })
})
