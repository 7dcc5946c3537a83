import { decide } from '../../../engine/domain/decisions.ts'
import type { ServedBy } from '../../../engine/domain/exchange.ts'
import type { StoredPrediction, Task } from '../../../engine/domain/records.ts'
import type { Split } from '../../../engine/domain/run.ts'

/** One what-if of a label: what the run would say if only the items of `pattern` were there. */
export interface WhatIf {
  pattern: string
  probability: number
  /** Difference to the opinion under the items the study really has; below 0 = less probable. */
  change: number
  /** The decision differs from the one under the real items. */
  isOtherSide: boolean
  /** Who answered; null where the run did not record it. */
  servedBy: ServedBy | null
}

/** One label of the patient page. */
export interface PredictionLine {
  labelId: number
  labelName: string
  probability: number
  /** Null where the most probable class is called and no threshold plays a part. */
  threshold: number | null
  reference: 0 | 1 | null
  isPositive: boolean
  /** Null without a reference value. */
  agreement: 'true-positive' | 'true-negative' | 'false-positive' | 'false-negative' | null
  whatIfs: WhatIf[]
}

/** The predictions of one study under one run as the page draws them. */
export interface PredictionPanel {
  fold: number
  foldCount: number
  split: Split
  pattern: string
  /** Who answered under the real items; null where the run did not record it. */
  servedBy: ServedBy | null
  lines: PredictionLine[]
}

const splitOrder: Record<Split, number> = { test: 0, val: 1, train: 2 }

/**
 * The lines of the patient page. With several folds the study has several opinions: the one of the fold in which it was a
 * test patient counts, else validation, else training, the same rule as the patient list.
 * What is called comes from the same `decide` as every count, so that a page never contradicts a table. Null when there is none.
 */
export function predictionPanelOf(predictions: readonly StoredPrediction[], task: Task): PredictionPanel | null {
  const actuals = predictions.filter((prediction) => prediction.isActual)
  const [actual] = [...actuals].sort((a, b) => splitOrder[a.split] - splitOrder[b.split] || a.fold - b.fold)
  if (actual === undefined) return null
  const whatIfs = predictions.filter((prediction) => prediction.fold === actual.fold && !prediction.isActual && prediction.pattern !== actual.pattern)
  const called = calledOf(actual, task)
  const calledIn = whatIfs.map((prediction) => calledOf(prediction, task))
  const lines = actual.labels.map((label): PredictionLine => {
    const isPositive = called.has(label.labelId)
    return {
      labelId: label.labelId,
      labelName: label.labelName,
      probability: label.probability,
      threshold: task === 'multi-class' ? null : label.threshold,
      reference: label.reference,
      isPositive,
      agreement: agreementOf(isPositive, label.reference),
      whatIfs: whatIfs.flatMap((prediction, index) => {
        const other = prediction.labels.find((candidate) => candidate.labelId === label.labelId)
        if (other === undefined) return []
        return [{
          pattern: prediction.pattern,
          probability: other.probability,
          change: other.probability - label.probability,
          isOtherSide: calledIn[index]!.has(label.labelId) !== isPositive,
          servedBy: prediction.servedBy ?? null,
        }]
      }),
    }
  })
  return { fold: actual.fold, foldCount: new Set(actuals.map((prediction) => prediction.fold)).size, split: actual.split, pattern: actual.pattern, servedBy: actual.servedBy ?? null, lines }
}

/** Ids of the labels that a prediction calls present. */
function calledOf({ labels }: StoredPrediction, task: Task): Set<number> {
  const decisions = decide(task, labels.map((label) => label.probability), labels.map((label) => label.threshold))
  return new Set(labels.filter((_, index) => decisions[index]).map((label) => label.labelId))
}

/** How a decision stands to the reference value; null when there is none. */
export function agreementOf(isPositive: boolean, reference: 0 | 1 | null): PredictionLine['agreement'] {
  if (reference === null) return null
  if (isPositive) return reference === 1 ? 'true-positive' : 'false-positive'
  return reference === 1 ? 'false-negative' : 'true-negative'
}

/** Lowest and highest probability over a label's what-ifs and its real items; null without what-ifs. */
export function whatIfRangeOf(line: PredictionLine): { low: number; high: number } | null {
  if (line.whatIfs.length === 0) return null
  const all = [line.probability, ...line.whatIfs.map((whatIf) => whatIf.probability)]
  return { low: Math.min(...all), high: Math.max(...all) }
}
