import type { FoldMean, FoldMeans } from '../domain/results.ts'
import { summarisePredictions, type LabelledPrediction } from './summarise.ts'

/**
 * Mean and spread over the folds of a cross-validation, each fold measured by itself on its own test studies. Beside the pooled numbers, because
 * models of different folds lie at different levels: ranking their predictions together mixes those levels into AUROC and AUPRC
 * (Forman and Scholz 2010, "Apples-to-apples in cross-validation studies", SIGKDD Explorations 12(1)).
 * A fold in which no label is estimable is left out of the mean and of `folds`. `sd` is the sample standard deviation, null for one fold.
 */
export function foldMeans(predictions: readonly (LabelledPrediction & { fold: number })[], labels: readonly { labelId: number; labelName: string }[], task: 'multi-label' | 'multi-class'): FoldMeans {
  const folds = [...Map.groupBy(predictions, ({ fold }) => fold).values()].map((members) => summarisePredictions(members, labels, task))
  const over = (metric: 'macroF1' | 'macroAuroc' | 'macroAuprc'): FoldMean => meanAndSpread(folds.flatMap((fold) => fold[metric].value ?? []))
  return { macroF1: over('macroF1'), macroAuroc: over('macroAuroc'), macroAuprc: over('macroAuprc') }
}

function meanAndSpread(values: readonly number[]): FoldMean {
  const count = values.length
  if (count === 0) return { mean: null, sd: null, folds: 0 }
  const mean = values.reduce((sum, value) => sum + value, 0) / count
  const sd = count === 1 ? null : Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1))
  return { mean, sd, folds: count }
}
