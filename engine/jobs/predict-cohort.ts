import { createHash } from 'node:crypto'
import { createTextMask } from '../domain/curation.ts'
import { decide } from '../domain/decisions.ts'
import { AppError } from '../domain/errors.ts'
import type { PredictionBlock, TrainingStudy } from '../domain/exchange.ts'
import type { RunRecord } from '../domain/records.ts'
import type { Split } from '../domain/run.ts'
import type { Progress } from '../protocol.ts'
import { writeCsv } from './csv.ts'
import { trainingSpecOf } from './planning/training-spec.ts'
import type { Workspace } from './workspace.ts'

const columns = ['run', 'patient', 'study', 'split', 'pattern', 'is_actual_pattern', 'label', 'logit', 'probability', 'threshold', 'called_positive', 'served_by']

export interface PredictRequest {
  runId: number
  cohortId: number
  outFile: string
  /** Which fold's checkpoint predicts; 0 for a run without folds. */
  fold?: number
}

/**
 * Predicts the studies of a cohort, under every what-if pattern, from the best checkpoint of a run and writes them as CSV.
 * Another cohort must have the same modalities; `split` says on which side a patient stood when the checkpoint was trained (empty: on none),
 * because predictions of patients that a model was trained on say nothing of new ones. Words that were masked for the training are masked in
 * whatever the model reads later: hiding them is part of the model. Nothing is stored, because the store keeps what a run said of its own cohort.
 *
 * @returns number of data lines; 0 when cancelled
 */
export async function predictCohort(workspace: Workspace, request: PredictRequest, onProgress?: (progress: Progress) => void): Promise<number> {
  const { store } = workspace
  const run = store.runs.get(request.runId)
  const spec = trainingSpecOf(workspace, request.runId)
  const cohort = store.cohorts.get(request.cohortId)
  const lacking = run.config.slotIds.filter((slotId) => !cohort.slots.some((slot) => slot.slotId === slotId))
  if (lacking.length > 0) throw new AppError('RUN_CHECKPOINT_MISMATCH', `"${cohort.name}" has no modality "${lacking[0]}", which "${run.name}" was trained with.`)
  const changed = spec.slots.find(({ slotId, modality }) => cohort.slots.some((slot) => slot.slotId === slotId && slot.modality !== modality))
  if (changed !== undefined) throw new AppError('RUN_CHECKPOINT_MISMATCH', `"${changed.slotId}" is no ${changed.modality} in "${cohort.name}", as it was where "${run.name}" was trained.`)
  const fold = request.fold ?? 0
  const sideOf = sidesOfPatients(workspace, run, fold, request.cohortId)
  const mask = masksOf(workspace, run.runId)
  const studies = store.patients.trainingStudies(request.cohortId, run.config.slotIds, []).filter((study) => study.pattern !== '')
  const keyOf = new Map(studies.map((study) => [study.studyId, study]))
  const blocks: PredictionBlock[] = []
  const done = await workspace.compute.run('predict:run', {
    ...spec,
    fold,
    studies: studies.map(({ studyId, patientId, items }) => ({ studyId, patientId, items: items.map(mask), labels: new Float32Array(spec.labelNames.length).fill(Number.NaN) })),
    assignments: [],
  }, { onProgress, onData: (data) => void (data.kind === 'predictions' && blocks.push(data.block)) })
  if (!done) return 0
  return writeCsv(request.outFile, columns, predictionLines(run.name, run.config.task, spec.labelNames, blocks, keyOf, sideOf))
}

/** Hides what the run's own decisions masked. */
function masksOf({ store }: Workspace, runId: number): (item: TrainingStudy['items'][number]) => TrainingStudy['items'][number] {
  const drafts = store.curation.ofRun(runId).flatMap(({ draft }) => (draft.kind === 'mask-words' ? [draft] : []))
  const masks = new Map([...Map.groupBy(drafts, ({ slotId }) => slotId)].map(([slotId, list]) => [slotId, createTextMask(list.flatMap(({ words }) => words))]))
  return (item) => {
    const text = item.text === null ? null : (masks.get(item.slotId)?.apply(item.text) ?? item.text)
    return text === item.text || text === null ? item : { ...item, text, sha256: createHash('sha256').update(text).digest('hex') }
  }
}

/**
 * Side of each person of a cohort in a fold of the run, by pseudonym: another cohort may hold the same people. Who was merged since
 * then stands where the model saw most of the person: training before validation before test.
 */
function sidesOfPatients({ store }: Workspace, run: RunRecord, fold: number, cohortId: number): (patientKey: string) => Split | '' {
  const split = store.runs.getSplit(run.runId)
  const sides = split?.assignments[fold]
  if (!split || !sides) return () => ''
  const keyOf = new Map(store.patients.trainingStudies(run.cohortId, run.config.slotIds, [], run.runId).map(({ studyId, patientKey }) => [studyId, patientKey]))
  const sideOf = new Map<string, Split>(split.studyIds.map((studyId, index) => [keyOf.get(studyId) ?? '', sides[index]!]))
  for (const keys of store.curation.persons(run.cohortId, run.runId)) {
    const side = sideOf.get(keys[0]!)
    if (side !== undefined) for (const key of keys) sideOf.set(key, side)
  }
  const merged = new Map(store.curation.persons(cohortId).map((keys) => [keys[0]!, keys]))
  return (patientKey) => {
    const seen = new Set((merged.get(patientKey) ?? [patientKey]).map((key) => sideOf.get(key)))
    return (['train', 'val', 'test'] as const).find((side) => seen.has(side)) ?? ''
  }
}

function* predictionLines(runName: string, task: 'multi-label' | 'multi-class', labelNames: string[], blocks: PredictionBlock[], keyOf: Map<number, { patientKey: string; studyKey: string }>, sideOf: (patientKey: string) => Split | ''): Generator<(string | number)[]> {
  const width = labelNames.length
  for (const block of blocks) {
    for (const [row, studyId] of block.studyIds.entries()) {
      const study = keyOf.get(studyId)!
      const probabilities = block.probabilities.subarray(row * width, (row + 1) * width)
      const called = decide(task, probabilities, block.thresholds)
      for (const [index, label] of labelNames.entries()) {
        yield [runName, study.patientKey, study.studyKey, sideOf(study.patientKey), block.patterns[row]!, block.isActual[row] ? 1 : 0, label, block.logits[row * width + index]!, probabilities[index]!, task === 'multi-class' ? '' : block.thresholds[index]!, called[index] ? 1 : 0, block.servedBy?.[row] ?? '']
      }
    }
  }
}
