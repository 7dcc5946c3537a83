import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describeDegradation, type Degradation } from '../../domain/degradation.ts'
import { AppError } from '../../domain/errors.ts'
import type { PredictionBlock } from '../../domain/exchange.ts'
import type { DegradedResults } from '../../domain/results.ts'
import type { Progress } from '../../protocol.ts'
import { specPlacesOf } from '../planning/training-spec.ts'
import type { Workspace } from '../workspace.ts'
import type { DegradedBlock } from './hand-over.ts'

export interface RunningTest {
  /** What was asked for, in that order; null when it was cancelled, which keeps the levels that were done. */
  done: Promise<DegradedResults[] | null>
  cancel: () => void
}

/**
 * Results of a finished run on its test patients with worse images or shorter texts: each fold's best checkpoint predicts its test patients
 * anew, under what they really have. A level that was tested before is not computed again: nothing that it follows from can have changed.
 * Prepared images of a level are kept in the cache.
 * @throws AppError RUN_WRONG_STATE when the run is not finished
 */
export function startDegradedTests(workspace: Workspace, runId: number, degradations: readonly Degradation[], onProgress?: (progress: Progress) => void): RunningTest {
  const { store } = workspace
  const run = store.runs.get(runId)
  if (run.status !== 'finished') throw new AppError('RUN_WRONG_STATE', `"${run.name}" is ${run.status}; only a finished run can be tested on degraded inputs.`)
  let isCancelled = false
  let cancelJob = (): void => {}

  async function testLevel(degradation: Degradation, tell: (progress: Progress) => void): Promise<DegradedResults | null> {
    const known = store.degradedResults.get(runId, degradation)
    if (known !== null) return known
    const blocks: DegradedBlock[] = []
    const foldCount = run.config.split.kind === 'k-fold' ? run.config.split.folds : 1
    for (let fold = 0; fold < foldCount && !isCancelled; fold++) {
      const job = await startFold(workspace, runId, fold, degradation, (block) => blocks.push(actualOf(block)), tell)
      cancelJob = job.cancel
      if (isCancelled) job.cancel()
      if ((await job.outcome).status === 'cancelled') return null
    }
    if (isCancelled) return null
    return store.degradedResults.add(runId, degradation, await workspace.reader.read('results:degraded', { runId, degradation, blocks }))
  }

  async function testAll(): Promise<DegradedResults[] | null> {
    const all: DegradedResults[] = []
    for (const [index, degradation] of degradations.entries()) {
      const prefix = degradations.length > 1 ? `Level ${index + 1} of ${degradations.length}: ` : ''
      const result = await testLevel(degradation, (progress) => onProgress?.({ ...progress, stage: `${prefix}${describeDegradation(degradation)}` }))
      if (result === null) return null
      all.push(result)
    }
    return all
  }

  return {
    done: testAll(),
    cancel: () => {
      isCancelled = true
      cancelJob()
    },
  }
}

async function startFold(workspace: Workspace, runId: number, fold: number, degradation: Degradation, onBlock: (block: PredictionBlock) => void, onProgress: (progress: Progress) => void) {
  const requestFile = join(workspace.paths.handoverDir, `test_${runId}_${fold}`)
  mkdirSync(workspace.paths.handoverDir, { recursive: true, mode: 0o700 })
  try {
    await workspace.reader.read('runs:hand-over-degraded', { runId, places: specPlacesOf(workspace, runId), requestFile, fold, degradation })
  } catch (error) {
    rmSync(requestFile, { force: true })
    throw error
  }
  return workspace.compute.startFromFile('predict:run', requestFile, { onProgress, onData: (data) => void (data.kind === 'predictions' && onBlock(data.block)) })
}

/** The predictions under what each study really has. */
function actualOf({ fold, studyIds, patterns, servedBy, isActual, probabilities, thresholds }: PredictionBlock): DegradedBlock {
  const rows = isActual.flatMap((isIt, row) => (isIt ? [row] : []))
  const width = thresholds.length
  const kept = new Float32Array(rows.length * width)
  rows.forEach((row, place) => kept.set(probabilities.subarray(row * width, (row + 1) * width), place * width))
  return { fold, thresholds, probabilities: kept, studyIds: rows.map((row) => studyIds[row]!), patterns: rows.map((row) => patterns[row]!), ...(servedBy === undefined ? {} : { servedBy: rows.map((row) => servedBy[row]!) }) }
}
