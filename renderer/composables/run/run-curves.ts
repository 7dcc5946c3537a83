import type { Epoch } from '../../../engine/domain/run.ts'

/** Points of a run's learning curves in one fold. Epochs count from 1 for the reader. */
export interface Curves {
  trainLoss: [number, number][]
  valLoss: [number, number][]
  valMacroAuroc: [number, number][]
  bestEpoch: number | null
}

/** Adds or replaces one epoch; a resumed run tells its last epoch again. Ordered by fold, then epoch. */
export function withEpoch(epochs: readonly Epoch[], added: Epoch): Epoch[] {
  const others = epochs.filter((epoch) => epoch.fold !== added.fold || epoch.epoch !== added.epoch)
  return [...others, added].sort((a, b) => a.fold - b.fold || a.epoch - b.epoch)
}

/** Curves of one fold. What was not estimable leaves a gap instead of a zero. */
export function curvesOf(epochs: readonly Epoch[], fold: number): Curves {
  const own = epochs.filter((epoch) => epoch.fold === fold)
  const best = own.filter((epoch) => epoch.isBest).at(-1)
  return {
    trainLoss: own.map((epoch) => [epoch.epoch + 1, epoch.trainLoss]),
    valLoss: own.flatMap((epoch): [number, number][] => (epoch.valLoss === null ? [] : [[epoch.epoch + 1, epoch.valLoss]])),
    valMacroAuroc: own.flatMap((epoch): [number, number][] => (epoch.valMacroAuroc === null ? [] : [[epoch.epoch + 1, epoch.valMacroAuroc]])),
    bestEpoch: best === undefined ? null : best.epoch + 1,
  }
}

/** Folds that have at least one epoch, in order. */
export function foldsOf(epochs: readonly Epoch[]): number[] {
  return [...new Set(epochs.map((epoch) => epoch.fold))].sort((a, b) => a - b)
}

/**
 * Step losses of the current fold, thinned so that a long run never draws more than `stepLimit` points.
 * `x` counts steps over all epochs of the fold, whether the engine counts on or starts again in each epoch.
 */
export interface StepLosses { fold: number; epoch: number; lastStep: number; offset: number; points: [x: number, loss: number][]; stride: number }

export const emptySteps: StepLosses = { fold: 0, epoch: 0, lastStep: -1, offset: 0, points: [], stride: 1 }
const stepLimit = 600

/** Adds one step loss. Beyond the limit every second point is dropped and only every `stride`-th step is kept from then on. */
export function withStep(steps: StepLosses, added: { fold: number; epoch: number; step: number; loss: number }): StepLosses {
  const base = added.fold === steps.fold ? steps : { ...emptySteps, fold: added.fold }
  const startsAgain = added.epoch > base.epoch && added.step <= base.lastStep
  const offset = startsAgain ? base.offset + base.lastStep + 1 : base.offset
  const x = offset + added.step
  // A resumed epoch counts its steps again from the checkpoint: what it repeats is dropped.
  const kept = base.points.filter(([step]) => step < x)
  const next = { ...base, epoch: added.epoch, lastStep: added.step, offset, points: kept }
  const previous = kept.at(-1)
  if (previous !== undefined && x - previous[0] < base.stride) return next
  const points: [number, number][] = [...kept, [x, added.loss]]
  if (points.length <= stepLimit) return { ...next, points }
  return { ...next, points: points.filter((_, index) => index % 2 === 0), stride: base.stride * 2 }
}

/**
 * Seconds left of a run from its finished epochs: mean duration times what is to come. Null before the first epoch.
 * Early stopping may end it sooner, so the screen says "at most".
 */
export function secondsLeftOf(epochs: readonly Epoch[], settings: { epochs: number; folds: number }, fold: number): number | null {
  if (epochs.length === 0) return null
  const mean = epochs.reduce((sum, epoch) => sum + epoch.elapsedMs, 0) / epochs.length
  const doneInFold = epochs.filter((epoch) => epoch.fold === fold).length
  const toCome = Math.max(0, settings.epochs - doneInFold) + Math.max(0, settings.folds - 1 - fold) * settings.epochs
  return (mean * toCome) / 1000
}
