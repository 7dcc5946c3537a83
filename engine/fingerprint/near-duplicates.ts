/**
 * Pairs of pictures that show the same, saved again: other size, format, compression or brightness.
 *
 * Candidates are pairs of perceptual hashes at most `radius` bits apart, found by multi-index hashing (Norouzi, Punjani and Fleet 2012,
 * section 3): of four chunks of 16 bits, two hashes at most 8 bits apart agree in one up to two bits, so that only buckets up to two bits
 * away are looked into. A candidate counts when the 32 x 32 pictures, without what all pictures of their slot have in common, correlate.
 * The common part must go: two fundus photographs of strangers correlate up to 0.996 as they are, because both are discs on black.
 *
 * Limits were set on public images (see DECISIONS): saved again in nine ways, all pairs correlate above 0.985 and are at most 6 bits
 * apart; no two different fundus photographs (319,600 pairs) exceed 0.96. Cut or annotated copies are beyond this method.
 */
import { thumbnailEdge } from '../domain/image-measures.ts'

export const nearDuplicateRadius = 8
export const minSimilarity = 0.975
/** Pictures with less spread have no content to compare; all of them look alike. */
const minSdLuminance = 2
/** Candidates that are compared; where there are more, the radius shrinks. */
const maxCandidates = 3_000_000

export interface ComparableImage {
  /** Pictures of one slot show the same kind of thing. */
  slotId: string
  perceptualHash: string
  sdLuminance: number
  thumbnail: Uint8Array
}

/** `first < second`, both places in the given list. */
export interface AlikePair { first: number; second: number; hammingDistance: number; similarity: number }

/**
 * All pairs of pictures that show the same. Give each content once: byte-identical files are not looked for here.
 * `compared` counts the pictures with any content; `radius` is the largest hash distance that was looked at.
 */
export function findNearDuplicates(images: readonly ComparableImage[]): { pairs: AlikePair[]; compared: number; radius: number } {
  const kept = images.flatMap((image, at) => (image.sdLuminance >= minSdLuminance ? [at] : []))
  const hashes = splitHashes(kept.map((at) => images[at]!.perceptualHash))
  let radius = nearDuplicateRadius
  let candidates = findCandidates(hashes, radius)
  while (candidates === null) {
    radius -= 2
    candidates = radius < 0 ? [] : findCandidates(hashes, radius)
  }
  const similarity = createSimilarity(kept.map((at) => images[at]!))
  const pairs = candidates.flatMap(({ first, second, hammingDistance }) => {
    const value = similarity(first, second)
    return value >= minSimilarity ? [{ first: kept[first]!, second: kept[second]!, hammingDistance, similarity: value }] : []
  })
  pairs.sort((a, b) => b.similarity - a.similarity || a.first - b.first || a.second - b.second)
  return { pairs, compared: kept.length, radius: Math.max(0, radius) }
}

const chunkCount = 4
const chunkBits = 16

/**
 * Each hash as four chunks of 16 bits: [4][n]. Every fourth bit goes to the same chunk: the lowest frequencies of pictures of one kind are
 * nearly equal, and a chunk of only these would put all pictures into a few buckets.
 */
function splitHashes(hashes: readonly string[]): Uint16Array[] {
  const chunks = Array.from({ length: chunkCount }, () => new Uint16Array(hashes.length))
  hashes.forEach((hash, i) => {
    for (let digit = 0; digit < hash.length; digit++) {
      const bits = parseInt(hash[digit]!, 16)
      for (let c = 0; c < chunkCount; c++) chunks[c]![i]! |= ((bits >> c) & 1) << digit
    }
  })
  return chunks
}

const bitCounts = Uint8Array.from({ length: 1 << chunkBits }, (_, value) => {
  let count = 0
  for (let rest = value; rest > 0; rest &= rest - 1) count++
  return count
})

/** Numbers of 16 bits with at most `most` bits set: 137 for two. */
function masksUpTo(most: number): number[] {
  return Array.from({ length: 1 << chunkBits }, (_, mask) => mask).filter((mask) => bitCounts[mask]! <= most)
}

/** Pairs at most `radius` bits apart; null when there are more than are worth comparing. */
function findCandidates(hashes: readonly Uint16Array[], radius: number): Omit<AlikePair, 'similarity'>[] | null {
  const n = hashes[0]!.length
  const perChunk = Math.floor(radius / chunkCount)
  const masks = masksUpTo(perChunk)
  const found: Omit<AlikePair, 'similarity'>[] = []
  for (let c = 0; c < chunkCount; c++) {
    const { starts, members } = bucketsOf(hashes[c]!)
    for (let i = 0; i < n; i++) {
      for (const mask of masks) {
        const bucket = hashes[c]![i]! ^ mask
        for (let at = starts[bucket]!; at < starts[bucket + 1]!; at++) {
          const j = members[at]!
          if (j <= i) continue
          const hammingDistance = distance(hashes, i, j)
          if (hammingDistance > radius || wasFoundBefore(hashes, i, j, c, perChunk)) continue
          if (found.length >= maxCandidates) return null
          found.push({ first: i, second: j, hammingDistance })
        }
      }
    }
  }
  return found
}

/** Which hashes have each value of a chunk: `members` from `starts[value]` to `starts[value + 1]`. */
function bucketsOf(chunk: Uint16Array): { starts: Uint32Array; members: Uint32Array } {
  const starts = new Uint32Array((1 << chunkBits) + 1)
  for (const value of chunk) starts[value + 1]!++
  for (let value = 0; value < 1 << chunkBits; value++) starts[value + 1]! += starts[value]!
  const next = starts.slice()
  const members = new Uint32Array(chunk.length)
  chunk.forEach((value, i) => { members[next[value]!++] = i })
  return { starts, members }
}

/** A pair that is close in several chunks is taken in the first of them. */
function wasFoundBefore(hashes: readonly Uint16Array[], i: number, j: number, chunk: number, perChunk: number): boolean {
  for (let c = 0; c < chunk; c++) if (bitCounts[hashes[c]![i]! ^ hashes[c]![j]!]! <= perChunk) return true
  return false
}

function distance(hashes: readonly Uint16Array[], i: number, j: number): number {
  const [first, second, third, fourth] = hashes as [Uint16Array, Uint16Array, Uint16Array, Uint16Array]
  return bitCounts[first[i]! ^ first[j]!]! + bitCounts[second[i]! ^ second[j]!]! + bitCounts[third[i]! ^ third[j]!]! + bitCounts[fourth[i]! ^ fourth[j]!]!
}

/**
 * Correlation of two pictures [32, 32], each brought to mean 0 and spread 1, after taking away the mean picture of the other images of
 * their slots. The pair itself does not enter that mean: in a small cohort it would take its own likeness away.
 */
function createSimilarity(images: readonly ComparableImage[]): (i: number, j: number) => number {
  const P = thumbnailEdge ** 2
  const standards = images.map(({ thumbnail }) => standardOf(thumbnail))
  const bySlot = new Map<string, { sum: Float64Array; count: number }>()
  images.forEach(({ slotId, thumbnail }, i) => {
    const held = bySlot.get(slotId) ?? { sum: new Float64Array(P), count: 0 }
    for (let k = 0; k < P; k++) held.sum[k]! += (thumbnail[k]! - standards[i]!.mean) / standards[i]!.sd
    held.count++
    bySlot.set(slotId, held)
  })
  return (i, j) => {
    const [first, second] = [images[i]!, images[j]!]
    const slots = [...new Set([first.slotId, second.slotId])].map((slotId) => bySlot.get(slotId)!)
    const others = slots.reduce((sum, { count }) => sum + count, 0) - 2
    let [xx, yy, xy, sx, sy] = [0, 0, 0, 0, 0]
    for (let k = 0; k < P; k++) {
      const a = (first.thumbnail[k]! - standards[i]!.mean) / standards[i]!.sd
      const b = (second.thumbnail[k]! - standards[j]!.mean) / standards[j]!.sd
      const common = others > 0 ? ((slots[0]!.sum[k]! + (slots[1]?.sum[k] ?? 0)) - a - b) / others : 0
      const x = a - common
      const y = b - common
      sx += x
      sy += y
      xx += x * x
      yy += y * y
      xy += x * y
    }
    const spread = Math.sqrt((xx - (sx * sx) / P) * (yy - (sy * sy) / P))
    return spread > 0 ? (xy - (sx * sy) / P) / spread : 0
  }
}

function standardOf(thumbnail: Uint8Array): { mean: number; sd: number } {
  let sum = 0
  let squares = 0
  for (const value of thumbnail) {
    sum += value
    squares += value * value
  }
  const mean = sum / thumbnail.length
  return { mean, sd: Math.max(1e-6, Math.sqrt(Math.max(0, squares / thumbnail.length - mean * mean))) }
}
