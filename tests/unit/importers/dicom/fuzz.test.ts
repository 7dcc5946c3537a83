import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { AppError } from '../../../../engine/domain/errors.ts'
import { readDicom } from '../../../../engine/importers/dicom/read-dicom.ts'
import { encode, imageElements, makeValues, syntaxes, toBytes, writeDicom, type Elements, type Encoder, type Shape } from './make-dicom.ts'

/** A thousandth part in everyday tests; LACUNA_FUZZ=100000 for the whole. The seed of a failure stands in its message. */
const fileCount = Number(process.env['LACUNA_FUZZ'] ?? 300)
const firstSeed = Number(process.env['LACUNA_FUZZ_SEED'] ?? 1)
const maxMs = 2000
const maxGrowthBytes = 1e9

const colour: Shape = { rows: 24, columns: 32, bits: 8, samples: 3 }
const coded: [encoder: Encoder, syntax: string, shape: Shape, parameters?: object][] = [
  ['encodeJpeg', syntaxes.jpegBaseline, { rows: 32, columns: 40, bits: 8 }, { lossy: true }], ['encodeJpeg', syntaxes.jpegBaseline, { ...colour, photometric: 'YBR_FULL_422' }, { lossy: true }],
  ['encodeJpeg', syntaxes.jpegLossless, { rows: 32, columns: 40, bits: 12 }], ['encodeJpeg', syntaxes.jpegLossless, { rows: 32, columns: 40, bits: 16 }],
  ['encodeJpegLs', syntaxes.jpegLs, { rows: 32, columns: 40, bits: 12 }], ['encodeJpegLs', syntaxes.jpegLs, colour],
  ['encodeJpeg2000', syntaxes.jpeg2000, { rows: 32, columns: 40, bits: 12 }], ['encodeJpeg2000', syntaxes.jpeg2000, colour],
  ['encodeHtJpeg2000', syntaxes.highThroughput, { rows: 32, columns: 40, bits: 12 }], ['encodeRle', syntaxes.rle, { rows: 32, columns: 40, bits: 16 }],
]

async function makeSeeds(): Promise<Buffer[]> {
  const shape: Shape = { rows: 12, columns: 10, bits: 12, frames: 2 }
  const values = [...makeValues(shape), ...makeValues(shape, 5)]
  const header: Elements = {
    ...imageElements(shape), '0028,1050': ['DS', '40\\300'], '0028,1051': ['DS', '80\\2000'],
    '0028,3000': ['SQ', [{ '0028,3002': ['US', [4, 0, 16]], '0028,3006': ['OW', [0, 1, 2, 3]] }]], '5200,9229': ['SQ', [{ '0020,9071': ['SQ', [{ '0020,9072': ['CS', 'R'] }]] }]],
  }
  const palette = Object.fromEntries([1, 2, 3].flatMap((i) => [[`0028,110${i}`, ['US', [4, 0, 16]]], [`0028,122${i}`, ['OW', [0, 1, 10, 1, 3, 90]]]])) as Elements
  const native = Object.values(syntaxes).slice(0, 4).map((syntax) => writeDicom(header, toBytes(values, 2), { syntax }))
  const indexed = writeDicom({ ...imageElements({ rows: 4, columns: 4, bits: 8, photometric: 'PALETTE COLOR' }), ...palette }, Buffer.alloc(16, 2))
  const compressed = await Promise.all(coded.map(async ([encoder, syntax, one, parameters]) => {
    const frame = await encode(encoder, makeValues(one), one, { lossy: false, ...parameters })
    return writeDicom(imageElements(one), { table: [0], fragments: [frame] }, { syntax })
  }))
  return [...native, indexed, ...compressed, writeDicom(header, toBytes(values, 2), { hasPreamble: false, hasMeta: false, isImplicit: true })]
}

function createRandom(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}

/** What copies, networks and bad sectors do to files, and what a hostile writer would. */
function mutate(source: Buffer, random: (below: number) => number): Buffer {
  let bytes = Buffer.from(source)
  for (let times = 1 + random(4); times > 0; times--) {
    const at = random(Math.max(1, bytes.length))
    const kind = random(8)
    if (kind === 0) bytes = bytes.subarray(0, at)
    else if (kind === 1) bytes.fill(0, at, Math.min(bytes.length, at + random(64)))
    else if (kind === 2) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.max(0, at - random(200)))])
    else if (kind === 3) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random(40))])
    else if (kind === 4 && at + 4 <= bytes.length) bytes.writeUInt32LE([0xffffffff, 0x7fffffff, 0x80000000, 0xfffffffe, 0, 1][random(6)]!, at)
    else if (kind === 5 && at + 2 <= bytes.length) bytes.writeUInt16LE([0xffff, 0x7fff, 0x8000, 0, 1][random(5)]!, at)
    else for (let flips = 1 + random(6); flips > 0 && bytes.length > 0; flips--) bytes[random(bytes.length)] = random(256)
  }
  return bytes
}

it(`reads or refuses ${fileCount} mutated files, each at once`, async () => {
  const seeds = await makeSeeds()
  for (const seed of seeds) expect(() => readDicom(seed).renderFrame(0)).not.toThrow()
  const rssBefore = process.memoryUsage.rss()
  let readable = 0
  for (let i = firstSeed; i < firstSeed + fileCount; i++) {
    const random = createRandom(i)
    const bytes = mutate(seeds[random(seeds.length)]!, random)
    // Left behind when the process dies or hangs, so that the file can be looked at.
    if (fileCount > 5000) writeFileSync(join(tmpdir(), 'lacuna-fuzz.dcm'), bytes)
    const cpuBefore = process.cpuUsage()
    try {
      const image = readDicom(bytes)
      for (let frame = 0; frame < Math.min(3, image.description.frameCount); frame++) image.renderFrame(frame)
      readable++
    } catch (error) {
      if (!(error instanceof AppError)) throw new Error(`seed ${i} ends in no refusal`, { cause: error })
    }
    // Of the processor, not of the clock: a busy machine is no slow decoder.
    const { user, system } = process.cpuUsage(cpuBefore)
    const cpuMs = (user + system) / 1000
    if (cpuMs > maxMs) throw new Error(`seed ${i} took ${Math.round(cpuMs)} ms`)
  }
  expect(readable).toBeGreaterThan(fileCount / 100)
  expect(readable).toBeLessThan(fileCount)
  expect(process.memoryUsage.rss() - rssBefore).toBeLessThan(maxGrowthBytes)
}, 60_000 + fileCount * 60)
