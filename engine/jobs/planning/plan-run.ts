import type { OpenAlarm } from '../../domain/alarms.ts'
import { AppError } from '../../domain/errors.ts'
import type { StoredMissingness } from '../../domain/missingness.ts'
import { splitSchema, type RunConfig, type Split, type SplitProof } from '../../domain/run.ts'
import { assignFolds } from '../../training/splits/folds.ts'
import { createRng } from '../../training/rng.ts'
import { keptAlarms, openAlarmsFor } from '../alarms/alarm-report.ts'
import { planMissingness } from '../missingness/plan.ts'
import { collectMaterial } from '../run-material.ts'
import type { Workspace } from '../workspace.ts'

/** Fewer patients than this on any side of a split make every number on it meaningless. */
const minimumPatientsPerSide = 3

/** What is stored with a run before it starts, in a form that crosses to the process of the windows in milliseconds. */
export interface RunPlan {
  /** Of the cohort and the decisions that the plan was made from. */
  cohortHash: string
  /** In import order. */
  studyIds: number[]
  /** `sides[fold][i]` is the position in `splitSchema.options` of the side of study i. */
  sides: Uint8Array[]
  proof: SplitProof
  missingness: StoredMissingness
  /** Alarms of the cohort that concern the run and nobody has answered. */
  openAlarms: OpenAlarm[]
}

/**
 * Material, folds with their proof, and missingness of a run that is to start; runs in the reader process.
 * @throws AppError RUN_TOO_FEW_PATIENTS, and what collectMaterial and planMissingness refuse
 */
export function planRun(workspace: Pick<Workspace, 'store'>, config: RunConfig): RunPlan {
  const material = collectMaterial(workspace, config)
  const { assignments, proof } = assignFolds(material.studies, config.split, createRng, config.seed)
  for (const fold of proof.folds) {
    if (Math.min(fold.train, fold.val, fold.test) < minimumPatientsPerSide) {
      throw new AppError('RUN_TOO_FEW_PATIENTS', `${proof.folds.length > 1 ? `Fold ${fold.fold + 1}` : 'The split'} would have ${fold.train} training, ${fold.val} validation and ${fold.test} test patients.`)
    }
  }
  return {
    cohortHash: material.cohortHash,
    studyIds: material.studies.map((study) => study.studyId),
    sides: assignments.map((fold) => Uint8Array.from(fold, (side) => splitSchema.options.indexOf(side))),
    proof,
    missingness: planMissingness(config, material, assignments, proof.splitHash),
    openAlarms: openAlarmsFor(keptAlarms(workspace.store, config.cohortId), config.slotIds),
  }
}

/** `assignments[fold][i]` of a plan: the side of study i. */
export function assignmentsOf(plan: RunPlan): Split[][] {
  return plan.sides.map((fold) => Array.from(fold, (position) => splitSchema.options[position]!))
}
