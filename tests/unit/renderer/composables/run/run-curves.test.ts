import { describe, expect, it } from 'vitest'
import type { Epoch } from '../../../../../engine/domain/run.ts'
import { curvesOf, emptySteps, foldsOf, secondsLeftOf, withEpoch, withStep, type StepLosses } from '../../../../../renderer/composables/run/run-curves.ts'

const epoch = (overrides: Partial<Epoch>): Epoch => ({ fold: 0, epoch: 0, trainLoss: 0.5, valLoss: 0.6, valMacroAuroc: 0.7, learningRate: 1e-3, elapsedMs: 2000, isBest: false, ...overrides })

describe('learning curves', () => {
  it('replaces an epoch that a resumed run tells again', () => {
    const epochs = withEpoch(withEpoch([epoch({ epoch: 1 })], epoch({ epoch: 0 })), epoch({ epoch: 1, trainLoss: 0.4 }))
    expect(epochs.map((item) => [item.epoch, item.trainLoss])).toEqual([[0, 0.5], [1, 0.4]])
  })
  it('counts epochs from 1, leaves gaps and marks the last best', () => {
    const curves = curvesOf([epoch({ isBest: true }), epoch({ epoch: 1, valMacroAuroc: null, isBest: true }), epoch({ epoch: 2, fold: 1 })], 0)
    expect(curves).toEqual({ trainLoss: [[1, 0.5], [2, 0.5]], valLoss: [[1, 0.6], [2, 0.6]], valMacroAuroc: [[1, 0.7]], bestEpoch: 2 })
    expect(foldsOf([epoch({ fold: 2 }), epoch({ fold: 0 })])).toEqual([0, 2])
  })
})

describe('step losses', () => {
  const fill = (count: number): StepLosses => Array.from({ length: count }, (_, step) => step).reduce((steps, step) => withStep(steps, { fold: 0, epoch: 0, step, loss: step }), emptySteps)
  it('stay few however long the run is', () => {
    const steps = fill(20_000)
    expect(steps.points.length).toBeLessThanOrEqual(600)
    expect(steps.points[0]).toEqual([0, 0])
    expect(steps.points.at(-1)![0]).toBeGreaterThan(20_000 - 2 * steps.stride)
    expect(steps.points.every(([step, loss]) => step === loss)).toBe(true)
  })
  it('start again with the next fold', () => expect(withStep(fill(10), { fold: 1, epoch: 0, step: 0, loss: 3 })).toMatchObject({ fold: 1, points: [[0, 3]], stride: 1 }))
  it('go on when the steps are counted anew in each epoch', () => {
    expect(withStep(withStep(fill(3), { fold: 0, epoch: 1, step: 0, loss: 7 }), { fold: 0, epoch: 1, step: 1, loss: 8 }).points.slice(-2)).toEqual([[3, 7], [4, 8]])
  })
  it('drop what a resumed epoch repeats', () => expect(withStep(fill(10), { fold: 0, epoch: 0, step: 4, loss: 9 }).points.map(([step]) => step)).toEqual([0, 1, 2, 3, 4]))
})

describe('secondsLeftOf', () => {
  it('knows nothing before the first epoch', () => expect(secondsLeftOf([], { epochs: 20, folds: 1 }, 0)).toBeNull())
  it('counts the epochs and folds to come', () => {
    expect(secondsLeftOf([epoch({}), epoch({ epoch: 1, elapsedMs: 4000 })], { epochs: 20, folds: 1 }, 0)).toBe(54)
    expect(secondsLeftOf([epoch({})], { epochs: 2, folds: 3 }, 0)).toBe(10)
  })
})
