import type { ImageFacts, ImageWindow } from '../../../engine/domain/image-facts.ts'

/**
 * How a picture is shown beyond zoom: turned, mirrored, inverted, and under another window. The window is kept relative to the
 * one of each file, so that two pictures with different scales follow each other.
 */
export interface ImageLook {
  /** Clockwise degrees. */
  turn: 0 | 90 | 180 | 270
  /** Mirrored left to right, before it is turned. */
  isMirrored: boolean
  isInverted: boolean
  /** Shift of the centre in widths of the file's own window, and factor of its width. */
  shift: number
  factor: number
  /** Steps from the frame that the model sees, in a file that holds several; so pictures with other frames, and other numbers of them, follow each other. */
  frame: number
}

export const plainLook: ImageLook = { turn: 0, isMirrored: false, isInverted: false, shift: 0, factor: 1, frame: 0 }
const narrowest = 0.01
const widest = 20

const turned = (turn: number): ImageLook['turn'] => ((((turn % 360) + 360) % 360) as ImageLook['turn'])

/** Turned by a quarter as seen on the screen: 1 clockwise, -1 the other way. */
export function turnLook(look: ImageLook, quarters: 1 | -1): ImageLook {
  return { ...look, turn: turned(look.turn + 90 * quarters) }
}

/** Mirrored as seen on the screen, whatever was done before: left and right, or top and bottom. */
export function flipLook(look: ImageLook, axis: 'horizontal' | 'vertical'): ImageLook {
  return { ...look, isMirrored: !look.isMirrored, turn: turned((axis === 'horizontal' ? 0 : 180) - look.turn) }
}

/** A drag over half the frame to the right widens the window e-fold (less contrast); downwards raises its centre (darker), as in common viewers. */
export function windowBy(look: ImageLook, dx: number, dy: number): ImageLook {
  const factor = Math.min(widest, Math.max(narrowest, look.factor * Math.exp(dx * 2)))
  return { ...look, factor, shift: look.shift + dy * look.factor }
}

/** The window of a look for one picture, in its own units. */
export function windowOfLook(look: ImageLook, facts: Pick<ImageFacts, 'center' | 'width'>): ImageWindow {
  return { center: facts.center + look.shift * facts.width, width: facts.width * look.factor }
}

/** The look under which a picture has a given window. */
export function lookOfWindow(look: ImageLook, window: ImageWindow, facts: Pick<ImageFacts, 'center' | 'width'>): ImageLook {
  return { ...look, shift: (window.center - facts.center) / facts.width, factor: window.width / facts.width }
}

/** Frames of a file and the one that the model sees, counted from 0. */
export interface FrameSpan {
  frameCount: number
  modelFrame: number
}

/** A number of frames further, within those of a file. */
export function frameBy(look: ImageLook, steps: number, span: FrameSpan): ImageLook {
  const { modelFrame } = span
  return { ...look, frame: shownFrame({ frame: shownFrame(look, span) - modelFrame + steps }, span) - modelFrame }
}

/** The frame that a file shows, counted from 0. Until its facts are there, the model's frame is known and their number is not. */
export function shownFrame({ frame }: Pick<ImageLook, 'frame'>, { frameCount, modelFrame }: FrameSpan): number {
  return Math.min(Math.max(frameCount - 1, modelFrame), Math.max(0, modelFrame + frame))
}

/** Pictures that go together go on until the longest of them ends, counted from the model's frame of each. */
export function widestSpan(spans: readonly FrameSpan[]): FrameSpan {
  const modelFrame = Math.max(0, ...spans.map((span) => span.modelFrame))
  return { modelFrame, frameCount: modelFrame + Math.max(1, ...spans.map((span) => span.frameCount - span.modelFrame)) }
}

export const hasOwnWindow = (look: ImageLook): boolean => look.shift === 0 && look.factor === 1

/**
 * Straight line that turns a picture drawn under one window into (nearly) that of another: grey' = slope * grey + intercept, with
 * grey from 0 to 1. What the first window cut off stays cut off, which is why the picture is drawn anew after a drag.
 */
export function lineBetween(drawn: ImageWindow, wanted: ImageWindow, isInverted: boolean): { slope: number; intercept: number } {
  const slope = drawn.width / wanted.width
  const intercept = (drawn.center - wanted.center) / wanted.width + 0.5 - slope / 2
  return isInverted ? { slope, intercept: 1 - slope - intercept } : { slope, intercept }
}

/** Letters of the four edges. */
interface EdgeMarks { top: string; right: string; bottom: string; left: string }

const opposites: Record<string, string> = { A: 'P', P: 'A', R: 'L', L: 'R', H: 'F', F: 'H' }
const opposite = (letters: string): string => [...letters].map((letter) => opposites[letter] ?? '?').join('')

/** Anatomical letters at the edges of the screen: those of the file, moved with every turn and mirroring. Null when the file names none. */
export function marksOf(directions: ImageFacts['directions'], look: Pick<ImageLook, 'turn' | 'isMirrored'>): EdgeMarks | null {
  if (directions === null) return null
  const [alongRow, downColumn] = directions
  const [left, right] = look.isMirrored ? [alongRow, opposite(alongRow)] : [opposite(alongRow), alongRow]
  // Clockwise from the top: a quarter turn moves each letter to the next edge.
  const round = [opposite(downColumn), right, downColumn, left]
  const at = (edge: number): string => round[(edge - look.turn / 90 + 4) % 4]!
  return { top: at(0), right: at(1), bottom: at(2), left: at(3) }
}

/** In which ways a look differs from what the model sees, in the order in which they are told. */
export function differencesOf(look: ImageLook): ('frame' | 'window' | 'inverted' | 'mirrored' | 'turned')[] {
  return [
    ...(look.frame === 0 ? [] : ['frame' as const]),
    ...(hasOwnWindow(look) ? [] : ['window' as const]), ...(look.isInverted ? ['inverted' as const] : []),
    ...(look.isMirrored ? ['mirrored' as const] : []), ...(look.turn === 0 ? [] : ['turned' as const]),
  ]
}

/** Factor by which a picture turned on its side must grow or shrink to fit its frame again. All sizes in pixels. */
export function fitFactor(turn: ImageLook['turn'], image: { width: number; height: number }, frame: { width: number; height: number }): number {
  if (turn % 180 === 0 || image.width <= 0 || image.height <= 0 || frame.width <= 0 || frame.height <= 0) return 1
  return Math.min(frame.width / image.height, frame.height / image.width) / Math.min(frame.width / image.width, frame.height / image.height)
}
