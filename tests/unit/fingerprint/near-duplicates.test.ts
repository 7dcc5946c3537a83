import sharp, { type Sharp } from 'sharp'
import { expect, it } from 'vitest'
import { drawFundus, fundusSize as size } from '../../../engine/demo/fundus.ts'
import { measureImage } from '../../../engine/fingerprint/measure-image.ts'
import { findNearDuplicates, type ComparableImage } from '../../../engine/fingerprint/near-duplicates.ts'
import { createRng } from '../../../engine/training/rng.ts'

/** Eyes of as many synthetic patients: right eyes at even places. */
function drawEyes(count: number): Uint8Array[] {
  const root = createRng(11)
  return Array.from({ length: count }, (_, i) => {
    const rng = root.fork(`eye-${i}`)
    const traits = { side: i % 2 === 0 ? 'right' : 'left', cup: 0.3 + 0.4 * rng.uniform(), paleSpots: rng.uniform(), redBlots: rng.uniform(), veil: 0.3 * rng.uniform(), fairness: rng.uniform(), isOlderCamera: rng.uniform() < 0.5 } as const
    return drawFundus(traits, rng.fork('anatomy'), rng.fork('exposure'))
  })
}

async function comparable(picture: Sharp, slotId = 'eye'): Promise<ComparableImage> {
  const { data, info } = await picture.removeAlpha().raw().toBuffer({ resolveWithObject: true })
  const measures = measureImage({ pixels: new Uint8Array(data), width: info.width, height: info.height }, { byteSize: 1, format: 'png' })
  return { slotId, perceptualHash: measures.perceptualHash, sdLuminance: measures.sdLuminance, thumbnail: measures.thumbnail }
}

const open = (pixels: Uint8Array) => sharp(pixels, { raw: { width: size, height: size, channels: 3 } })

it('finds copies saved again in other ways among pictures that look alike, and nothing else', async () => {
  const pictures = drawEyes(60)
  const images = await Promise.all(pictures.map((pixels, i) => comparable(open(pixels), i % 2 === 0 ? 'right' : 'left')))
  expect(findNearDuplicates(images).pairs).toEqual([])
  const copies: [of: number, copy: Buffer][] = [
    [3, await open(pictures[3]!).jpeg({ quality: 40 }).toBuffer()],
    [10, await open(pictures[10]!).resize(90, 90).png().toBuffer()],
    [21, await open(pictures[21]!).resize(117, 117).jpeg({ quality: 70 }).toBuffer()],
    [34, await open(pictures[34]!).linear(1.1, 0).jpeg({ quality: 85 }).toBuffer()],
    [47, await open(pictures[47]!).linear(0.9, 5).webp().toBuffer()],
    [50, await open(pictures[50]!).resize(200, 150, { fit: 'fill' }).jpeg().toBuffer()],
  ]
  // The copies stand in the other slot as well: a right eye imported as somebody's left.
  const planted = await Promise.all(copies.map(([, copy], i) => comparable(sharp(copy), i % 2 === 0 ? 'right' : 'left')))
  const { pairs, compared, radius } = findNearDuplicates([...images, ...planted])
  expect(pairs.map(({ first, second }) => [first, second - 60]).sort((a, b) => a[0]! - b[0]!)).toEqual(copies.map(([of], i) => [of, i]))
  expect({ compared, radius }).toEqual({ compared: 66, radius: 8 })
})

it('leaves flat pictures out instead of pairing them all', async () => {
  const flat = await Promise.all([10, 120, 240].map((grey) => comparable(sharp({ create: { width: 40, height: 40, channels: 3, background: { r: grey, g: grey, b: grey } } }))))
  expect(findNearDuplicates(flat)).toEqual({ pairs: [], compared: 0, radius: 8 })
})

it('finds every pair up to eight bits apart that a comparison of all pairs finds', () => {
  // One picture for all, so that only the hashes decide.
  const thumbnail = Uint8Array.from({ length: 1024 }, (_, i) => (i * 29) % 251)
  let state = 1
  const next = (): number => (state = (state * 48271) % 2147483647)
  const bits = (count: number): bigint => Array.from({ length: count }, () => 1n << BigInt(next() % 64)).reduce((sum, bit) => sum ^ bit, 0n)
  const centres = Array.from({ length: 12 }, () => (BigInt(next()) << 33n) ^ BigInt(next()))
  const hashes = Array.from({ length: 240 }, (_, i) => BigInt.asUintN(64, centres[i % 12]! ^ bits(next() % 8)))
  const images = hashes.map((hash) => ({ slotId: 'x', perceptualHash: hash.toString(16).padStart(16, '0'), sdLuminance: 50, thumbnail }))
  const expected = hashes.flatMap((a, i) => hashes.slice(i + 1).flatMap((b, k) => ((a ^ b).toString(2).replaceAll('0', '').length <= 8 ? [`${i}-${i + 1 + k}`] : [])))
  const found = findNearDuplicates([...images, { slotId: 'x', perceptualHash: 'f'.repeat(16), sdLuminance: 50, thumbnail: thumbnail.map((v) => 251 - v) }])
  expect(found.pairs.map(({ first, second }) => `${first}-${second}`).sort()).toEqual(expected.sort())
  expect(expected.length).toBeGreaterThan(300)
})
