import { effectScope, nextTick, ref } from 'vue'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { CohortDetail } from '../../../../../electron/contract/contract.ts'
import { runConfigSchema, type RunConfig, type RunEstimate } from '../../../../../engine/domain/run.ts'
import { labelOptionsOf, slotOptionsOf, useRunEstimate } from '../../../../../renderer/composables/run/useRunSetup.ts'

const estimateOf = (trainedParameters: number): RunEstimate => ({
  trainedParameters, totalParameters: 1e6, estimatedSeconds: 60, estimatedBytes: 1e9, availableBytes: 2e9, studyCount: 10, excludedStudyCount: 0,
  verdict: { backend: 'cpu', device: 'CPU', reason: 'no GPU', remedy: null }, warnings: [],
})

function open() {
  const asked: { config: RunConfig; answer: (estimate: RunEstimate) => void }[] = []
  const draft = ref<RunConfig | null>(runConfigSchema.parse({ cohortId: 1, slotIds: ['notes'], labelIds: [1] }))
  const state = effectScope().run(() => useRunEstimate(draft, (config) => new Promise((resolve) => asked.push({ config, answer: resolve }))))!
  return { asked, draft, state }
}

describe('useRunEstimate', () => {
  beforeEach(() => { vi.useFakeTimers() })
  afterEach(() => { vi.useRealTimers() })

  it('asks once for a burst of changes, with the last values', async () => {
    const { asked, draft } = open()
    for (const epochs of [1, 12, 120]) {
      draft.value!.epochs = epochs
      await nextTick()
      await vi.advanceTimersByTimeAsync(100)
    }
    expect(asked).toHaveLength(0)
    await vi.advanceTimersByTimeAsync(400)
    expect(asked.map((request) => request.config.epochs)).toEqual([120])
  })

  it('never shows the answer to older settings', async () => {
    const { asked, draft, state } = open()
    await vi.advanceTimersByTimeAsync(400)
    draft.value!.seed = 2
    await nextTick()
    asked[0]!.answer(estimateOf(111))
    await vi.advanceTimersByTimeAsync(0)
    expect(state.estimate.value).toBeNull()
    await vi.advanceTimersByTimeAsync(400)
    asked[1]!.answer(estimateOf(222))
    await vi.advanceTimersByTimeAsync(0)
    expect(state.estimate.value?.trainedParameters).toBe(222)
    expect(state.isEstimating.value).toBe(false)
  })

  it('does not ask for a draft that cannot be started', async () => {
    const { asked, draft, state } = open()
    draft.value!.epochs = Number.NaN
    await nextTick()
    await vi.advanceTimersByTimeAsync(1000)
    expect(asked).toHaveLength(0)
    expect(Object.keys(state.problems.value)).toEqual(['epochs'])
  })
})

describe('options of the form', () => {
  const detail = {
    cohort: {
      studyCount: 44, curation: { excludedStudyCount: 4 },
      slots: [{ slotId: 'right-eye', modality: 'image', title: 'Right eye', letter: 'R' }, { slotId: 'notes', modality: 'text', title: 'Notes', letter: 'N' }],
      labels: [{ labelId: 4, name: 'Glaucoma', position: 0 }, { labelId: 9, name: 'Never seen', position: 1 }],
    },
    labelCounts: [{ name: 'Glaucoma', positives: 3, negatives: 36, unknown: 1 }],
    absences: [{ slotId: 'notes', reason: 'not-collected', count: 5 }, { slotId: 'notes', reason: 'excluded', count: 2 }],
  } as unknown as CohortDetail

  it('count what is present, excluded studies not among them', () => expect(slotOptionsOf(detail).map((option) => option.presentCount)).toEqual([40, 33]))
  it('count positives, zero for a label that never occurs', () => {
    expect(labelOptionsOf(detail)).toEqual([
      { labelId: 4, name: 'Glaucoma', positives: 3, negatives: 36, unknown: 1 },
      { labelId: 9, name: 'Never seen', positives: 0, negatives: 0, unknown: 0 },
    ])
  })
})
