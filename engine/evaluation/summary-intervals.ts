import { decide } from '../domain/decisions.ts'
import type { Interval, RowIntervals } from '../domain/results.ts'
import { bootstrapInterval, drawResamples } from './bootstrap.ts'
import { type LabelledPrediction, countedOf } from './summarise.ts'

/**
 * Percentile bootstrap over patients (Efron and Tibshirani 1993, ch. 13) for the numbers of a results row. A patient is drawn with all
 * studies: two eyes or visits of a person are not two observations. One resample serves every label, so that a macro mean varies as a whole.
 */

/** With fewer patients on either side a percentile interval is far too narrow: two against three, perfectly ranked, would give 1 to 1. */
const minimumPatientsOfEachClass = 5
/** Resamples that lack a class are dropped; when many are, the rest no longer stands for the population. */
const minimumUsedShare = 0.9

export interface ResamplingOptions {
  /** Uniform numbers in [0, 1). */
  random: () => number
  resampleCount: number
  level: number
}

/** One label's studies with a known reference, most probable first. K studies. */
interface RankedLabel {
  /** Patient of each study, as a position 0..P-1. [K] */
  patients: Uint32Array
  truth: Uint8Array
  called: Uint8Array
  /** 1 where a study is the last of those with its probability. [K] */
  endsTie: Uint8Array
  /** Why no interval can be given, null when one can. */
  refusal: string | null
}

interface Values { f1: number; auroc: number; auprc: number }
type Metric = keyof Values
const metrics: readonly Metric[] = ['f1', 'auroc', 'auprc']

/** Intervals of the label metrics and of their means over the labels that are estimable in the row. */
export function summaryIntervals(given: readonly LabelledPrediction[], labelIds: readonly number[], task: 'multi-label' | 'multi-class', options: ResamplingOptions): Omit<RowIntervals, 'pattern'> {
  // Studies of classes that were not chosen take no part in the numbers, so none in their spread.
  const predictions = countedOf(given, task)
  const positionOf = new Map<number, number>()
  const patients = Uint32Array.from(predictions, ({ patientId }) => {
    if (!positionOf.has(patientId)) positionOf.set(patientId, positionOf.size)
    return positionOf.get(patientId)!
  })
  const decided = predictions.map((prediction) => decide(task, prediction.probabilities, prediction.thresholds))
  const ranked = labelIds.map((_, label) => rankLabel(predictions, patients, decided, label))
  const resamples = drawResamples(options.random, positionOf.size, options.resampleCount)
  const values = resamples.map((drawn) => {
    const weights = weightsOf(drawn, positionOf.size)
    return ranked.map((label) => valuesOf(label, weights))
  })
  // Labels with one class only have no value in the row, hence no part in its means.
  const inMeans = ranked.flatMap((label, index) => (hasBothClasses(label) ? [index] : []))
  const macro = (metric: Metric): Interval => {
    if (inMeans.length === 0) return refused('no label is estimable')
    const refusal = inMeans.map((index) => ranked[index]!.refusal).find((reason) => reason !== null)
    if (refusal !== undefined) return refused(`in one of its labels, ${refusal}`)
    return intervalOf(values.map((row) => meanOf(inMeans.map((index) => row[index]?.[metric] ?? null))), options.level)
  }
  return {
    macroF1: macro('f1'),
    macroAuroc: macro('auroc'),
    macroAuprc: macro('auprc'),
    labels: labelIds.map((labelId, index) => {
      const { refusal } = ranked[index]!
      const [f1, auroc, auprc] = metrics.map((metric) => (refusal === null ? intervalOf(values.map((row) => row[index]?.[metric] ?? null), options.level) : refused(refusal)))
      return { labelId, f1: f1!, auroc: auroc!, auprc: auprc! }
    }),
  }
}

function rankLabel(predictions: readonly LabelledPrediction[], patients: Uint32Array, decided: readonly boolean[][], label: number): RankedLabel {
  const probability = (i: number): number => predictions[i]!.probabilities[label]!
  const known = predictions.map((_, i) => i).filter((i) => !Number.isNaN(predictions[i]!.reference[label]!))
  known.sort((a, b) => probability(b) - probability(a))
  const truth = Uint8Array.from(known, (i) => predictions[i]!.reference[label]!)
  const own = Uint32Array.from(known, (i) => patients[i]!)
  return {
    patients: own, truth,
    called: Uint8Array.from(known, (i) => (decided[i]![label] ? 1 : 0)),
    endsTie: Uint8Array.from(known, (i, rank) => (rank === known.length - 1 || probability(known[rank + 1]!) !== probability(i) ? 1 : 0)),
    refusal: refusalOf(own, truth),
  }
}

function refusalOf(patients: Uint32Array, truth: Uint8Array): string | null {
  const count = (value: 0 | 1): number => new Set(patients.filter((_, i) => truth[i] === value)).size
  const [without, having] = [count(0), count(1)]
  if (having < minimumPatientsOfEachClass) return `only ${patientCount(having)} the label`
  if (without < minimumPatientsOfEachClass) return `only ${patientCount(without, 'lack')} the label`
  return null
}

const patientCount = (count: number, verb: 'have' | 'lack' = 'have'): string => (count === 1 ? `1 patient ${verb === 'have' ? 'has' : 'lacks'}` : `${count} patients ${verb}`)
const hasBothClasses = ({ truth }: RankedLabel): boolean => truth.includes(0) && truth.includes(1)

/** How often each patient was drawn. [P] */
function weightsOf(drawn: ArrayLike<number>, P: number): Uint32Array {
  const weights = new Uint32Array(P)
  for (let i = 0; i < drawn.length; i++) weights[drawn[i]!]! += 1
  return weights
}

/**
 * F1, AUROC (ties one half) and average precision of a resample in one pass over the ranked studies, each counted as often as its patient
 * was drawn; the same formulas as `f1`, `auroc` and `auprc`, which would sort every resample anew. Null where a class was not drawn.
 */
function valuesOf({ patients, truth, called, endsTie }: RankedLabel, weights: Uint32Array): Values | null {
  let positives = 0
  let negatives = 0
  let hits = 0
  let calls = 0
  for (let k = 0; k < patients.length; k++) {
    const weight = weights[patients[k]!]!
    if (truth[k] === 1) positives += weight
    else negatives += weight
    if (called[k] === 1) {
      calls += weight
      if (truth[k] === 1) hits += weight
    }
  }
  if (positives === 0 || negatives === 0) return null
  let truePositives = 0
  let falsePositives = 0
  let tiedPositives = 0
  let tiedNegatives = 0
  let wins = 0
  let area = 0
  for (let k = 0; k < patients.length; k++) {
    const weight = weights[patients[k]!]!
    if (truth[k] === 1) tiedPositives += weight
    else tiedNegatives += weight
    if (endsTie[k] === 0) continue
    wins += tiedPositives * (negatives - falsePositives - tiedNegatives / 2)
    truePositives += tiedPositives
    falsePositives += tiedNegatives
    if (tiedPositives > 0) area += (tiedPositives / positives) * (truePositives / (truePositives + falsePositives))
    tiedPositives = 0
    tiedNegatives = 0
  }
  return { f1: (2 * hits) / (calls + positives), auroc: wins / positives / negatives, auprc: area }
}

function meanOf(values: readonly (number | null)[]): number | null {
  let sum = 0
  for (const value of values) {
    // A mean over other labels than the row's would be another number.
    if (value === null) return null
    sum += value
  }
  return sum / values.length
}

function intervalOf(values: readonly (number | null)[], level: number): Interval {
  const { lower, upper, usedCount } = bootstrapInterval(values.map((_, index) => [index]), (index) => values[index[0]!]!, level)
  if (usedCount < minimumUsedShare * values.length) return refused(`only ${usedCount} of ${values.length} resamples hold both classes`)
  if (lower === upper) return refused('every resample gives the same value')
  return { lower, upper, reason: null }
}

const refused = (reason: string): Interval => ({ lower: null, upper: null, reason })
