import { AppError } from '../../domain/errors.ts'
import { splitSchema, type Split, type SplitProof } from '../../domain/run.ts'
import { storedMissingnessSchema, type StoredMissingness } from '../../domain/missingness.ts'
import { found, type StoreContext } from '../context.ts'
import { inSlices } from '../slices.ts'

/** A step of about a millisecond. */
const studiesInStep = 500

export interface StoredSplit {
  /** In import order. */
  studyIds: number[]
  /** `assignments[fold][i]` is the side of `studyIds[i]`. */
  assignments: Split[][]
}

export interface RunSplitRepository {
  /**
   * Stores a split in short transactions, one for each step of the generator: whoever drives it can answer a window between two of them.
   * The run has no split, and so cannot start, until the last one, which follows only when no patient stands on two sides.
   */
  storeSplit: (runId: number, assignments: readonly (readonly Split[])[], studyIds: readonly number[], proof: SplitProof) => Generator<void>
  getSplit: (runId: number) => StoredSplit | null
  /** Kept once, beside the split it was hashed to. */
  setMissingness: (runId: number, missingness: StoredMissingness) => void
  getMissingness: (runId: number) => StoredMissingness | null
}

/** Who trains, validates and tests in each fold of a run, with the proof that no patient stands on two sides. */
export function createRunSplits({ db, audit, effective }: Pick<StoreContext, 'db' | 'audit' | 'effective'>): RunSplitRepository {
  const selectRun = db.prepare<{ runId: number }, { cohort_id: number; split_hash: string | null }>('SELECT cohort_id, split_hash FROM runs WHERE id = :runId AND removal_began_at IS NULL')
  // One statement for each side of a fold: 20,000 single inserts would hold up the window. CROSS JOIN keeps the list
  // outside: the other way round it is parsed again for each study.
  const insertSide = db.prepare<{ runId: number; fold: number; split: Split; studyIds: string; cohortId: number }>(`
    INSERT INTO splits (run_id, fold, study_id, split)
    SELECT :runId, :fold, studies.id, :split FROM json_each(:studyIds) AS chosen CROSS JOIN studies ON studies.id = chosen.value AND studies.cohort_id = :cohortId`)
  const updateProof = db.prepare<{ runId: number; hash: string; proof: string }>('UPDATE runs SET split_hash = :hash, split_proof_json = :proof WHERE id = :runId')
  const removeRows = db.prepare<{ runId: number }>('DELETE FROM splits WHERE run_id = :runId')
  const selectPatients = db.prepare<{ cohortId: number }>('SELECT id FROM patients WHERE cohort_id = :cohortId ORDER BY id').pluck()
  const selectTwoSides = db.prepare<{ runId: number; fold: number; from: number; to: number }, { patient_id: number }>(`
    SELECT studies.patient_id FROM studies CROSS JOIN splits ON splits.run_id = :runId AND splits.fold = :fold AND splits.study_id = studies.id
    WHERE studies.patient_id BETWEEN :from AND :to GROUP BY studies.patient_id HAVING count(DISTINCT splits.split) > 1 LIMIT 1`)
  const selectPersonSides = db.prepare<{ runId: number; fold: number; cohortId: number; keys: string }>(`
    SELECT count(DISTINCT splits.split) FROM json_each(:keys) AS chosen CROSS JOIN patients ON patients.patient_key = chosen.value AND patients.cohort_id = :cohortId
    JOIN studies ON studies.patient_id = patients.id JOIN splits ON splits.run_id = :runId AND splits.fold = :fold AND splits.study_id = studies.id`).pluck()
  const selectSplit = db.prepare<{ runId: number }>(`
    SELECT splits.fold, splits.study_id, splits.split FROM splits JOIN studies ON studies.id = splits.study_id WHERE splits.run_id = :runId ORDER BY splits.fold, studies.ordinal`).raw()
  const insertMissingness = db.prepare<{ runId: number; hash: string; table: string }>('INSERT INTO run_missingness (run_id, hash, table_json) VALUES (:runId, :hash, :table)')
  const selectMissingness = db.prepare<{ runId: number }>('SELECT table_json FROM run_missingness WHERE run_id = :runId').pluck()
  const rowOf = (runId: number) => found(selectRun.get({ runId }), 'run', runId)

  function* splitSteps(runId: number, assignments: readonly (readonly Split[])[], studyIds: readonly number[], proof: SplitProof): Generator<void> {
    const run = rowOf(runId)
    if (run.split_hash === proof.splitHash) return
    if (run.split_hash !== null) throw new AppError('RUN_WRONG_STATE', `Run ${runId} already has another split.`)
    // What an attempt that failed half-way has left.
    removeRows.run({ runId })
    for (const [fold, sides] of assignments.entries()) {
      if (sides.length !== studyIds.length) throw new Error(`fold ${fold} assigns ${sides.length} of ${studyIds.length} studies`)
      let stored = 0
      for (let from = 0; from < studyIds.length; from += studiesInStep) {
        const chunk = studyIds.slice(from, from + studiesInStep)
        for (const split of splitSchema.options) {
          const ofSide = chunk.filter((_, i) => sides[from + i] === split)
          stored += insertSide.run({ runId, fold, split, studyIds: JSON.stringify(ofSide), cohortId: run.cohort_id }).changes
        }
        yield
      }
      if (stored !== studyIds.length) throw new AppError('STORE_NOT_FOUND', `Only ${stored} of ${studyIds.length} studies are in the cohort of run ${runId}.`)
    }
    // The proof came from outside; what is stored is counted once more. A split is fixed, so what was counted stays as it was.
    const patientIds = selectPatients.all({ cohortId: run.cohort_id }) as number[]
    for (let first = 0; first < patientIds.length; first += studiesInStep) {
      const [from, to] = [patientIds[first]!, patientIds[Math.min(first + studiesInStep, patientIds.length) - 1]!]
      for (const fold of assignments.keys()) {
        if (selectTwoSides.get({ runId, fold, from, to }) !== undefined) throw new Error(`a patient of run ${runId} stands on two sides of a fold`)
        yield
      }
    }
    for (const keys of effective.ofRun(runId).persons) {
      for (const fold of assignments.keys()) {
        if ((selectPersonSides.get({ runId, fold, cohortId: run.cohort_id, keys: JSON.stringify(keys) }) as number) > 1) throw new Error(`a merged person of run ${runId} stands on two sides of a fold`)
      }
      yield
    }
    updateProof.run({ runId, hash: proof.splitHash, proof: JSON.stringify(proof) })
    audit('run.split', { runId, splitHash: proof.splitHash, folds: assignments.length })
  }

  const setMissingness = db.transaction((runId: number, missingness: StoredMissingness): void => {
    rowOf(runId)
    insertMissingness.run({ runId, hash: missingness.hash, table: JSON.stringify(missingness) })
    audit('run.missingness', { runId, hash: missingness.hash })
  })

  return {
    setMissingness: (runId, missingness) => setMissingness.immediate(runId, missingness),
    getMissingness: (runId) => {
      const stored = selectMissingness.get({ runId }) as string | undefined
      return stored === undefined ? null : storedMissingnessSchema.parse(JSON.parse(stored))
    },
    storeSplit: (runId, assignments, studyIds, proof) => inSlices(db, splitSteps(runId, assignments, studyIds, proof)),
    getSplit: (runId) => {
      if (rowOf(runId).split_hash === null) return null
      const split: StoredSplit = { studyIds: [], assignments: [] }
      for (const [fold, studyId, side] of selectSplit.all({ runId }) as [number, number, Split][]) {
        if (fold === 0) split.studyIds.push(studyId)
        const sides = (split.assignments[fold] ??= [])
        sides.push(side)
      }
      return split
    },
  }
}
