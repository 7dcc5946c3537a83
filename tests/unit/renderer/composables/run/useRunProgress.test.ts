import { effectScope, nextTick, ref } from 'vue'
import { describe, expect, it } from 'vitest'
import type { CallReply, EventPayload } from '../../../../../electron/contract/contract.ts'
import type { Epoch } from '../../../../../engine/domain/run.ts'
import { useRunProgress } from '../../../../../renderer/composables/run/useRunProgress.ts'

const settle = async (): Promise<void> => { for (let turn = 0; turn < 5; turn++) await nextTick() }
const epoch = (index: number, trainLoss: number): Epoch => ({ fold: 0, epoch: index, trainLoss, valLoss: null, valMacroAuroc: null, learningRate: 1e-3, elapsedMs: 10, isBest: false })

/** A channel of events with one listener list, as preload offers it. */
function channel<T>() {
  const listeners = new Set<(payload: T) => void>()
  return { listeners, tell: (payload: T) => listeners.forEach((listen) => listen(payload)), on: (listen: (payload: T) => void) => { listeners.add(listen); return () => { listeners.delete(listen) } } }
}

function open(stored: Epoch[]) {
  const changed = channel<EventPayload<'runs:changed'>>()
  const epochs = channel<EventPayload<'runs:epoch'>>()
  const losses = channel<EventPayload<'runs:loss'>>()
  const asked: number[] = []
  const get = async (runId: number): Promise<CallReply<'runs:get'>> => {
    asked.push(runId)
    return { run: { runId } as CallReply<'runs:get'>['run'], epochs: stored, splitProof: null }
  }
  const runId = ref(5)
  const scope = effectScope()
  const progress = scope.run(() => useRunProgress(runId, { get, onChanged: changed.on, onEpoch: epochs.on, onLoss: losses.on }))!
  return { changed, epochs, losses, asked, runId, scope, progress }
}

describe('useRunProgress', () => {
  it('lays epochs as they come over what is stored, and ignores other runs', async () => {
    const { epochs, progress } = open([epoch(0, 0.9)])
    await settle()
    epochs.tell({ runId: 5, epoch: epoch(1, 0.8) })
    epochs.tell({ runId: 6, epoch: epoch(2, 0.1) })
    expect(progress.epochs.value.map((item) => item.trainLoss)).toEqual([0.9, 0.8])
  })

  it('keeps an epoch that overtook the stored ones', async () => {
    const { epochs, progress } = open([epoch(0, 0.9)])
    epochs.tell({ runId: 5, epoch: epoch(1, 0.8) })
    await settle()
    expect(progress.epochs.value).toHaveLength(2)
  })

  it('asks again when the run changed, and starts afresh for another run', async () => {
    const { changed, losses, asked, runId, progress } = open([])
    await settle()
    changed.tell({ runId: 9 })
    changed.tell({ runId: 5 })
    losses.tell({ runId: 5, fold: 0, epoch: 0, step: 3, loss: 0.7 })
    expect(progress.steps.value.points).toEqual([[3, 0.7]])
    runId.value = 6
    await settle()
    expect(asked).toEqual([5, 5, 6])
    expect(progress.steps.value.points).toEqual([])
  })

  it('stops listening when the page is left', () => {
    const { changed, epochs, losses, scope } = open([])
    scope.stop()
    expect([changed.listeners.size, epochs.listeners.size, losses.listeners.size]).toEqual([0, 0, 0])
  })
})
