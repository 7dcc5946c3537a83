import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { ImportedItem, ImportedStudy } from '../../../engine/domain/import.ts'
import { mappingSchema } from '../../../engine/domain/mapping.ts'
import { runConfigSchema, type RunConfigInput } from '../../../engine/domain/run.ts'
import type { Slot } from '../../../engine/domain/slots.ts'
import type { ImportStart, PredictionBlock, TrainingSummary } from '../../../engine/domain/exchange.ts'
import { openStore, type OpenStoreOptions, type Store } from '../../../engine/store/open.ts'

/** Synthetic people only. */

export const slots: Slot[] = [
  { slotId: 'right-eye', modality: 'image', title: 'Right eye', letter: 'R' },
  { slotId: 'left-eye', modality: 'image', title: 'Left eye', letter: 'L' },
  { slotId: 'notes', modality: 'text', title: 'Notes', letter: 'N' },
]
export const labelNames = ['glaucoma', 'cataract']

export const mapping = mappingSchema.parse({
  patientIdColumn: 'ID',
  slots: [
    { slot: slots[0], source: { kind: 'column', column: 'Right' } },
    { slot: slots[1], source: { kind: 'column', column: 'Left' } },
    { slot: slots[2], source: { kind: 'template', template: '{Notes}' } },
  ],
  labels: { kind: 'list', column: 'Labels' },
})

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lacuna-store-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A clock that goes one second further at each look. */
export function steppingClock(): () => string {
  let seconds = 0
  return () => new Date(Date.UTC(2024, 0, 1, 0, 0, seconds++)).toISOString()
}

export function openTestStore(folder = temporaryFolder(), options: Partial<OpenStoreOptions> = {}): Store {
  const store = openStore(join(folder, 'lacuna.db'), { appVersion: '0.1.0', now: steppingClock(), ...options })
  onTestFinished(() => store.close())
  return store
}

export function imageItem(slotId: string, ordinal: number, content = `${slotId} ${ordinal}`): ImportedItem {
  return {
    slotId, isPresent: true, reason: null, detail: null, sourcePath: `images/${slotId}-${ordinal}.png`, sha256: sha256(content),
    byteSize: 1000, widthPx: 64, heightPx: 48, text: null,
  }
}

export function absentItem(slotId: string, reason: ImportedItem['reason'] = 'file-missing'): ImportedItem {
  return { slotId, isPresent: false, reason, detail: null, sourcePath: null, sha256: null, byteSize: null, widthPx: null, heightPx: null, text: null }
}

export function textItem(slotId: string, text: string): ImportedItem {
  return { ...absentItem(slotId), isPresent: true, reason: null, sha256: sha256(text), byteSize: text.length, text }
}

/** Study `ordinal` of a regular cohort: every third lacks the left eye, every fifth the notes, every seventh has an unknown label. */
export function makeStudy(ordinal: number, changes: Partial<ImportedStudy> = {}): ImportedStudy {
  return {
    ordinal,
    patientKey: `P${String(ordinal >> 1).padStart(5, '0')}`,
    studyKey: `visit-${ordinal % 2}`,
    rows: [ordinal + 2],
    ageYears: ordinal % 11 === 0 ? null : 40 + (ordinal % 50),
    sex: ordinal % 2 === 0 ? 'female' : 'male',
    items: [
      imageItem('right-eye', ordinal),
      ordinal % 3 === 0 ? absentItem('left-eye') : imageItem('left-eye', ordinal),
      ordinal % 5 === 0 ? absentItem('notes', 'not-collected') : textItem('notes', `note ${ordinal}`),
    ],
    labels: [ordinal % 4 === 0 ? 1 : 0, ordinal % 7 === 0 ? null : ordinal % 2 === 0 ? 1 : 0],
    ...changes,
  }
}

export function makeStart(studyCount: number, changes: Partial<ImportStart> = {}): ImportStart {
  return { tableSha256: sha256('table'), rowsIn: studyCount, studyCount, slots, labelNames, task: 'multi-label', rejectedRows: [], labelWords: [], ...changes }
}

export function createEmptyCohort(store: Store, name = 'Eyes'): number {
  return store.cohorts.create({ name, source: { sourceDir: '/data/eyes', tableFile: 'table.csv', sheet: null }, mapping })
}

/** A complete cohort of `studyCount` regular studies. */
export function addCohort(store: Store, studyCount: number, name = 'Eyes', change: (study: ImportedStudy) => ImportedStudy = (study) => study): number {
  const cohortId = createEmptyCohort(store, name)
  store.imports.setStart(cohortId, makeStart(studyCount))
  for (let from = 0; from < studyCount; from += 250) {
    const until = Math.min(from + 250, studyCount)
    store.imports.addBatch(cohortId, Array.from({ length: until - from }, (_, i) => change(makeStudy(from + i))), until)
  }
  store.imports.finish(cohortId)
  return cohortId
}

export function addRun(store: Store, cohortId: number, changes: Partial<RunConfigInput> = {}): number {
  const labelIds = store.cohorts.get(cohortId).labels.map((label) => label.labelId)
  const config = runConfigSchema.parse({ cohortId, name: 'Run', slotIds: slots.map((slot) => slot.slotId), labelIds, ...changes })
  return store.runs.insert({ config, codeVersion: 'abc1234' })
}

export function makeBlock(studyIds: number[], changes: Partial<PredictionBlock> = {}): PredictionBlock {
  const probabilities = Float32Array.from({ length: studyIds.length * 2 }, (_, i) => ((studyIds[i >> 1]! * 37 + (i % 2) * 11) % 100) / 100)
  return {
    fold: 0, split: 'test', studyIds, patterns: studyIds.map(() => 'right-eye+left-eye+notes'), isActual: studyIds.map(() => true),
    logits: probabilities.map((probability) => probability * 4 - 2), probabilities, thresholds: new Float32Array([0.5, 0.25]), ...changes,
  }
}

export const summary: TrainingSummary = {
  outcome: 'finished', verdict: { backend: 'cpu', device: '2 cores', reason: 'No GPU.', remedy: null }, weightsHash: sha256('weights'),
  trainedParameters: 100, totalParameters: 1000, peakBytes: 5e9, elapsedMs: 1234.5, notes: ['Stopped early.'],
}

/** Stores a split as a start does, without the pauses. */
export function storeSplit(store: Store, ...[runId, assignments, studyIds, proof]: Parameters<Store['runs']['storeSplit']>): void {
  Array.from(store.runs.storeSplit(runId, assignments, studyIds, proof))
}
