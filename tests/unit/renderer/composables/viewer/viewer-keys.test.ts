import { describe, expect, it } from 'vitest'
import { plainLook, type ImageLook } from '../../../../../renderer/composables/viewer/image-look.ts'
import { urlOfLook } from '../../../../../renderer/composables/viewer/useImageFacts.ts'
import { viewerActionOfKey } from '../../../../../renderer/composables/viewer/viewer-keys.ts'

const after = (key: string): ImageLook => {
  const action = viewerActionOfKey(key)
  return action?.kind === 'look' ? action.update(plainLook) : plainLook
}

describe('keys of the viewer', () => {
  it.each([
    ['i', { isInverted: true }], ['I', { isInverted: true }], ['h', { isMirrored: true, turn: 0 }], ['v', { isMirrored: true, turn: 180 }], ['r', { turn: 90 }], ['l', { turn: 270 }],
  ])('%s', (key, change) => expect(after(key)).toEqual({ ...plainLook, ...change }))
  it.each([['+', 1.25], ['=', 1.25], ['-', 0.8]])('%s zooms', (key, factor) => expect(viewerActionOfKey(key)).toEqual({ kind: 'zoom', factor }))
  it.each([' ', '0'])('"%s" goes back to what the model sees', (key) => expect(viewerActionOfKey(key)).toEqual({ kind: 'reset' }))
  it.each([['PageDown', 1], ['PageUp', -1]])('%s goes through frames', (key, steps) => expect(viewerActionOfKey(key)).toEqual({ kind: 'frame', steps }))
  it.each(['j', 'ArrowLeft', '1', 'Enter', 'Tab'])('%s is left to the page', (key) => expect(viewerActionOfKey(key)).toBeNull())
})

describe('the address of a picture', () => {
  it('names window and frame only where they are not those that the model sees', () => {
    expect(urlOfLook('lacuna://item/1/a?size=page', null, null)).toBe('lacuna://item/1/a?size=page')
    expect(urlOfLook('lacuna://item/1/a?size=page', { center: 40, width: 400 }, 3)).toBe('lacuna://item/1/a?size=page&frame=3&center=40.0000&width=400.000')
  })
})
