/** Pixels -> connected strokes that could be letters: small, of even brightness, and clearly lighter or darker than what is around them. */
import type { RgbImage } from '../../../modalities/image-decode.ts'

/** A grey picture at working size: [height, width], values 0..255. `scale` = pixels of the original for each of its own. */
export interface GreyImage { values: Uint8Array; width: number; height: number; scale: number }

/** A connected stroke; the box is in pixels of the working size, `right` and `bottom` exclusive. */
export interface Stroke { left: number; top: number; right: number; bottom: number; area: number; level: number; contrast: number }

/** Longest edge looked at: letters of a 2,000-pixel radiograph are still 10 pixels high, and a picture takes some 20 ms. */
const longestEdge = 900
/** Half the window that a pixel is compared with: wider than a letter's stroke, narrower than a rib. */
const reach = 9
const leastStep = 33
const leastHeight = 4
const greatestHeight = 60
const leastArea = 7

/** Mean luminance at working size; boxes of whole pixels, so that thin strokes get paler but do not vanish. */
export function toGrey({ pixels, width, height, isGrey }: RgbImage): GreyImage {
  const scale = Math.max(1, Math.ceil(Math.max(width, height) / longestEdge))
  const [w, h] = [Math.floor(width / scale), Math.floor(height / scale)]
  const values = new Uint8Array(w * h)                                            // [h, w]
  const sums = new Uint32Array(w)
  const perBox = scale * scale
  for (let y = 0; y < h; y++) {
    sums.fill(0)
    for (let dy = 0; dy < scale; dy++) {
      let at = (y * scale + dy) * width * 3
      for (let x = 0; x < w; x++) {
        for (let dx = 0; dx < scale; dx++, at += 3) sums[x]! += isGrey === true ? pixels[at]! << 2 : pixels[at]! + 2 * pixels[at + 1]! + pixels[at + 2]!
      }
    }
    for (let x = 0; x < w; x++) values[y * w + x] = sums[x]! / (4 * perBox)
  }
  return { values, width: w, height: h, scale }
}

/** Strokes of one polarity: 1 = lighter than their surroundings, -1 = darker. */
export function findStrokes(image: GreyImage, polarity: 1 | -1): Stroke[] {
  const { width, height } = image
  const mask = markPixels(image, polarity)
  const labelled = new Uint8Array(width * height)
  const stack: number[] = []
  const strokes: Stroke[] = []
  for (let start = 0; start < mask.length; start++) {
    if (mask[start] === 0 || labelled[start] === 1) continue
    labelled[start] = 1
    stack.push(start)
    const box = { left: width, top: height, right: 0, bottom: 0, area: 0 }
    let levelSum = 0
    let stepSum = 0
    while (stack.length > 0) {
      const at = stack.pop()!
      const x = at % width
      const y = (at - x) / width
      box.area++
      levelSum += image.values[at]!
      stepSum += mask[at]!
      if (x < box.left) box.left = x
      if (x >= box.right) box.right = x + 1
      if (y < box.top) box.top = y
      if (y >= box.bottom) box.bottom = y + 1
      for (let dy = -1; dy <= 1; dy++) {
        const row = y + dy
        if (row < 0 || row >= height) continue
        for (let dx = -1; dx <= 1; dx++) {
          const column = x + dx
          if (column < 0 || column >= width) continue
          const next = row * width + column
          if (mask[next] !== 0 && labelled[next] === 0) {
            labelled[next] = 1
            stack.push(next)
          }
        }
      }
    }
    const stroke = { ...box, level: levelSum / box.area, contrast: stepSum / box.area }
    if (couldBeLetter(stroke)) strokes.push(stroke)
  }
  return strokes
}

function couldBeLetter({ left, top, right, bottom, area }: Stroke): boolean {
  const [w, h] = [right - left, bottom - top]
  if (h < leastHeight || h > greatestHeight || area < leastArea || w > 2.5 * h) return false
  const fill = area / (w * h)
  // An upright stroke (I, 1, l) fills its box; nothing else that is wide does.
  return fill >= 0.15 && (fill <= 0.85 || w <= 0.5 * h)
}

/** For each pixel how far it stands out of the mean around it, 0 where it does not by `leastStep`: [height, width]. */
function markPixels({ values, width, height }: GreyImage, polarity: 1 | -1): Uint8Array {
  const mask = new Uint8Array(width * height)
  // Running column sums: one addition and one subtraction for each pixel, whatever the window.
  const columns = new Int32Array(width)
  let rows = 0
  for (let y = 0; y < Math.min(reach, height); y++, rows++) for (let x = 0; x < width; x++) columns[x]! += values[y * width + x]!
  for (let y = 0; y < height; y++) {
    if (y + reach < height) {
      for (let x = 0, at = (y + reach) * width; x < width; x++, at++) columns[x]! += values[at]!
      rows++
    }
    if (y - reach - 1 >= 0) {
      for (let x = 0, at = (y - reach - 1) * width; x < width; x++, at++) columns[x]! -= values[at]!
      rows--
    }
    let sum = 0
    let count = 0
    for (let x = 0; x < Math.min(reach, width); x++, count++) sum += columns[x]!
    for (let x = 0, at = y * width; x < width; x++, at++) {
      if (x + reach < width) {
        sum += columns[x + reach]!
        count++
      }
      if (x - reach - 1 >= 0) {
        sum -= columns[x - reach - 1]!
        count--
      }
      const step = polarity * (values[at]! - sum / (count * rows))
      if (step >= leastStep) mask[at] = step > 255 ? 255 : step
    }
  }
  return mask
}
