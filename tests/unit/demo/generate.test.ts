import sharp from 'sharp'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { drawFundus, fundusSize } from '../../../engine/demo/fundus.ts'
import { generateDemoCohort } from '../../../engine/demo/generate.ts'
import type { DemoCohort } from '../../../engine/demo/generate.ts'
import { generateLargeSource } from '../../../engine/demo/large-source.ts'
import { demoLabels } from '../../../engine/demo/signal.ts'
import { mappingSchema } from '../../../engine/domain/mapping.ts'
import { createRng } from '../../../engine/training/rng.ts'

const folder = mkdtempSync(join(tmpdir(), 'lacuna-demo-'))
let cohort: DemoCohort
let rows: Record<string, string>[]

beforeAll(async () => {
  cohort = await generateDemoCohort({ outDir: join(folder, 'first'), patientCount: 50 })
  rows = parse(readFileSync(cohort.tableFile), { columns: true })
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** One hash over every file of a folder, names included. */
function hashFolder(directory: string): string {
  const hash = createHash('sha256')
  for (const name of readdirSync(directory).sort()) hash.update(name).update(readFileSync(join(directory, name)))
  return hash.digest('hex')
}

test('the same seed writes the same bytes, another seed does not', async () => {
  const again = await generateDemoCohort({ outDir: join(folder, 'again'), patientCount: 6 })
  const once = await generateDemoCohort({ outDir: join(folder, 'once'), patientCount: 6 })
  const other = await generateDemoCohort({ outDir: join(folder, 'other'), patientCount: 6, seed: 8 })
  expect(hashFolder(once.sourceDir)).toBe(hashFolder(again.sourceDir))
  expect(readFileSync(once.tableFile)).toEqual(readFileSync(again.tableFile))
  expect(hashFolder(other.sourceDir)).not.toBe(hashFolder(again.sourceDir))
})

test('the table, the files and the mapping fit together', async () => {
  expect(rows).toHaveLength(50)
  expect(mappingSchema.parse(cohort.mapping)).toEqual(cohort.mapping)
  const columns = Object.keys(rows[0]!)
  expect(columns).toEqual(['patient_id', 'age', 'sex', 'seen_at', 'right_image', 'left_image', 'note', ...demoLabels])
  const files = readdirSync(cohort.sourceDir)
  expect(files).toHaveLength(cohort.imageCount)
  const named = new Set(rows.flatMap((row) => [row.right_image!, row.left_image!]))
  for (const file of files) expect(named).toContain(file)
  const metadata = await sharp(join(cohort.sourceDir, files[0]!)).metadata()
  expect([metadata.width, metadata.height, metadata.channels]).toEqual([256, 256, 3])
})

test('the table leaves out what the way in leaves out', () => {
  for (const row of rows) {
    expect(row.note !== '').toBe(row.seen_at !== 'screening')
    expect(row.right_image !== '' || row.left_image !== '').toBe(row.seen_at !== 'letter')
  }
})

test('the same eye is warmer and darker at the rim on the older camera', () => {
  const draw = (isOlderCamera: boolean) => {
    const rng = createRng(1)
    return drawFundus({ side: 'right', cup: 0.4, paleSpots: 0.2, redBlots: 0.2, veil: 0.1, fairness: 0.5, isOlderCamera }, rng.fork('anatomy'), rng.fork('exposure'))
  }
  const mean = (bytes: Uint8Array, channel: number, row: number) => {
    const values = Array.from({ length: 41 }, (_, i) => bytes[(row * fundusSize + fundusSize / 2 - 20 + i) * 3 + channel]!)
    return values.reduce((sum, value) => sum + value, 0) / values.length
  }
  const [older, newer] = [draw(true), draw(false)]
  const [middle, rim] = [fundusSize / 2, 14]
  expect(mean(older, 2, middle)).toBeLessThan(0.85 * mean(newer, 2, middle))
  expect(mean(older, 0, middle)).toBeGreaterThan(mean(newer, 0, middle))
  expect(mean(older, 0, rim)).toBeLessThan(mean(newer, 0, rim))
})

test('no two pictures are the same file', () => {
  const hashes = readdirSync(cohort.sourceDir).map((file) => createHash('sha256').update(readFileSync(join(cohort.sourceDir, file))).digest('hex'))
  expect(new Set(hashes).size).toBe(hashes.length)
})

test('the optic disc lies nasally: right of the middle in right eyes, left of it in left eyes', async () => {
  for (const file of readdirSync(cohort.sourceDir).slice(0, 20)) {
    const blue = await sharp(join(cohort.sourceDir, file)).blur(6).extractChannel('blue').raw().toBuffer()
    // Row through the disc, near the middle of the picture: the disc is the bluest thing there.
    const row = [...blue.subarray(124 * 256, 125 * 256)]
    const brightest = row.indexOf(Math.max(...row))
    expect(brightest > 128, file).toBe(file.includes('right'))
  }
})

test('a cancelled run stops', async () => {
  const controller = new AbortController()
  const run = generateDemoCohort({ outDir: join(folder, 'cancelled'), patientCount: 50, signal: controller.signal, onProgress: (done) => done === 2 && controller.abort() })
  await expect(run).rejects.toThrow()
  expect(readdirSync(join(folder, 'cancelled', 'images')).length).toBeLessThanOrEqual(4)
})

test('an unwritable folder is named in plain words', async () => {
  await expect(generateDemoCohort({ outDir: cohort.tableFile, patientCount: 1 })).rejects.toMatchObject({ code: 'EXPORT_FAILED' })
})

test('the large source has one valid picture of its own for every row', async () => {
  const large = await generateLargeSource({ outDir: join(folder, 'large'), rowCount: 130, seed: 3 })
  const files = readdirSync(large.sourceDir)
  expect(files).toHaveLength(130)
  const hashes = files.map((file) => createHash('sha256').update(readFileSync(join(large.sourceDir, file))).digest('hex'))
  expect(new Set(hashes).size).toBe(130)
  const { info } = await sharp(join(large.sourceDir, files[129]!)).raw().toBuffer({ resolveWithObject: true })
  expect([info.width, info.height]).toEqual([256, 256])
  expect(parse(readFileSync(large.tableFile), { columns: true })).toHaveLength(130)
})
