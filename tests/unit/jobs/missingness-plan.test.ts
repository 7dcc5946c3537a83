import { describe, expect, it } from 'vitest'
import { runConfigSchema, type RunConfigInput } from '../../../engine/domain/run.ts'
import { planMissingness, shownTablesOf } from '../../../engine/jobs/missingness/plan.ts'
import { assignFolds } from '../../../engine/training/splits/folds.ts'
import { simulateMissingness } from '../../../engine/training/missingness/missingness.ts'
import { createRng } from '../../../engine/training/rng.ts'
import { slots } from '../store/fixtures.ts'

const complete = 'right-eye+left-eye+notes'
const studies = Array.from({ length: 300 }, (_, i) => ({
  studyId: i + 1, patientId: i + 1, patientKey: `P${i}`, studyKey: 'a', ageYears: i % 7 === 0 ? null : 30 + (i % 50), sex: i % 2 === 0 ? 'female' as const : 'male' as const,
  pattern: i % 10 === 0 ? 'right-eye+notes' : complete, labels: Float32Array.of(i % 3 === 0 ? 1 : 0),
  items: slots.map(({ slotId, modality }) => ({ slotId, path: modality === 'image' ? `/x/${i}` : null, sha256: `${slotId} ${i}`, text: modality === 'text' ? 'word '.repeat(1 + (i % 20)) : null })),
}))
const material = { slots, labelNames: ['glaucoma'], studies, cohortHash: 'c'.repeat(64) }
const plan = (changes: Partial<RunConfigInput>) => {
  const config = runConfigSchema.parse({ cohortId: 1, slotIds: slots.map(({ slotId }) => slotId), labelIds: [5], ...changes })
  const { assignments, proof } = assignFolds(studies, config.split, createRng, config.seed)
  return { config, assignments, splitHash: proof.splitHash, stored: planMissingness(config, material, assignments, proof.splitHash) }
}
const text = { kind: 'modality', modality: 'text' } as const
const loss = (mechanism: object) => ({ missingness: { train: { losses: [{ target: text, rate: 0.4, mechanism }] } } }) as Partial<RunConfigInput>

describe('planMissingness', () => {
  it('keeps the draws of configurations that name two rates only', () => {
    const { stored, splitHash } = plan({ trainMissingness: { image: 0.3, text: 0.2 }, seed: 4 })
    const shown = shownTablesOf(stored, studies.length, 'c'.repeat(64), splitHash)
    expect(shown.train).toEqual(simulateMissingness(slots, studies.map(({ pattern }) => pattern), { image: 0.3, text: 0.2 }, createRng(4).fork('train-missingness')))
    expect(shown.test).toEqual(studies.map(({ pattern }) => pattern))
  })

  it('says in words and counts what each side is shown, and the counts are those of the table', () => {
    const { stored, assignments, splitHash } = plan(loss({ kind: 'mar', driver: { kind: 'age' }, strength: 1 }))
    const shown = shownTablesOf(stored, studies.length, 'c'.repeat(64), splitHash)
    const [train, , test] = stored.descriptions
    const onTrain = studies.flatMap((_, i) => (assignments[0]![i] === 'train' ? [i] : []))
    const lost = onTrain.filter((i) => !shown.train[i]!.includes('notes')).length
    expect(train!.sentences.join(' ')).toContain(`${lost} of ${onTrain.length}`)
    expect(train!.sentences.join(' ')).toMatch(/Text: hidden at random given age .* in 40 % of the studies/)
    for (const { pattern, natural, shown: count } of train!.patterns) {
      expect(count).toBe(onTrain.filter((i) => shown.train[i] === pattern).length)
      expect(natural).toBe(onTrain.filter((i) => studies[i]!.pattern === pattern).length)
    }
    expect(test!.sentences).toContain('Nothing is hidden on top of what is really missing.')
  })

  it('counts who would be left with nothing among the studies of the side', () => {
    const image = { kind: 'modality', modality: 'image' } as const
    const losses = [{ target: text, rate: 0.6, mechanism: { kind: 'mcar' as const } }, { target: image, rate: 0.6, mechanism: { kind: 'mcar' as const } }]
    const { stored, assignments } = plan({ missingness: { train: { losses } } })
    const onTrain = assignments[0]!.filter((split) => split === 'train').length
    const sentence = stored.descriptions[0]!.sentences.find((words) => words.includes('left with nothing'))!
    expect(sentence).toContain(`of these ${onTrain} studies`)
    const spared = Number(/^\d+/.exec(sentence)![0])
    // Both are lost by 0.6 * 0.6 of the studies; of all 300 it would be about 108.
    expect(Math.abs(spared / onTrain - 0.36)).toBeLessThan(0.1)
  })

  it('hides by the value itself and by the label when asked to', () => {
    const byLength = plan(loss({ kind: 'mnar', driver: { kind: 'word-count' }, strength: 2 }))
    const shown = shownTablesOf(byLength.stored, studies.length, 'c'.repeat(64), byLength.splitHash).train
    const share = (isIt: (i: number) => boolean) => {
      const chosen = studies.flatMap((_, i) => (isIt(i) ? [i] : []))
      return chosen.filter((i) => !shown[i]!.includes('notes')).length / chosen.length
    }
    expect(share((i) => i % 20 >= 15)).toBeGreaterThan(share((i) => i % 20 < 5) + 0.4)
    const byLabel = plan(loss({ kind: 'mnar', driver: { kind: 'label', labelId: 5 }, strength: 1 })).stored.descriptions[0]!.sentences.join(' ')
    expect(byLabel).toContain('the label "glaucoma"')
    expect(byLabel).toContain('tells the label "glaucoma" by itself')
    expect(plan(loss({ kind: 'mcar' })).stored.descriptions[0]!.sentences.join(' ')).not.toContain('by itself')
  })

  it.each([
    [{ kind: 'mar', driver: { kind: 'label', labelId: 5 }, strength: 1 }, /not at random/],
    [{ kind: 'mnar', driver: { kind: 'age' }, strength: 1 }, /missing at random/],
    [{ kind: 'mnar', driver: { kind: 'label', labelId: 6 }, strength: 1 }, /label that the run does not have/],
    [{ kind: 'mar', driver: { kind: 'column', slotId: 'clinic', column: 'site' }, strength: 1 }, /no table/],
  ])('refuses %o', (mechanism, message) => {
    expect(() => plan(loss(mechanism))).toThrow(expect.objectContaining({ code: 'RUN_MISSINGNESS_INVALID', message: expect.stringMatching(message) }))
  })

  it('refuses a stored table of another cohort, split or length', () => {
    const { stored, splitHash } = plan({})
    const hash = 'c'.repeat(64)
    expect(() => shownTablesOf(stored, studies.length, 'd'.repeat(64), splitHash)).toThrow(expect.objectContaining({ code: 'RUN_COHORT_CHANGED' }))
    expect(() => shownTablesOf(stored, studies.length - 1, hash, splitHash)).toThrow(expect.objectContaining({ code: 'RUN_COHORT_CHANGED' }))
    const tampered = { ...stored, shown: { ...stored.shown, test: stored.shown.test.map(() => 0) } }
    expect(() => shownTablesOf(tampered, studies.length, hash, splitHash)).toThrow(expect.objectContaining({ code: 'RUN_COHORT_CHANGED' }))
  })
})
