import sharp from 'sharp'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createRng } from '../training/rng.ts'
import { drawFundus, fundusSize } from './fundus.ts'
import { composeNote } from './notes.ts'
import { demoMapping, toCsv, writing } from './generate.ts'
import type { DemoCohort } from './generate.ts'
import { demoLabels, drawPatient, traitsOf } from './signal.ts'

export interface LargeSourceOptions {
  /** Folder to write into; made when it is not there. */
  outDir: string
  /** Rows, each a patient with one picture (right and left in turn) and a note. */
  rowCount: number
  seed: number
  signal?: AbortSignal
}

/** Different pictures; the rest are these again with other bytes. */
const pictureCount = 24
/** Files written at a time. */
const batchSize = 64

/**
 * Writes a large source for the import benchmark: `images/*.jpg` (256x256) and `patients.csv`, same columns as the demo cohort.
 * Drawing every picture would take longer than the import that is measured, so a few are drawn and every file gets
 * its own JPEG comment: valid, different bytes and SHA-256, the same pixels among rows `pictureCount` apart.
 * Labels and notes are the demo's; the pictures do not follow them, so nothing can be learnt from this source.
 * @throws AppError EXPORT_FAILED or STORE_DISK_FULL when the folder cannot be written; the signal's reason when cancelled
 */
export async function generateLargeSource({ outDir, rowCount, seed, signal }: LargeSourceOptions): Promise<DemoCohort> {
  const root = createRng(seed)
  const sourceDir = join(outDir, 'images')
  const tableFile = join(outDir, 'patients.csv')
  await writing(outDir, () => mkdir(sourceDir, { recursive: true }))
  const pictures: Buffer[] = []
  for (let index = 0; index < Math.min(pictureCount, rowCount); index++) {
    signal?.throwIfAborted()
    const rng = root.fork(`picture-${index}`)
    const side = index % 2 === 0 ? 'right' : 'left'
    const pixels = drawFundus(traitsOf(drawPatient('clinic', rng), side), rng.fork('anatomy'), rng.fork('exposure'))
    pictures.push(await sharp(pixels, { raw: { width: fundusSize, height: fundusSize, channels: 3 } }).jpeg({ quality: 85 }).toBuffer())
  }
  const rows = [['patient_id', 'age', 'sex', 'right_image', 'left_image', 'note', ...demoLabels]]
  let pending: Promise<void>[] = []
  for (let index = 0; index < rowCount; index++) {
    const rng = root.fork(`row-${index}`)
    const patient = drawPatient('clinic', rng)
    const patientId = `B${String(index + 1).padStart(6, '0')}`
    const isRight = index % 2 === 0
    const file = `${patientId}.jpg`
    const bytes = withComment(pictures[index % pictures.length]!, `synthetic ${seed}-${index}`)
    pending.push(writing(outDir, () => writeFile(join(sourceDir, file), bytes)))
    if (pending.length === batchSize) {
      await Promise.all(pending)
      pending = []
      signal?.throwIfAborted()
    }
    const note = composeNote(patient.isTold, patient.isNoted, rng)
    const labels = patient.isLabelled.map((is) => (is ? '1' : '0'))
    rows.push([patientId, String(40 + rng.integer(46)), rng.uniform() < 0.5 ? 'F' : 'M', isRight ? file : '', isRight ? '' : file, note, ...labels])
  }
  await Promise.all(pending)
  await writing(outDir, () => writeFile(tableFile, toCsv(rows)))
  return { sourceDir, tableFile, mapping: demoMapping, patientCount: rowCount, imageCount: rowCount }
}

/** Puts a comment segment (ITU-T T.81, B.2.4.5: marker FF FE, then a length that counts itself) right after the start of the image. */
function withComment(jpeg: Buffer, comment: string): Buffer {
  const text = Buffer.from(comment, 'latin1')
  const head = Buffer.from([0xff, 0xfe, 0, 0])
  head.writeUInt16BE(text.length + 2, 2)
  return Buffer.concat([jpeg.subarray(0, 2), head, text, jpeg.subarray(2)])
}
