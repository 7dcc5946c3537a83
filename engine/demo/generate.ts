import sharp from 'sharp'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../domain/errors.ts'
import type { Mapping } from '../domain/mapping.ts'
import { createRng } from '../training/rng.ts'
import type { Rng } from '../training/rng.ts'
import { drawFundus, fundusSize } from './fundus.ts'
import { composeNote } from './notes.ts'
import { demoLabels, drawGaps, drawPatient, pathways, traitsOf } from './signal.ts'
import type { EyeGap } from './signal.ts'

export interface DemoCohortOptions {
  /** Folder to write into; made when it is not there. Files of an earlier run with the same names are overwritten. */
  outDir: string
  seed?: number
  patientCount?: number
  onProgress?: (done: number, total: number) => void
  signal?: AbortSignal
}

/** What the importer needs to take the cohort in, as the wizard would ask for it. */
export interface DemoCohort {
  sourceDir: string
  tableFile: string
  mapping: Mapping
  patientCount: number
  imageCount: number
}

const sides = ['right', 'left'] as const

export const demoMapping: Mapping = {
  profile: 'demo',
  patientIdColumn: 'patient_id',
  rowUnit: { kind: 'patient' },
  slots: [
    { slot: { slotId: 'right-eye', modality: 'image', title: 'Right eye', letter: 'R' }, source: { kind: 'column', column: 'right_image', view: null } },
    { slot: { slotId: 'left-eye', modality: 'image', title: 'Left eye', letter: 'L' }, source: { kind: 'column', column: 'left_image', view: null } },
    { slot: { slotId: 'notes', modality: 'text', title: 'Notes', letter: 'N' }, source: { kind: 'template', template: '{note}' } },
  ],
  labels: { kind: 'one-hot', columns: demoLabels.map((name) => ({ column: name, name })) },
  attributes: { age: 'age', sex: 'sex', site: 'seen_at' },
}

/**
 * Writes the synthetic demo cohort: `images/*` and `patients.csv`. The same seed, patient count and version of sharp
 * give the same files byte for byte. The planted signal is documented in resources/demo/README.md.
 * @throws AppError EXPORT_FAILED or STORE_DISK_FULL when the folder cannot be written; the signal's reason when cancelled
 */
export async function generateDemoCohort(options: DemoCohortOptions): Promise<DemoCohort> {
  const { outDir, seed = 7, patientCount = 600, onProgress, signal } = options
  const root = createRng(seed)
  const sourceDir = join(outDir, 'images')
  const tableFile = join(outDir, 'patients.csv')
  const gaps = drawGaps(patientCount, root.fork('missing'))
  const rows = [['patient_id', 'age', 'sex', 'seen_at', 'right_image', 'left_image', 'note', ...demoLabels]]
  let imageCount = 0
  await writing(outDir, () => mkdir(sourceDir, { recursive: true }))
  for (let index = 0; index < patientCount; index++) {
    signal?.throwIfAborted()
    const rng = root.fork(`patient-${index}`)
    const gap = gaps[index]!
    const patient = drawPatient(gap.pathway, rng.fork('signal'))
    const patientId = `D${String(index + 1).padStart(4, '0')}`
    // A few PNG among the JPEG, whoever they belong to: a delivery from two machines.
    const extension = rng.fork('format').uniform() < 0.12 ? 'png' : 'jpg'
    const cells: Record<'right' | 'left', string> = { right: '', left: '' }
    // Drawing is serial in this thread, encoding runs beside it in sharp's threads.
    const encoded: Promise<void>[] = []
    for (const side of sides) {
      const missing: EyeGap | null = gap[side]
      if (missing === 'blank') continue
      cells[side] = `${patientId}_${side}.${extension}`
      if (missing === 'file-missing') continue
      const pixels = drawFundus(traitsOf(patient, side), rng.fork(`anatomy-${side}`), rng.fork(`exposure-${side}`))
      encoded.push(writing(outDir, () => encode(pixels, join(sourceDir, cells[side]))))
      imageCount++
    }
    await Promise.all(encoded)
    const note = gap.hasNote ? composeNote(patient.isTold, pathways[gap.pathway].hasImages ? patient.isNoted : null, rng.fork('note')) : ''
    rows.push([patientId, ...drawAttributes(rng.fork('attributes')), gap.pathway, cells.right, cells.left, note, ...patient.isLabelled.map((is) => (is ? '1' : '0'))])
    onProgress?.(index + 1, patientCount)
  }
  await writing(outDir, () => writeFile(tableFile, toCsv(rows)))
  return { sourceDir, tableFile, mapping: demoMapping, patientCount, imageCount }
}

/** Age in years (40..85) and sex, independent of everything else. */
function drawAttributes(rng: Rng): [string, string] {
  const age = Math.round(Math.min(85, Math.max(40, 62 + 10 * rng.normal())))
  return [String(age), rng.uniform() < 0.5 ? 'F' : 'M']
}

async function encode(pixels: Uint8Array, file: string): Promise<void> {
  const image = sharp(pixels, { raw: { width: fundusSize, height: fundusSize, channels: 3 } })
  const bytes = file.endsWith('.png')
    ? await image.png({ compressionLevel: 6 }).toBuffer()
    : await image.jpeg({ quality: 92, chromaSubsampling: '4:4:4' }).toBuffer()
  await writeFile(file, bytes)
}

export function toCsv(rows: readonly (readonly string[])[]): string {
  const quote = (cell: string): string => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)
  return rows.map((row) => `${row.map(quote).join(',')}\n`).join('')
}

/** Runs one file operation and names the folder when the disk refuses. */
export async function writing<T>(outDir: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOSPC') throw new AppError('STORE_DISK_FULL', `The disk is full: ${outDir} cannot be written.`, { cause: error })
    if (code === undefined) throw error
    throw new AppError('EXPORT_FAILED', `${outDir} cannot be written (${code}).`, { cause: error })
  }
}
