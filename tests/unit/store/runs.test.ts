import { describe, expect, it } from 'vitest'
import { runRecordSchema } from '../../../engine/domain/records.ts'
import type { Epoch, Split, SplitProof } from '../../../engine/domain/run.ts'
import { addCohort, addRun, createEmptyCohort, openTestStore, sha256, storeSplit, summary } from './fixtures.ts'

const error = { code: 'ENGINE_CRASHED', message: 'The engine process ended.', fix: 'Resume the job; at most one epoch or one batch of files is repeated.' } as const
const proof = (splitHash: string): SplitProof => ({ splitHash, folds: [{ fold: 0, train: 2, val: 2, test: 2, patientsOnTwoSides: 0 }], patientCount: 3, studyCount: 6 })

describe('a run', () => {
  it('keeps what it was started with, and ends with what the engine measured', () => {
    const store = openTestStore()
    const cohortId = addCohort(store, 6)
    const runId = addRun(store, cohortId, { name: ' First ', seed: 7 })
    expect(runRecordSchema.parse(store.runs.get(runId))).toMatchObject({
      runId, cohortId, cohortName: 'Eyes', name: 'First', status: 'queued', seed: 7, appVersion: '0.1.0', codeVersion: 'abc1234',
      cohortHash: store.cohorts.get(cohortId).contentHash, config: { epochs: 20, seed: 7 }, weightsHash: null, epochsDone: 0, startedAt: null, error: null,
    })
    store.runs.setStatus(runId, 'running')
    const { startedAt } = store.runs.get(runId)
    store.runs.setStatus(runId, 'failed', error)
    expect(store.runs.get(runId)).toMatchObject({ status: 'failed', error, finishedAt: expect.any(String) })
    store.runs.setStatus(runId, 'running')
    expect(store.runs.get(runId)).toMatchObject({ status: 'running', error: null, finishedAt: null, startedAt })
    store.runs.finish(runId, summary)
    expect(runRecordSchema.parse(store.runs.get(runId))).toMatchObject({
      status: 'finished', weightsHash: sha256('weights'), device: { backend: 'cpu' }, trainedParameters: 100, totalParameters: 1000, peakBytes: 5e9, elapsedMs: 1234.5, notes: ['Stopped early.'],
    })
    expect(() => store.runs.setSummary(runId, summary)).toThrow(expect.objectContaining({ code: 'RUN_WRONG_STATE' }))
    store.runs.rename(runId, 'Renamed')
    expect(store.runs.list().map((run) => run.name)).toEqual(['Renamed'])
  })

  it('moves only along the known ways', () => {
    const store = openTestStore()
    const cohortId = addCohort(store, 6)
    const ways: [string[], string][] = [[[], 'finished'], [[], 'paused'], [['running'], 'queued'], [['running', 'paused'], 'finished'], [['cancelled'], 'running'], [['running', 'finished'], 'running'], [['running', 'finished'], 'failed']]
    for (const [path, end] of ways) {
      const runId = addRun(store, cohortId)
      for (const status of path) store.runs.setStatus(runId, status as 'running')
      expect(() => store.runs.setStatus(runId, end as 'running', error)).toThrow(expect.objectContaining({ code: 'RUN_WRONG_STATE' }))
    }
    const runId = addRun(store, cohortId)
    expect(() => store.runs.setStatus(runId, 'failed')).toThrow('without an error')
  })

  it('is paused when it was running as the app went down', () => {
    const store = openTestStore()
    const cohortId = addCohort(store, 6)
    const [queued, running] = [addRun(store, cohortId), addRun(store, cohortId)]
    store.runs.setStatus(running!, 'running')
    expect(store.runs.markInterrupted()).toEqual([running])
    expect([queued, running].map((runId) => store.runs.get(runId!).status)).toEqual(['queued', 'paused'])
    expect(store.runs.markInterrupted()).toEqual([])
  })

  it('needs a complete cohort that has its labels and slots', () => {
    const store = openTestStore()
    const cohortId = addCohort(store, 6)
    expect(() => addRun(store, createEmptyCohort(store, 'Empty'), { labelIds: [1] })).toThrow(expect.objectContaining({ code: 'RUN_COHORT_NOT_READY' }))
    expect(() => addRun(store, cohortId, { labelIds: [99] })).toThrow(expect.objectContaining({ code: 'STORE_NOT_FOUND' }))
    expect(() => addRun(store, cohortId, { slotIds: ['ear'] })).toThrow(expect.objectContaining({ code: 'STORE_NOT_FOUND' }))
    expect(store.runs.list(cohortId)).toEqual([])
  })

  it('replaces an epoch that was trained again and keeps the others', () => {
    const store = openTestStore()
    const runId = addRun(store, addCohort(store, 6))
    const epoch = (fold: number, number: number, trainLoss: number): Epoch => ({ fold, epoch: number, trainLoss, valLoss: null, valMacroAuroc: 0.5, learningRate: 1e-3, elapsedMs: 10, isBest: number === 1 })
    for (const item of [epoch(0, 0, 0.9), epoch(0, 1, 0.8), epoch(1, 0, 0.7), epoch(0, 1, 0.6)]) store.runs.addEpoch(runId, item)
    expect(store.runs.epochs(runId)).toEqual([epoch(0, 0, 0.9), epoch(0, 1, 0.6), epoch(1, 0, 0.7)])
    expect(store.runs.get(runId).epochsDone).toBe(3)
    expect(() => store.runs.addEpoch(99, epoch(0, 0, 1))).toThrow(expect.objectContaining({ code: 'STORE_NOT_FOUND' }))
  })

  it('names the checkpoint that was saved last', () => {
    const store = openTestStore()
    const runId = addRun(store, addCohort(store, 6))
    const checkpoint = (epoch: number, kind: 'best' | 'final', fold = 0) => ({ fold, kind, epoch, path: `fold_${fold}/${kind}`, sha256: sha256(`${epoch}`) })
    for (const item of [checkpoint(0, 'best'), checkpoint(3, 'best'), checkpoint(5, 'final'), checkpoint(1, 'best', 1)]) store.runs.addCheckpoint(runId, item)
    expect(store.runs.checkpoints(runId)).toEqual([checkpoint(3, 'best'), checkpoint(5, 'final'), checkpoint(1, 'best', 1)])
  })

  it('keeps one split, in import order, and no patient on two sides', () => {
    const store = openTestStore()
    const cohortId = addCohort(store, 6)
    const runId = addRun(store, cohortId)
    const studyIds = store.patients.listStudyIds({ cohortId })
    const sides: Split[] = ['train', 'train', 'val', 'val', 'test', 'test']
    expect(store.runs.getSplit(runId)).toBeNull()
    const twoSides: Split[] = ['train', 'test', 'val', 'val', 'test', 'test']
    expect(() => storeSplit(store, runId, [sides, twoSides], studyIds, proof('a'))).toThrow('two sides')
    expect(() => storeSplit(store, runId, [sides], [...studyIds.slice(1), 9999], proof('a'))).toThrow(expect.objectContaining({ code: 'STORE_NOT_FOUND' }))
    expect(store.runs.getSplit(runId)).toBeNull()
    // Given in another order than the import's.
    storeSplit(store, runId, [[...sides].reverse(), [...sides].reverse()], [...studyIds].reverse(), proof('a'))
    expect(store.runs.getSplit(runId)).toEqual({ studyIds, assignments: [sides, sides] })
    storeSplit(store, runId, [sides], studyIds, proof('a'))
    expect(() => storeSplit(store, runId, [sides], studyIds, proof('b'))).toThrow(expect.objectContaining({ code: 'RUN_WRONG_STATE' }))
    expect(store.runs.get(runId)).toMatchObject({ splitHash: 'a', splitProof: proof('a') })
  })

  it('can be removed unless it is running', () => {
    const store = openTestStore()
    const cohortId = addCohort(store, 6)
    const runId = addRun(store, cohortId)
    store.runs.setStatus(runId, 'running')
    expect(() => store.runs.remove(runId)).toThrow(expect.objectContaining({ code: 'RUN_WRONG_STATE' }))
    store.runs.finish(runId, { ...summary, outcome: 'stopped-by-user' })
    store.runs.remove(runId)
    expect(store.runs.list()).toEqual([])
  })
})
