import { expect, it, vi } from 'vitest'
import { computed, effectScope, nextTick, shallowRef } from 'vue'
import type { Job } from '../../../../../electron/contract/contract.ts'
import { importingStage } from '../../../../../engine/domain/import.ts'
import { imagesPerStudy, rateOf, useImageRate, withSample } from '../../../../../renderer/composables/import/useImageRate.ts'

it('tells no speed from too little', () => {
  expect(rateOf([])).toBeNull()
  expect(rateOf([{ atMs: 0, done: 0 }, { atMs: 400, done: 90 }])).toBeNull()
  expect(rateOf([{ atMs: 0, done: 5 }, { atMs: 4000, done: 5 }])).toBeNull()
})

it('follows the last seconds only, and starts anew when the count falls', () => {
  let samples = [{ atMs: 0, done: 0 }]
  for (let second = 1; second <= 20; second++) samples = withSample(samples, { atMs: second * 1000, done: second <= 10 ? second * 200 : 2000 + (second - 10) * 50 })
  expect(rateOf(samples)).toBe(50)
  expect(withSample(samples, { atMs: 21_000, done: 3 })).toEqual([{ atMs: 21_000, done: 3 }])
})

it('counts the images of a study from the check', () => {
  const slots = [{ slotId: 'r', modality: 'image' as const, title: 'R', letter: 'R' }, { slotId: 'l', modality: 'image' as const, title: 'L', letter: 'L' }, { slotId: 'n', modality: 'text' as const, title: 'N', letter: 'N' }]
  expect(imagesPerStudy({ slots, studyCount: 10, absences: [{ slotId: 'l', reason: 'file-missing', count: 5 }, { slotId: 'n', reason: 'not-collected', count: 9 }] })).toBe(1.5)
  expect(imagesPerStudy({ slots: slots.slice(2), studyCount: 10, absences: [] })).toBeNull()
})

it('tells no speed of images while texts are scrubbed', async () => {
  const scope = effectScope()
  const job = shallowRef<Job>()
  const now = vi.spyOn(performance, 'now')
  const rateAfter = async (stage: string): Promise<number | null> => {
    const rate = scope.run(() => useImageRate(computed(() => job.value), computed(() => 2)))!
    for (let second = 0; second <= 3; second++) {
      now.mockReturnValue(second * 1000)
      job.value = { jobKey: 'x', kind: 'import', title: '', status: 'running', stage, done: second * 100, total: 1000, secondsLeft: null, cohortId: 1, runId: null, error: null }
      await nextTick()
    }
    return rate.value
  }
  expect(await rateAfter('Removing names and dates from texts')).toBeNull()
  expect(await rateAfter(importingStage)).toBe(200)
  scope.stop()
  now.mockRestore()
})
