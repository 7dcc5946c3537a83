import { describe, expect, it } from 'vitest'
import { differencesOf, fitFactor, flipLook, frameBy, lineBetween, lookOfWindow, marksOf, plainLook, shownFrame, turnLook, windowBy, widestSpan, windowOfLook, type FrameSpan, type ImageLook } from '../../../../../renderer/composables/viewer/image-look.ts'

/** Where the source point (x, y), y downwards from the centre, comes to lie: mirrored first, then turned clockwise. */
function place({ turn, isMirrored }: ImageLook, [x, y]: [number, number]): [number, number] {
  let point: [number, number] = [isMirrored ? -x : x, y]
  for (let quarter = 0; quarter < turn / 90; quarter++) point = [-point[1], point[0]]
  return [point[0] + 0, point[1] + 0]
}
const points: [number, number][] = [[1, 2], [-3, 1]]
const all = [0, 90, 180, 270].flatMap((turn) => [false, true].map((isMirrored) => ({ ...plainLook, turn: turn as ImageLook['turn'], isMirrored })))

describe('turning and mirroring', () => {
  it('acts as seen on the screen, whatever was done before', () => {
    for (const look of all) {
      for (const point of points) {
        const [x, y] = place(look, point)
        expect(place(flipLook(look, 'horizontal'), point)).toEqual([-x + 0, y])
        expect(place(flipLook(look, 'vertical'), point)).toEqual([x, -y + 0])
        expect(place(turnLook(look, 1), point)).toEqual([-y + 0, x])
        expect(place(turnLook(look, -1), point)).toEqual([y, -x + 0])
      }
    }
  })

  it('markers follow the pixels: each edge names the direction that points there', () => {
    const vectors: Record<string, [number, number]> = { L: [1, 0], R: [-1, 0], F: [0, 1], H: [0, -1] }
    const edges: Record<string, string> = { '1,0': 'right', '-1,0': 'left', '0,1': 'bottom', '0,-1': 'top' }
    for (const look of all) {
      const marks = marksOf(['L', 'F'], look)!
      for (const [letter, vector] of Object.entries(vectors)) {
        const edge = edges[place(look, vector).join(',')]!
        expect([look.turn, look.isMirrored, edge, marks[edge as keyof typeof marks]]).toEqual([look.turn, look.isMirrored, edge, letter])
      }
    }
    expect(marksOf(['PL', 'HA'], plainLook)).toEqual({ left: 'AR', right: 'PL', bottom: 'HA', top: 'FP' })
    expect(marksOf(null, plainLook)).toBeNull()
  })

  it('fits a turned picture into its frame again', () => {
    expect(fitFactor(90, { width: 200, height: 100 }, { width: 200, height: 100 })).toBe(0.5)
    expect(fitFactor(180, { width: 200, height: 100 }, { width: 200, height: 100 })).toBe(1)
    expect(fitFactor(270, { width: 0, height: 100 }, { width: 200, height: 100 })).toBe(1)
  })
})

describe('window', () => {
  const facts = { center: 40, width: 400 }
  it('is kept relative to that of the file and comes back', () => {
    const look = lookOfWindow(plainLook, { center: -600, width: 1500 }, facts)
    expect(windowOfLook(look, facts)).toEqual({ center: -600, width: 1500 })
    expect(windowOfLook(plainLook, facts)).toEqual(facts)
    expect(windowBy(plainLook, 0.5, 0).factor).toBeCloseTo(Math.E)
    expect(windowBy({ ...plainLook, factor: 20 }, 1, 0).factor).toBe(20)
  })

  it('the line between two windows gives the grey of the second for values that both show', () => {
    const grey = (x: number, window: { center: number; width: number }): number => (x - window.center) / window.width + 0.5
    const wanted = { center: 50, width: 100 }
    for (const x of [10, 50, 90]) {
      const { slope, intercept } = lineBetween(facts, wanted, false)
      expect(slope * grey(x, facts) + intercept).toBeCloseTo(grey(x, wanted))
      const inverted = lineBetween(facts, wanted, true)
      expect(inverted.slope * (1 - grey(x, facts)) + inverted.intercept).toBeCloseTo(1 - grey(x, wanted))
    }
  })

  it('tells every way in which the screen differs from the model', () => {
    expect(differencesOf(plainLook)).toEqual([])
    expect(differencesOf({ turn: 90, isMirrored: true, isInverted: true, shift: 0.1, factor: 1, frame: 2 })).toEqual(['frame', 'window', 'inverted', 'mirrored', 'turned'])
    expect(differencesOf(flipLook(flipLook(plainLook, 'horizontal'), 'horizontal'))).toEqual([])
  })

  it('goes through frames within those of each file, also of files that go together', () => {
    const [long, short, single] = [8, 3, 1].map((frameCount) => ({ frameCount, modelFrame: 0 })) as [FrameSpan, FrameSpan, FrameSpan]
    const look = frameBy(frameBy(plainLook, 5, long), 5, long)
    expect([look.frame, frameBy(look, -20, long).frame]).toEqual([7, 0])
    expect([shownFrame(look, long), shownFrame(look, short), shownFrame(look, single)]).toEqual([7, 2, 0])
    // One step back from what the shorter file shows, not from where the longer one is.
    expect(frameBy(look, -1, short).frame).toBe(1)
  })

  it('opens on the frame that the model sees, and counts from it', () => {
    const span = { frameCount: 8, modelFrame: 5 }
    expect(shownFrame(plainLook, span)).toBe(5)
    // Before the facts of the file are there.
    expect(shownFrame(plainLook, { frameCount: 1, modelFrame: 5 })).toBe(5)
    const back = frameBy(plainLook, -2, span)
    expect([shownFrame(back, span), differencesOf(back)]).toEqual([3, ['frame']])
    expect(shownFrame(frameBy(back, -9, span), span)).toBe(0)
    expect(frameBy(frameBy(back, -9, span), 5, span)).toEqual(plainLook)
    // Together: two before the model's frame of one file and six after that of the other can be reached.
    const linked = widestSpan([{ frameCount: 3, modelFrame: 2 }, { frameCount: 7, modelFrame: 0 }])
    expect([frameBy(plainLook, -9, linked).frame, frameBy(plainLook, 9, linked).frame]).toEqual([-2, 6])
  })
})
