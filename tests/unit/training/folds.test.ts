import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assignFolds, proveSplit, type SplitStudy } from '../../../engine/training/splits/folds.ts'
import { createRng } from '../../../engine/training/rng.ts'

function makeStudies(patientCount: number, studiesPerPatient: number, labelCount = 3): SplitStudy[] {
  const rng = createRng(11)
  return Array.from({ length: patientCount * studiesPerPatient }, (_, index) => ({
    patientId: Math.floor(index / studiesPerPatient) + 1,
    patientKey: `P-${Math.floor(index / studiesPerPatient)}`,
    studyKey: String(index % studiesPerPatient),
    pattern: rng.uniform() < 0.3 ? 'right-eye' : 'right-eye+notes',
    labels: Float32Array.from({ length: labelCount }, (_, label) => (rng.uniform() < 0.15 + 0.2 * label ? 1 : 0)),
  }))
}

describe('assignFolds', () => {
  it('keeps both studies of a patient on one side in every fold', () => {
    const studies = makeStudies(90, 2)
    const { assignments, proof } = assignFolds(studies, { kind: 'k-fold', folds: 5 }, createRng, 3)
    for (const sides of assignments) for (let i = 0; i < studies.length; i += 2) expect(sides[i]).toBe(sides[i + 1])
    expect(proof.folds.map((fold) => fold.train + fold.val + fold.test)).toEqual([90, 90, 90, 90, 90])
  })

  it('tests each patient exactly once over the folds', () => {
    const studies = makeStudies(53, 1)
    const { assignments } = assignFolds(studies, { kind: 'k-fold', folds: 4 }, createRng, 1)
    studies.forEach((_, index) => expect(assignments.filter((sides) => sides[index] === 'test')).toHaveLength(1))
  })

  it('gives each side its share of every label and pattern', () => {
    const studies = makeStudies(400, 1)
    const { assignments } = assignFolds(studies, { kind: 'holdout', train: 0.6, val: 0.2, test: 0.2 }, createRng, 5)
    const shareOnTest = (has: (study: SplitStudy) => boolean) => studies.filter((study, index) => has(study) && assignments[0]![index] === 'test').length / studies.filter(has).length
    for (let label = 0; label < 3; label++) expect(Math.abs(shareOnTest((study) => study.labels[label] === 1) - 0.2)).toBeLessThan(0.04)
    expect(Math.abs(shareOnTest((study) => study.pattern === 'right-eye') - 0.2)).toBeLessThan(0.04)
  })

  it('is the same for one seed and another for the next', () => {
    const studies = makeStudies(60, 1)
    const hash = (seed: number) => assignFolds(studies, { kind: 'holdout', train: 0.6, val: 0.2, test: 0.2 }, createRng, seed).proof.splitHash
    expect(hash(1)).toBe(hash(1))
    expect(hash(1)).not.toBe(hash(2))
  })

  it('never puts a patient on two sides, whatever the cohort', () => {
    fc.assert(fc.property(
      fc.array(fc.record({ patient: fc.integer({ min: 1, max: 12 }), pattern: fc.constantFrom('a', 'b', 'a+b'), label: fc.constantFrom(0, 1, Number.NaN) }), { minLength: 3, maxLength: 60 }),
      fc.integer({ min: 0, max: 1000 }),
      (rows, seed) => {
        const studies = rows.map((row, index) => ({ patientId: row.patient, patientKey: `P${row.patient}`, studyKey: String(index), pattern: row.pattern, labels: Float32Array.of(row.label) }))
        const { assignments } = assignFolds(studies, { kind: 'k-fold', folds: 3 }, createRng, seed)
        expect(() => proveSplit(studies, assignments)).not.toThrow()
      },
    ), { numRuns: 60 })
  })
})

describe('proveSplit', () => {
  it('refuses a table in which a patient stands on two sides', () => {
    const studies = makeStudies(2, 2)
    expect(() => proveSplit(studies, [['train', 'test', 'val', 'val']])).toThrow(/stands in train and test/)
  })
})
