import { expect, test } from 'vitest'
import { compareRuns, isClaimShown, kindsOfPattern, summariseDemo, type ComparedRun } from '../../../engine/demo/comparison.ts'
import { demoMapping } from '../../../engine/demo/generate.ts'
import { formatDifferences, formatMethods } from '../../../engine/demo/format.ts'
import { createRng } from '../../../engine/training/rng.ts'

const slots = demoMapping.slots.map(({ slot }) => slot)

/** `clarity` 0: chance; the larger, the better the run ranks. */
function runOf(title: string, clarity: number, patientCount = 150, seed = 3): ComparedRun {
  const truth = createRng(seed).fork('truth')
  const noise = createRng(seed).fork(title)
  const predictions = Array.from({ length: patientCount }, (_, patientId) => {
    const reference = Float32Array.from({ length: 2 }, () => (truth.uniform() < 0.4 ? 1 : 0))
    const probabilities = reference.map((label) => 1 / (1 + Math.exp(-(clarity * (label - 0.5) + noise.normal()))))
    return { patientId, reference, probabilities, thresholds: new Float32Array(2).fill(0.5) }
  })
  return { title, predictions }
}

test('a run is not ahead of itself, a better run is ahead beyond doubt, and the other way round behind', () => {
  const [good, poor] = [runOf('good', 4), runOf('poor', 1)]
  for (const difference of Object.values(compareRuns(good, good))) expect(difference).toEqual({ value: 0, lower: 0, upper: 0 })
  const ahead = compareRuns(good, poor)
  expect(ahead.macroAuroc.value).toBeCloseTo(summariseDemo(good.predictions).macroAuroc.value! - summariseDemo(poor.predictions).macroAuroc.value!, 12)
  expect(ahead.macroAuroc.lower!).toBeGreaterThan(0)
  expect(ahead.macroAuroc.lower!).toBeLessThan(ahead.macroAuroc.value!)
  expect(ahead.macroAuroc.upper!).toBeGreaterThan(ahead.macroAuroc.value!)
  const behind = compareRuns(poor, good)
  expect(behind.macroF1.value).toBeCloseTo(-ahead.macroF1.value!, 12)
  expect(isClaimShown([ahead])).toBe(true)
  expect(isClaimShown([ahead, behind])).toBe(false)
  expect(isClaimShown([])).toBe(false)
})

test('runs that differ by chance are not told apart', () => {
  const { macroAuroc } = compareRuns(runOf('one', 1, 60), runOf('other', 1, 60))
  expect(macroAuroc.lower!).toBeLessThan(0)
  expect(macroAuroc.upper!).toBeGreaterThan(0)
})

test('runs over different patients are refused', () => {
  expect(() => compareRuns(runOf('one', 1, 30), runOf('other', 1, 29))).toThrow('same patients')
})

test('the tables count who has what and give every difference its interval', () => {
  const patterns = Array.from({ length: 150 }, (_, index) => ['right-eye+left-eye+notes', 'left-eye', 'notes'][index % 3]!)
  expect(patterns.slice(0, 3).map((pattern) => kindsOfPattern(slots, pattern))).toEqual(['pictures and note', 'pictures only', 'note only'])
  const [good, poor] = [runOf('good', 4), runOf('poor', 1)]
  const table = formatMethods(slots, [{ ...good, patterns }, { ...poor, patterns }])
  for (const cell of ['all (n=150)', 'pictures and note (n=50)', 'pictures only (n=50)', 'note only (n=50)']) expect(table).toContain(cell)
  expect(table).toContain(summariseDemo(good.predictions).macroAuroc.value!.toFixed(3))
  expect(formatDifferences(good, [{ title: 'poor', difference: compareRuns(good, poor) }])).toMatch(/poor +(\+\d\.\d{3} \([+-]\d\.\d{3} to \+\d\.\d{3}\) *){3}$/)
})
