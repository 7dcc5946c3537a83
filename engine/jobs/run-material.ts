import { AppError } from '../domain/errors.ts'
import { counted } from '../domain/curation.ts'
import { hasChosenClass } from '../domain/decisions.ts'
import type { MissingnessDescription } from '../domain/missingness.ts'
import type { CohortSummary } from '../domain/records.ts'
import type { RunConfig } from '../domain/run.ts'
import { describePattern, type Slot } from '../domain/slots.ts'
import type { StoredTrainingStudy } from '../store/repositories/patients.ts'
import { assignFolds } from '../training/splits/folds.ts'
import { createRng } from '../training/rng.ts'
import { keptAlarms } from './alarms/alarm-report.ts'
import { planMissingness } from './missingness/plan.ts'
import { slotWarnings } from './slot-warnings.ts'
import type { Workspace } from './workspace.ts'

/** A label needs at least this many known positives and negatives to be trained at all. */
const minimumOfEachClass = 2
/** Below this many positives a label is trained but marked: its numbers will have very wide intervals. */
export const fewPositives = 10

export interface RunMaterial {
  cohort: CohortSummary
  /** Over the content and the decisions under which the studies were collected. */
  cohortHash: string
  slots: Slot[]
  labelNames: string[]
  studies: StoredTrainingStudy[]
  excludedStudyCount: number
  /** Of these, studies whose one class is none of the chosen ones (multi-class). */
  otherClassCount: number
}

/**
 * Collects what a configuration would train on under the decisions that count now, or, with `runId`, what that run was planned with.
 * Throws when it cannot work, naming the number that says so.
 */
export function collectMaterial(workspace: Pick<Workspace, 'store'>, config: RunConfig, runId?: number): RunMaterial {
  const { store } = workspace
  const cohort = store.cohorts.get(config.cohortId)
  if (cohort.status !== 'ready') throw new AppError('RUN_COHORT_NOT_READY', `The import of "${cohort.name}" is not complete (${cohort.studyCount} of ${cohort.studyTotal} studies).`)
  const slots = cohort.slots.filter((slot) => config.slotIds.includes(slot.slotId))
  if (slots.length !== config.slotIds.length) throw new AppError('REQUEST_INVALID', 'The run names a modality that the cohort does not have.')
  const dropped = runId === undefined ? slots.find((slot) => cohort.curation.droppedSlotIds.includes(slot.slotId)) : undefined
  if (dropped !== undefined) throw new AppError('CURATION_INVALID', `"${dropped.title}" is left out of "${cohort.name}" by a decision; a run cannot use it.`)
  const labelNames = config.labelIds.map((labelId) => {
    const label = cohort.labels.find((item) => item.labelId === labelId)
    if (!label) throw new AppError('REQUEST_INVALID', 'The run names a label that the cohort does not have.')
    return label.name
  })
  const all = store.patients.trainingStudies(config.cohortId, config.slotIds, config.labelIds, runId)
  const usable = all.filter((study) => study.pattern !== '' && study.labels.some((value) => !Number.isNaN(value)))
  const studies = usable.filter((study) => hasChosenClass(config.task, study.labels))
  if (studies.length === 0) throw new AppError('RUN_NO_STUDIES', `None of the ${all.length} studies has one of the chosen modalities and a known label.`)
  if (runId === undefined && config.task === 'multi-class') checkClasses(studies, labelNames)
  for (const [index, name] of labelNames.entries()) {
    const positives = studies.filter((study) => study.labels[index] === 1).length
    const negatives = studies.filter((study) => study.labels[index] === 0).length
    if (config.task === 'multi-label' && (positives < minimumOfEachClass || negatives < minimumOfEachClass)) {
      throw new AppError('RUN_LABEL_UNUSABLE', `"${name}" has ${positives} positive and ${negatives} negative studies; both need at least ${minimumOfEachClass}.`)
    }
  }
  return { cohort, cohortHash: store.curation.hashOf(config.cohortId, runId), slots, labelNames, studies, excludedStudyCount: all.length - studies.length, otherClassCount: usable.length - studies.length }
}

/** One class for each study is what a softmax is trained and judged on: of two, the first in the list would count, and the other as wrong. Throws RUN_TASK_UNFIT. */
function checkClasses(studies: readonly StoredTrainingStudy[], labelNames: readonly string[]): void {
  const several = studies.filter(({ labels }) => labels.filter((value) => value === 1).length > 1)
  if (several.length > 0) {
    const names = labelNames.filter((_, index) => several[0]!.labels[index] === 1).map((name) => `"${name}"`).join(' and ')
    throw new AppError('RUN_TASK_UNFIT', `${several.length} of ${studies.length} studies ${several.length === 1 ? 'has' : 'have'} more than one of the chosen classes, such as ${names}.`)
  }
  const filled = labelNames.filter((_, index) => studies.filter(({ labels }) => labels[index] === 1).length >= minimumOfEachClass).length
  if (filled < 2) throw new AppError('RUN_TASK_UNFIT', `Only ${filled} of the chosen classes has ${minimumOfEachClass} studies or more; telling classes apart takes two.`)
}

/** What a configuration would train on, counted, with what is worth a warning. */
export function summariseMaterial(workspace: Pick<Workspace, 'store'>, config: RunConfig): { slots: Slot[]; imageCount: number; studyCount: number; excludedStudyCount: number; warnings: string[]; missingness: MissingnessDescription[] } {
  const material = collectMaterial(workspace, config)
  const imageCount = new Set(material.studies.flatMap((study) => study.items.filter((item) => item.path !== null).map((item) => item.sha256))).size
  return { slots: material.slots, imageCount, studyCount: material.studies.length, excludedStudyCount: material.excludedStudyCount, warnings: warningsOf(workspace, config, material), missingness: describeMissingness(config, material) }
}

/** What the studies would be shown with, in words and counts, for the split that the configuration gives. */
export function describeMissingness(config: RunConfig, material: RunMaterial): MissingnessDescription[] {
  const { assignments, proof } = assignFolds(material.studies, config.split, createRng, config.seed)
  return planMissingness(config, material, assignments, proof.splitHash).descriptions
}

/** Those whom decisions exclude, said where a run is set up: its counts do not hold them. */
function excludedByDecision({ store }: Pick<Workspace, 'store'>, cohortId: number): string[] {
  const { patients, total } = store.patients.listStudies({ cohortId, isExcluded: true, limit: 1 })
  return total === 0 ? [] : [`${counted(total, 'study', 'studies')} of ${counted(patients, 'patient')} ${total === 1 ? 'is' : 'are'} excluded by decisions: neither trained on nor counted.`]
}

function otherClasses({ otherClassCount: count }: RunMaterial): string[] {
  return count === 0 ? [] : [`${count} ${count === 1 ? 'study has' : 'studies have'} a class that was not chosen: neither trained on nor counted.`]
}

function warningsOf(workspace: Pick<Workspace, 'store'>, config: RunConfig, material: RunMaterial): string[] {
  // Alarms that were searched for stand beside the estimate, with their remedies; the import's own finding is for cohorts without a search.
  const leaks = keptAlarms(workspace.store, config.cohortId) !== null ? [] : slotWarnings(material.slots, workspace.store.cohorts.labelWords(config.cohortId), material.cohort.labels.filter(({ labelId }) => config.labelIds.includes(labelId))).map((warning) => warning.text)
  const rare = material.labelNames.flatMap((name, index) => {
    const positives = material.studies.filter((study) => study.labels[index] === 1).length
    return positives < fewPositives ? [`"${name}" has only ${positives} positive studies: its numbers will be very uncertain.`] : []
  })
  const patterns = Map.groupBy(material.studies, (study) => study.pattern)
  const thin = [...patterns].filter(([, list]) => list.length < 5).map(([pattern, list]) => `Only ${list.length} ${list.length === 1 ? 'study shows' : 'studies show'} "${describePattern(material.slots, pattern)}".`)
  return [...excludedByDecision(workspace, config.cohortId), ...otherClasses(material), ...leaks, ...rare, ...thin]
}
