import { describe, expect, it } from 'vitest'
import { createRng } from '../../../engine/training/rng.ts'
import { bootstrapInterval, drawResamples } from '../../../engine/evaluation/bootstrap.ts'
import { summarisePredictions, type LabelledPrediction } from '../../../engine/evaluation/summarise.ts'
import { summaryIntervals } from '../../../engine/evaluation/summary-intervals.ts'

const labels = [{ labelId: 1, labelName: 'Glaucoma' }, { labelId: 2, labelName: 'Cataract' }]
const options = (seed = 7, resampleCount = 400) => {
  const rng = createRng(seed)
  return { random: () => rng.uniform(), resampleCount, level: 0.95 }
}

/** Patients with one to three studies, tied probabilities and some unknown references. */
function cohort(patientCount: number, seed = 3): LabelledPrediction[] {
  const rng = createRng(seed)
  return Array.from({ length: patientCount }, (_, patientId) => Array.from({ length: 1 + (patientId % 3) }, (): LabelledPrediction => {
    const reference = [rng.uniform() < 0.4 ? 1 : 0, rng.uniform() < 0.1 ? Number.NaN : rng.uniform() < 0.5 ? 1 : 0]
    const probabilities = reference.map((value) => Math.round(10 * Math.min(1, Math.max(0, 0.3 + 0.25 * (value || 0) + 0.45 * rng.uniform()))) / 10)
    return { patientId, reference: Float32Array.from(reference), probabilities: Float32Array.from(probabilities), thresholds: new Float32Array([0.5, 0.6]) }
  })).flat()
}

describe('summaryIntervals', () => {
  it('draws only studies of the chosen classes', () => {
    const chosen = cohort(40).map((row) => ({ ...row, reference: Float32Array.of(row.reference[0]!, 1 - row.reference[0]!) }))
    const others = cohort(20, 9).map((row) => ({ ...row, patientId: 100 + row.patientId, reference: Float32Array.of(0, 0) }))
    expect(summaryIntervals([...others, ...chosen], [1, 2], 'multi-class', options())).toEqual(summaryIntervals(chosen, [1, 2], 'multi-class', options()))
  })

  it('equals the plain way: resample patients, summarise each resample anew', () => {
    const predictions = cohort(60)
    const intervals = summaryIntervals(predictions, [1, 2], 'multi-label', options())
    const byPatient = [...Map.groupBy(predictions, ({ patientId }) => patientId).values()]
    const summaries = drawResamples(options().random, byPatient.length, 400).map((drawn) => summarisePredictions([...drawn].flatMap((patient) => byPatient[patient]!), labels, 'multi-label'))
    const plain = (pick: (summary: (typeof summaries)[number]) => number | null) => {
      const { lower, upper } = bootstrapInterval(summaries.map((_, index) => [index]), (index) => pick(summaries[index[0]!]!))
      return [lower, upper]
    }
    const expectSame = (interval: { lower: number | null; upper: number | null }, pick: (summary: (typeof summaries)[number]) => number | null) => {
      const [lower, upper] = plain(pick)
      expect(interval.lower).toBeCloseTo(lower!, 10)
      expect(interval.upper).toBeCloseTo(upper!, 10)
    }
    for (const [index, label] of intervals.labels.entries()) {
      for (const metric of ['f1', 'auroc', 'auprc'] as const) expectSame(label[metric], (summary) => summary.labels[index]![metric].value)
    }
    expectSame(intervals.macroAuroc, (summary) => summary.macroAuroc.value)
    expectSame(intervals.macroF1, (summary) => summary.macroF1.value)
    expectSame(intervals.macroAuprc, (summary) => summary.macroAuprc.value)
  })

  it('holds the point value and is the same for the same seed', () => {
    const predictions = cohort(80)
    const intervals = summaryIntervals(predictions, [1, 2], 'multi-label', options())
    const { macroAuroc } = summarisePredictions(predictions, labels, 'multi-label')
    expect(intervals.macroAuroc.lower).toBeLessThan(macroAuroc.value!)
    expect(intervals.macroAuroc.upper).toBeGreaterThan(macroAuroc.value!)
    expect(summaryIntervals(predictions, [1, 2], 'multi-label', options())).toEqual(intervals)
    expect(summaryIntervals(predictions, [1, 2], 'multi-label', options(8))).not.toEqual(intervals)
  })

  it('is wider by patients than by studies when the studies of a patient agree', () => {
    const one = cohort(40).filter((prediction, i, all) => all.findIndex(({ patientId }) => patientId === prediction.patientId) === i)
    const copies = one.flatMap((prediction) => [prediction, prediction, prediction, prediction])
    const width = (predictions: LabelledPrediction[]) => {
      const { lower, upper } = summaryIntervals(predictions, [1, 2], 'multi-label', options()).labels[0]!.auroc
      return upper! - lower!
    }
    // Four copies of every study are no news: the interval must stay as wide as for one.
    expect(width(copies)).toBeCloseTo(width(one), 10)
    expect(width(copies)).toBeGreaterThan(1.5 * width(copies.map((prediction, patientId) => ({ ...prediction, patientId }))))
  })

  it('gives no interval, and the reason, for a handful of patients however well they are ranked', () => {
    const few = [0.9, 0.8, 0.2, 0.1, 0.05].map((probability, patientId): LabelledPrediction => ({
      patientId, probabilities: new Float32Array([probability, 0.5]), thresholds: new Float32Array([0.5, 0.5]), reference: new Float32Array([probability > 0.5 ? 1 : 0, 0]),
    }))
    const { labels: [first, second], macroAuroc } = summaryIntervals(few, [1, 2], 'multi-label', options())
    expect(first!.auroc).toEqual({ lower: null, upper: null, reason: 'only 2 patients have the label' })
    expect(second!.auroc).toEqual({ lower: null, upper: null, reason: 'only 0 patients have the label' })
    expect(macroAuroc.reason).toBe('in one of its labels, only 2 patients have the label')
  })

  it('gives no interval where resampling shows no variation', () => {
    const perfect = Array.from({ length: 40 }, (_, patientId): LabelledPrediction => ({
      patientId, probabilities: new Float32Array([patientId / 40]), thresholds: new Float32Array([0.5]), reference: new Float32Array([patientId >= 20 ? 1 : 0]),
    }))
    expect(summaryIntervals(perfect, [1], 'multi-label', options()).labels[0]!.auroc).toMatchObject({ lower: null, reason: 'every resample gives the same value' })
  })
})
