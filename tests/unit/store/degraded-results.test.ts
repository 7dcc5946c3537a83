import { expect, it } from 'vitest'
import type { RunResults } from '../../../engine/domain/results.ts'
import { addCohort, addRun, openTestStore } from './fixtures.ts'

const results = (setting: string): RunResults => ({
  runId: 1, setting, byPattern: [],
  overall: { pattern: null, patternTitle: 'All', studyCount: 0, patientCount: 0, macroF1: { value: 0.5, reason: null }, macroAuroc: { value: 0.6, reason: null }, macroAuprc: { value: 0.7, reason: null }, estimableLabels: 0, labels: [] },
})

it('keeps the results of each level with its run, the first ones, in rising order', () => {
  const store = openTestStore()
  const runId = addRun(store, addCohort(store, 4))
  const before = store.audit.list(500).length
  store.degradedResults.add(runId, { kind: 'blur', level: 10 }, results('ten'))
  store.degradedResults.add(runId, { level: 2, kind: 'blur' }, results('two'))
  expect(store.degradedResults.add(runId, { kind: 'blur', level: 2 }, results('another')).results.setting).toBe('two')
  expect(store.degradedResults.list(runId).map(({ degradation }) => degradation)).toEqual([{ kind: 'blur', level: 2 }, { kind: 'blur', level: 10 }])
  expect(store.degradedResults.get(runId, { kind: 'noise', level: 0.1 })).toBeNull()
  expect(store.audit.list(500).length).toBe(before + 2)
  store.runs.setStatus(runId, 'running')
  store.runs.setStatus(runId, 'cancelled')
  store.runs.remove(runId)
  Array.from(store.removals.erase())
  expect(store.degradedResults.list(runId)).toEqual([])
})
