import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ImportedItem, ImportedStudy } from '../../../engine/domain/import.ts'
import { mappingSchema } from '../../../engine/domain/mapping.ts'
import { runConfigSchema } from '../../../engine/domain/run.ts'
import { patternKey, subPatterns, type Slot } from '../../../engine/domain/slots.ts'
import { readPseudonymKey } from '../../../engine/jobs/pseudonym-key.ts'
import { openStore, type Store } from '../../../engine/store/open.ts'

/** A database as a finished import and run of many patients leave it: training one would take hours, and reading it is what is measured. */

const slots: Slot[] = [
  { slotId: 'right-eye', modality: 'image', title: 'Right eye', letter: 'R' },
  { slotId: 'left-eye', modality: 'image', title: 'Left eye', letter: 'L' },
  { slotId: 'notes', modality: 'text', title: 'Notes', letter: 'N' },
]
const labelNames = ['Normal', 'Diabetes', 'Glaucoma', 'Cataract', 'AMD', 'Hypertension', 'Myopia', 'Other']
const batchSize = 500
const C = labelNames.length

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const isPresent = (ordinal: number, slotId: string): boolean => (slotId === 'left-eye' ? ordinal % 4 !== 0 : slotId === 'notes' ? ordinal % 3 !== 0 : true)
const patternOf = (ordinal: number): string => patternKey(slots, (slotId) => isPresent(ordinal, slotId))

function itemOf(ordinal: number, { slotId, modality }: Slot): ImportedItem {
  const nothing = { slotId, isPresent: false, reason: 'file-missing', detail: null, sourcePath: null, sha256: null, byteSize: null, widthPx: null, heightPx: null, text: null } as const
  if (!isPresent(ordinal, slotId)) return nothing
  const text = modality === 'text' ? `Routine visit ${ordinal}, no complaints, reads well at near distance.` : null
  const sourcePath = modality === 'image' ? `${slotId}-${ordinal}.jpg` : null
  return { ...nothing, isPresent: true, reason: null, text, sourcePath, sha256: sha256(text ?? sourcePath!), byteSize: 20_000, ...(modality === 'image' ? { widthPx: 256, heightPx: 256 } : {}) }
}

function studyOf(ordinal: number): ImportedStudy {
  return {
    ordinal, patientKey: `P-${sha256(String(ordinal)).slice(0, 8).toUpperCase()}`, studyKey: '0', rows: [ordinal + 2], ageYears: 30 + (ordinal % 60), sex: ordinal % 2 === 0 ? 'female' : 'male',
    items: slots.map((slot) => itemOf(ordinal, slot)), labels: labelNames.map((_, c) => ((ordinal + c * 3) % (c + 3) === 0 ? 1 : 0)),
  }
}

function addPredictions(store: Store, runId: number, studyIds: readonly number[], labelIds: readonly number[]): void {
  for (let from = 0; from < studyIds.length; from += batchSize) {
    const bySplit = Map.groupBy(studyIds.slice(from, from + batchSize).map((studyId, i) => ({ studyId, ordinal: from + i })), ({ ordinal }) => (['train', 'train', 'train', 'val', 'test'] as const)[ordinal % 5]!)
    for (const [split, studies] of bySplit) {
      const rows = studies.flatMap(({ studyId, ordinal }) => subPatterns(patternOf(ordinal)).map((pattern, index) => ({ studyId, ordinal, pattern, isActual: index === 0 })))
      const logits = Float32Array.from({ length: rows.length * C }, (_, i) => {
        const { ordinal, pattern } = rows[Math.floor(i / C)]!
        return ((ordinal * 31 + (i % C) * 17 + pattern.length * 5) % 97) / 16 - 3
      })
      store.predictions.addBlock(runId, {
        fold: 0, split, studyIds: rows.map((row) => row.studyId), patterns: rows.map((row) => row.pattern), isActual: rows.map((row) => row.isActual),
        logits, probabilities: logits.map((logit) => 1 / (1 + Math.exp(-logit))), thresholds: new Float32Array(C).fill(0.5),
      }, [...labelIds])
    }
  }
}

/** Writes `lacuna.db` into `dir`: one complete cohort "Large" and one finished run with predictions under every what-if pattern. */
export function makeLargeStore(dir: string, studyCount: number): { cohortId: number; runId: number } {
  mkdirSync(dir, { recursive: true })
  const store = openStore(join(dir, 'lacuna.db'), { appVersion: '0.1.0' })
  // As the app makes it at its first opening; a store in use without its key is not opened.
  readPseudonymKey(store.path, { check: null, isInUse: false })
  try {
    const mapping = mappingSchema.parse({
      patientIdColumn: 'ID', labels: { kind: 'list', column: 'Labels' },
      slots: slots.map((slot) => ({ slot, source: slot.modality === 'image' ? { kind: 'column', column: slot.slotId } : { kind: 'template', template: '{Notes}' } })),
    })
    const cohortId = store.cohorts.create({ name: 'Large', source: { sourceDir: dir, tableFile: join(dir, 'table.csv'), sheet: null }, mapping })
    store.imports.setStart(cohortId, { tableSha256: sha256('table'), rowsIn: studyCount, studyCount, slots, labelNames, task: 'multi-label', rejectedRows: [], labelWords: [] })
    for (let from = 0; from < studyCount; from += batchSize) {
      const until = Math.min(from + batchSize, studyCount)
      store.imports.addBatch(cohortId, Array.from({ length: until - from }, (_, i) => studyOf(from + i)), until)
    }
    store.imports.finish(cohortId)
    const labelIds = store.cohorts.get(cohortId).labels.map((label) => label.labelId)
    const runId = store.runs.insert({ config: runConfigSchema.parse({ cohortId, name: 'Large run', slotIds: slots.map((slot) => slot.slotId), labelIds }), codeVersion: 'test' })
    store.runs.setStatus(runId, 'running')
    addPredictions(store, runId, store.patients.listStudyIds({ cohortId, sortBy: 'patientKey' }).sort((a, b) => a - b), labelIds)
    store.runs.finish(runId, {
      outcome: 'finished', verdict: { backend: 'cpu', device: '2 cores', reason: 'No GPU.', remedy: null }, weightsHash: sha256('weights'),
      trainedParameters: 452_740, totalParameters: 47_289_092, peakBytes: 2e9, elapsedMs: 3.6e6, notes: [],
    })
    return { cohortId, runId }
  } finally {
    store.close()
  }
}
