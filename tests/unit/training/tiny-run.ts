import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll } from 'vitest'
import { runConfigSchema, type Epoch, type Split } from '../../../engine/domain/run.ts'
import type { PredictionBlock } from '../../../engine/domain/exchange.ts'
import { type Slot } from '../../../engine/domain/slots.ts'
import type { JobContext, TrainingSpec } from '../../../engine/protocol.ts'
import { createRng } from '../../../engine/training/rng.ts'

/** Real backbone, real files, few of them: what a run promises, not how well it learns. */

export const slots: Slot[] = [
  { slotId: 'right-eye', modality: 'image', title: 'Right eye', letter: 'R' },
  { slotId: 'notes', modality: 'text', title: 'Notes', letter: 'N' },
]
const patientCount = 18
const weightsDir = process.env.LACUNA_WEIGHTS ?? ''
export let folder = ''
export let base: Omit<TrainingSpec, 'runDir' | 'runId'>

/** Makes the files before the tests of a file, and removes them behind. */
export function useTinyCohort(): void {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'lacuna-run-'))
    const rng = createRng(5)
    const studies = await Promise.all(Array.from({ length: patientCount }, async (_, index) => {
      const isBright = index % 2 === 0
      const pixels = Uint8Array.from({ length: 32 * 32 * 3 }, () => (isBright ? 150 : 40) + rng.integer(60))
      const bytes = await sharp(pixels, { raw: { width: 32, height: 32, channels: 3 } }).png().toBuffer()
      const path = join(folder, `${index}.png`)
      writeFileSync(path, bytes)
      const image = { slotId: 'right-eye', path, sha256: createHash('sha256').update(bytes).digest('hex'), text: null }
      const note = { slotId: 'notes', path: null, sha256: `note ${index}`, text: isBright ? 'Complains of glare at night.' : 'No complaints today.' }
      const items = index % 6 === 1 ? [image] : index % 6 === 4 ? [note] : [image, note]
      return { studyId: index + 1, patientId: index + 1, items, labels: Float32Array.of(isBright ? 1 : 0, index % 3 === 0 ? 1 : index === 7 ? Number.NaN : 0) }
    }))
    const sides: Split[] = studies.map((_, index) => (index < 10 ? 'train' : index < 14 ? 'val' : 'test'))
    mkdirSync(join(folder, 'cache'))
    base = {
      config: runConfigSchema.parse({ cohortId: 1, name: 'test', slotIds: ['right-eye', 'notes'], labelIds: [1, 2], epochs: 3, batchSize: 4, seed: 3, learningRate: 5e-3 }),
      slots, labelNames: ['Bright', 'Third'], studies, assignments: [sides], cacheDir: join(folder, 'cache'), weightsDir,
    }
  })

  afterAll(() => rmSync(folder, { recursive: true, force: true }))
}

export interface Recording { epochs: Epoch[]; blocks: PredictionBlock[]; checkpoints: string[] }

/** The context of a job that keeps what a run sends. */
export function record(options: { abortAfterEpoch?: number; stopAfterEpoch?: number } = {}): { context: JobContext; recording: Recording } {
  const abort = new AbortController()
  const recording: Recording = { epochs: [], blocks: [], checkpoints: [] }
  const context: JobContext = {
    signal: abort.signal, shouldStop: () => recording.epochs.some(({ epoch }) => epoch === options.stopAfterEpoch), progress: () => {},
    send: async (data) => {
      if (data.kind === 'epoch') {
        recording.epochs.push(data.epoch)
        if (data.epoch.epoch === options.abortAfterEpoch) abort.abort()
      } else if (data.kind === 'predictions') recording.blocks.push(data.block)
      else if (data.kind === 'checkpoint') recording.checkpoints.push(data.checkpoint.kind)
    },
  }
  return { context, recording }
}

export const specFor = (name: string, changes: Partial<TrainingSpec> = {}): TrainingSpec => {
  const runDir = join(folder, name)
  mkdirSync(runDir, { recursive: true })
  return { ...base, runId: 1, runDir, ...changes }
}

/** Logits by study and pattern, to compare runs exactly. */
export function logitsOf(recording: Recording): Record<string, number[]> {
  return Object.fromEntries(recording.blocks.flatMap((block) => block.studyIds.map((studyId, row) => [`${studyId} ${block.patterns[row]}`, [...block.logits.slice(row * 2, row * 2 + 2)]])))
}
