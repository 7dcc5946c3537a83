import { expect, it } from 'vitest'
import { testMissingness, type PatientFact } from '../../../engine/fingerprint/missingness-tests.ts'
import { createRng } from '../../../engine/training/rng.ts'

const random = (): (() => number) => { const rng = createRng(3); return () => rng.uniform() }
const label = (name: string, values: (string | null)[]): PatientFact => ({ factor: { kind: 'label', name, labelId: 1 }, values })
const absence = (shares: number[]) => [{ slotId: 'notes', title: 'Notes', shares: Float64Array.from(shares) }]

it('says so when an item is missing with a label, with both shares', () => {
  // 12 of 30 with the label and 8 of 120 without lack the note; scipy.stats.fisher_exact([[12, 18], [8, 112]]).
  const shares = [...Array<number>(12).fill(1), ...Array<number>(18).fill(0), ...Array<number>(8).fill(1), ...Array<number>(112).fill(0)]
  const values = shares.map((_, p) => (p < 30 ? 'yes' : 'no'))
  const [test] = testMissingness(absence(shares), [label('Glaucoma', values)], random())
  expect(test).toMatchObject({ test: 'fisher', isNotable: true, groups: [{ name: 'yes', patients: 30, share: 0.4 }, { name: 'no', patients: 120 }] })
  expect(test!.pValue).toBeCloseTo(2.2129999762490068e-05, 8)
  expect(test!.sentence).toBe('Notes: missing more often with "Glaucoma": 40 % (12 of 30) with it against 6.7 % (8 of 120) without; adjusted p < 0.001 (Fisher\'s exact test).')
})

it('counts a patient once, however many studies it has', () => {
  // Ten patients lack half of their notes, whatever their label: as studies they would be hundreds.
  const shares = Array.from({ length: 40 }, (_, p) => (p % 4 === 0 ? 0.5 : 0))
  const [test] = testMissingness(absence(shares), [label('A', shares.map((_, p) => (p % 2 === 0 ? 'yes' : 'no')))], random())
  expect(test).toMatchObject({ test: 'permutation', groups: [{ patients: 20, share: 0.25 }, { patients: 20, share: 0 }] })
  // Ten of forty shares are a half: the chance that all of them, or none, fall to one side of twenty is 2 C(20, 10) / C(40, 10).
  expect(test!.pValue).toBeLessThan(0.002)
})

it('adjusts over all tests, so that one in twenty is no finding', () => {
  const rng = createRng(5)
  const shares = Array.from({ length: 200 }, () => (rng.uniform() < 0.3 ? 1 : 0))
  const facts = Array.from({ length: 40 }, (_, k) => label(`L${k}`, shares.map(() => (rng.uniform() < 0.4 ? 'yes' : 'no'))))
  const tests = testMissingness(absence(shares), facts, random())
  expect(tests.some(({ pValue }) => pValue! < 0.05)).toBe(true)
  expect(tests.some(({ isNotable }) => isNotable)).toBe(false)
})

it('compares places by permutation where counts are small, near the exact value', () => {
  // Three places of 8, 9 and 7 patients; chi-square expects fewer than five absences in each.
  const table = [[7, 1], [2, 7], [1, 6]]
  const shares = table.flatMap(([absent, present]) => [...Array<number>(absent!).fill(1), ...Array<number>(present!).fill(0)])
  const sites = table.flatMap(([absent, present], i) => Array<string>(absent! + present!).fill(`Site ${i}`))
  const [test] = testMissingness(absence(shares), [{ factor: { kind: 'site', name: 'Place', labelId: null }, values: sites }], random())
  expect(test!.test).toBe('permutation')
  expect(Math.abs(test!.pValue! - 0.005023)).toBeLessThan(0.003)
  expect(test!.sentence).toContain('Site 0: 88 % (7 of 8)')
})

it('is not too sure of a small group with many ties', () => {
  // Two of seven with the label lack half of their images; the normal approximation of the rank test says p = 0.000009.
  const shares = Array.from({ length: 319 }, (_, p) => (p < 2 || (p >= 7 && p < 13) ? 0.5 : 0))
  const [test] = testMissingness(absence(shares), [label('Rare', shares.map((_, p) => (p < 7 ? 'yes' : 'no')))], random())
  expect(test!.test).toBe('permutation')
  // Hypergeometric: at least two of the eight shares among the seven, P = 0.0109.
  expect(Math.abs(test!.pValue! - 0.010879)).toBeLessThan(0.004)
})

it('puts small places together and tests ages by rank', () => {
  const shares = Array.from({ length: 60 }, (_, p) => (p < 20 ? 1 : 0))
  const sites = shares.map((_, p) => (p < 24 ? 'Large' : p < 48 ? 'Other large' : `Tiny ${p}`))
  const ages = shares.map((_, p) => 30 + p)
  const tests = testMissingness(absence(shares), [{ factor: { kind: 'site', name: 'Place', labelId: null }, values: sites }, { factor: { kind: 'age', name: 'Age', labelId: null }, values: ages }], random())
  expect(tests[0]!.groups.map(({ name, patients }) => [name, patients])).toEqual([['Large', 24], ['Other large', 24], ['Other places', 12]])
  expect(tests[1]).toMatchObject({ test: 'mann-whitney', isNotable: true })
  expect(tests[1]!.groups.map(({ name }) => name)).toEqual(['18 to 39', '40 to 59', '60 to 74', '75 and over'])
})

it.each([
  ['too few lack it', Array.from({ length: 50 }, (_, p) => (p < 3 ? 1 : 0)), 25, 'only 3 patients lack it'],
  ['too few have it', Array.from({ length: 50 }, (_, p) => (p < 47 ? 1 : 0)), 25, 'only 3 patients have it'],
  ['the label is rare', Array.from({ length: 50 }, (_, p) => (p < 20 ? 1 : 0)), 3, 'fewer than 5 patients with or without the label'],
])('is not estimable when %s', (_, shares, positives, reason) => {
  const [test] = testMissingness(absence(shares), [label('A', shares.map((_share, p) => (p < positives ? 'yes' : 'no')))], random())
  expect(test).toMatchObject({ test: null, pValue: null, adjustedPValue: null, isNotable: false, reason })
  expect(test!.sentence).toContain('not estimable')
})
