import { join } from 'node:path'
import { AppError } from '../../domain/errors.ts'
import type { RunRecord } from '../../domain/records.ts'
import type { Split } from '../../domain/run.ts'
import { writeRequestFile } from '../../host/request-file.ts'
import type { TrainingSpec } from '../../protocol.ts'
import { translateErrors } from '../../store/sqlite-errors.ts'
import { proveSplit } from '../../training/splits/folds.ts'
import { locationsOf } from '../backbones.ts'
import { shownTablesOf } from '../missingness/plan.ts'
import { collectMaterial, type RunMaterial } from '../run-material.ts'
import type { Workspace } from '../workspace.ts'

type WithStore = Pick<Workspace, 'store'>
/** Where the engine finds and leaves its files; the reader process knows the database only. */
export type SpecPlaces = Pick<TrainingSpec, 'runDir' | 'cacheDir' | 'weightsDir' | 'backbones'>

export function specPlacesOf(workspace: Pick<Workspace, 'store' | 'paths'>, runId: number): SpecPlaces {
  const { paths, store } = workspace
  return {
    runDir: join(paths.runsDir, `run_${runId}`), cacheDir: paths.cacheDir, weightsDir: paths.weightsDir,
    backbones: locationsOf(workspace, store.runs.get(runId).config.backbone),
  }
}

/** The specification that the engine gets to predict from stored checkpoints; only for a process without windows. */
export function trainingSpecOf(workspace: Pick<Workspace, 'store' | 'paths'>, runId: number): TrainingSpec {
  return specOf(workspace, runId, specPlacesOf(workspace, runId))
}

/**
 * Writes the specification of a run with a stored split for the engine; runs in the reader process.
 * @throws AppError RUN_COHORT_CHANGED when cohort, split and missingness are not those that the run began with; STORE_DISK_FULL
 * or STORE_NOT_WRITABLE when the file cannot be written
 */
export function handOverSpec(workspace: WithStore, { runId, places, requestFile }: { runId: number; places: SpecPlaces; requestFile: string }): { studyCount: number; laterStudyCount: number } {
  const { cohortId, cohortHash, name } = workspace.store.runs.get(runId)
  // Going on under decisions that were undone, or without ones that were made since, would train on what nobody wants any more.
  if (workspace.store.curation.hashOf(cohortId) !== cohortHash && !workspace.store.deliveries.hasGrownFrom(cohortId, cohortHash)) throw new AppError('RUN_COHORT_CHANGED', `What counts of the cohort is not what "${name}" began with: studies or decisions changed. Undoing those decisions lets it go on.`)
  const { spec, laterStudyCount } = describeSpec(workspace, runId, places)
  translateErrors(() => writeRequestFile(requestFile, spec))
  return { studyCount: spec.studies.length, laterStudyCount }
}

/** The specification of a run with a stored split; over a large cohort only for a process without windows. */
export function specOf(workspace: WithStore, runId: number, places: SpecPlaces): TrainingSpec {
  return describeSpec(workspace, runId, places).spec
}

/** `laterStudyCount`: studies that the run would use today and did not have when it began. */
function describeSpec(workspace: WithStore, runId: number, places: SpecPlaces): { spec: TrainingSpec; laterStudyCount: number } {
  const run = workspace.store.runs.get(runId)
  const today = collectMaterial(workspace, run.config, runId)
  const material = asOfRun(workspace, run, today)
  if (material === null) throw new AppError('RUN_COHORT_CHANGED', `"${run.cohortName}" is not the cohort that "${run.name}" began with.`)
  const spec: TrainingSpec = {
    runId, config: run.config, slots: material.slots, labelNames: material.labelNames, cohortHash: run.cohortHash,
    studies: material.studies.map(({ studyId, patientId, items, labels }) => ({ studyId, patientId, items, labels })),
    assignments: splitInOrder(workspace, runId, material),
    shown: shownInOrder(workspace, runId, material),
    otherClassCount: material.otherClassCount,
    ...places,
  }
  return { spec, laterStudyCount: today.studies.length - material.studies.length }
}

/** What of the cohort the run began with: all of it, or, after further deliveries, without what they added. Null: something else changed. */
function asOfRun({ store }: WithStore, { runId, cohortId, cohortHash }: RunRecord, material: RunMaterial): RunMaterial | null {
  if (material.cohortHash === cohortHash) return material
  if (!store.deliveries.hasGrownFrom(cohortId, cohortHash, runId)) return null
  const used = new Set(store.runs.getSplit(runId)?.studyIds)
  return { ...material, studies: material.studies.filter(({ studyId }) => used.has(studyId)) }
}

/** The stored split, proven once more and checked to be of exactly these studies in this order: a shifted table would mix the sides silently. */
function splitInOrder(workspace: WithStore, runId: number, material: RunMaterial): Split[][] {
  const split = workspace.store.runs.getSplit(runId)
  const isSame = split !== null && split.studyIds.length === material.studies.length && material.studies.every((study, index) => study.studyId === split.studyIds[index])
  if (!isSame) throw new AppError('RUN_COHORT_CHANGED', 'The stored split does not cover the studies that the run would use.')
  if (proveSplit(material.studies, split.assignments).splitHash !== workspace.store.runs.get(runId).splitHash) throw new AppError('RUN_COHORT_CHANGED', 'The stored split is not the one that was proven when the run began.')
  return split.assignments
}

/** What the run shows its studies with; undefined for runs of 0.1, whose tables the engine draws from their rates. */
function shownInOrder(workspace: WithStore, runId: number, material: RunMaterial): TrainingSpec['shown'] {
  const stored = workspace.store.runs.getMissingness(runId)
  if (stored === null) return undefined
  const { cohortHash, splitHash } = workspace.store.runs.get(runId)
  return shownTablesOf(stored, material.studies.length, cohortHash, splitHash ?? '')
}
