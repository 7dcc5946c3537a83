import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import sharp, { type Sharp } from 'sharp'
import { onTestFinished } from 'vitest'
import type { Mapping } from '../../../engine/domain/mapping.ts'
import type { EngineData, JobContext, Progress } from '../../../engine/protocol.ts'

export { makeXlsx, makeZip } from './make-xlsx.ts'

/** An empty folder that is removed after the test. */
export async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lacuna-import-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** Writes files by relative path; text is UTF-8. */
export async function writeFiles(folder: string, files: Record<string, Buffer | string>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), content)
  }
}

export interface RecordingContext extends JobContext {
  data: EngineData[]
  reports: Progress[]
  abort: AbortController
}

/** A job context that keeps what it is given; `take` stands in for the host's writing. */
export function createContext(take: (data: EngineData) => Promise<void> | void = () => undefined): RecordingContext {
  const abort = new AbortController()
  const data: EngineData[] = []
  const reports: Progress[] = []
  return {
    data, reports, abort, signal: abort.signal, shouldStop: () => false,
    progress: (progress) => reports.push(progress),
    send: async (entry) => {
      data.push(entry)
      await take(entry)
    },
  }
}

/** A small colourful picture, different for each seed. */
export function picture(seed: number, width = 24, height = 16): Sharp {
  const pixels = Buffer.alloc(width * height * 3)
  for (let i = 0; i < pixels.length; i++) pixels[i] = (i * 31 + seed * 57 + ((i * seed) >> 3)) & 255
  return sharp(pixels, { raw: { width, height, channels: 3 } })
}

export const jpeg = (seed: number, width?: number, height?: number): Promise<Buffer> => picture(seed, width, height).jpeg().toBuffer()
export const png = (seed: number, width?: number, height?: number): Promise<Buffer> => picture(seed, width, height).png().toBuffer()

/** One image, one note, two yes/no labels: columns id, image, note, A, B. */
export const plainMapping: Mapping = {
  profile: 'manual', patientIdColumn: 'id', rowUnit: { kind: 'patient' },
  slots: [
    { slot: { slotId: 'photo', modality: 'image', title: 'Photo', letter: 'P' }, source: { kind: 'column', column: 'image', view: null } },
    { slot: { slotId: 'note', modality: 'text', title: 'Note', letter: 'N' }, source: { kind: 'template', template: '{note}' } },
  ],
  labels: { kind: 'one-hot', columns: [{ column: 'A', name: 'Alpha' }, { column: 'B', name: 'Beta' }] },
  attributes: { age: null, sex: null },
}
