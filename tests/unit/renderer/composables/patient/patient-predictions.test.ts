import { describe, expect, it } from 'vitest'
import type { StoredPrediction } from '../../../../../engine/domain/records.ts'
import { formatChange, formatProbability, formatThreshold } from '../../../../../renderer/composables/patient/patient-format.ts'
import { agreementOf, predictionPanelOf, whatIfRangeOf } from '../../../../../renderer/composables/patient/patient-predictions.ts'

function prediction(overrides: Partial<StoredPrediction>, probability: number): StoredPrediction {
  return {
    fold: 0, split: 'test', pattern: 'image+notes', isActual: true,
    labels: [{ labelId: 1, labelName: 'Cataract', logit: 0, probability, threshold: 0.5, reference: 1 }],
    ...overrides,
  }
}

describe('a threshold beside its probability', () => {
  it('has as many decimals as tell the two apart', () => {
    expect([formatThreshold(0.5, 0.81), formatThreshold(0.3701, 0.3749), formatThreshold(0.3704, 0.3696), formatThreshold(0.004, 0.02), formatThreshold(0.25, 0.25)])
      .toEqual(['0.50', '0.370', '0.3704', '0.004', '0.25'])
  })
})

describe('predictionPanelOf', () => {
  it('is null without a prediction under the real items', () => {
    expect(predictionPanelOf([], 'multi-label')).toBeNull()
    expect(predictionPanelOf([prediction({ isActual: false }, 0.2)], 'multi-label')).toBeNull()
  })

  it('takes the word of the fold in which the patient was tested', () => {
    const panel = predictionPanelOf([
      prediction({ fold: 0, split: 'train' }, 0.9),
      prediction({ fold: 1, split: 'val' }, 0.8),
      prediction({ fold: 2, split: 'test' }, 0.3),
      prediction({ fold: 0, split: 'train', isActual: false, pattern: 'image' }, 0.99),
      prediction({ fold: 2, split: 'test', isActual: false, pattern: 'image' }, 0.6),
    ], 'multi-label')
    expect(panel).toMatchObject({ fold: 2, split: 'test', foldCount: 3 })
    expect(panel?.lines[0]?.whatIfs.map((whatIf) => whatIf.probability)).toEqual([0.6])
  })

  it('tells the change and whether the decision turns', () => {
    const [line] = predictionPanelOf([
      prediction({}, 0.7),
      prediction({ isActual: false, pattern: 'image' }, 0.75),
      prediction({ isActual: false, pattern: 'notes' }, 0.2),
    ], 'multi-label')!.lines
    expect(line!.whatIfs.map((whatIf) => [whatIf.pattern, Number(whatIf.change.toFixed(6)), whatIf.isOtherSide])).toEqual([['image', 0.05, false], ['notes', -0.5, true]])
    expect(whatIfRangeOf(line!)).toEqual({ low: 0.2, high: 0.75 })
    expect(whatIfRangeOf({ ...line!, whatIfs: [] })).toBeNull()
  })

  it('calls the most probable class alone when exactly one applies, whatever the thresholds', () => {
    const classes = (probabilities: number[], overrides: Partial<StoredPrediction> = {}) => prediction({
      labels: probabilities.map((probability, i) => ({ labelId: i + 1, labelName: `Class ${i + 1}`, logit: 0, probability, threshold: 0.5, reference: i === 0 ? 1 : 0 })), ...overrides,
    }, 0)
    const { lines } = predictionPanelOf([classes([0.4, 0.35, 0.25]), classes([0.2, 0.45, 0.35], { isActual: false, pattern: 'image' })], 'multi-class')!
    expect(lines.map((line) => [line.isPositive, line.threshold, line.agreement])).toEqual([[true, null, 'true-positive'], [false, null, 'true-negative'], [false, null, 'true-negative']])
    expect(lines.map((line) => line.whatIfs[0]!.isOtherSide)).toEqual([true, true, false])
  })

  it('calls a probability on the threshold positive, as the engine does', () => {
    expect(predictionPanelOf([prediction({}, 0.5)], 'multi-label')!.lines[0]).toMatchObject({ isPositive: true, agreement: 'true-positive' })
  })
})

describe('agreementOf', () => {
  it('has no opinion without a reference', () => expect(agreementOf(true, null)).toBeNull())
  it('names all four cases', () => {
    expect([agreementOf(true, 1), agreementOf(true, 0), agreementOf(false, 1), agreementOf(false, 0)])
      .toEqual(['true-positive', 'false-positive', 'false-negative', 'true-negative'])
  })
})

describe('numbers on the page', () => {
  it('never round a probability to certainty', () => {
    expect([0, 0.001, 0.005, 0.5, 0.994, 0.9951, 1].map(formatProbability)).toEqual(['0.00', '< 0.01', '0.01', '0.50', '0.99', '> 0.99', '1.00'])
  })
  it('sign a change with a true minus', () => {
    expect([-0.218, 0.1, 0.001, -0.001].map(formatChange)).toEqual(['−0.22', '+0.10', '±0.00', '±0.00'])
  })
})
