import { describe, expect, it } from 'vitest'
import { probeLabel } from '../../../engine/alarms/probe/grouped-probe.ts'
import { dot, fitLogistic, sparseRows } from '../../../engine/alarms/probe/logistic.ts'
import { createRng } from '../../../engine/compute/rng.ts'
import { sampleRows } from '../../../engine/compute/sample-rows.ts'
import { normalQuantile } from '../../../engine/evaluation/comparison/distributions.ts'

function drawRows(seed: number, count: number, width: number) {
  const rng = createRng(seed)
  return sparseRows(Array.from({ length: count }, () => Array.from({ length: width }, (_, c): [number, number] => [c, rng.normal()])), width)
}

it('a sample of rows is spread over all, always the same, and knows nothing of a table that alternates', () => {
  expect(sampleRows(7, 10)).toEqual([0, 1, 2, 3, 4, 5, 6])
  const rows = sampleRows(20_001, 10_000)
  expect(rows).toEqual(sampleRows(20_001, 10_000))
  expect([rows.length <= 10_000, new Set(rows).size, rows.every((row, k) => row >= 3 * k && row < Math.min(3 * k + 3, 20_001))]).toEqual([true, rows.length, true])
  const even = sampleRows(20_000, 10_000).filter((row) => row % 2 === 0).length
  expect(even).toBeGreaterThan(4800)
  expect(even).toBeLessThan(5200)
})

describe('the logistic probe', () => {
  it('ends where the gradient of its objective is zero', () => {
    const rows = drawRows(1, 120, 5)
    const rng = createRng(2)
    const chosen = Int32Array.from({ length: 120 }, (_, i) => i)
    const labels = Int8Array.from(chosen, (i) => (rows.values[rows.starts[i]!]! + rng.normal() > 0.4 ? 1 : 0))
    const weights = fitLogistic(rows, chosen, labels, 0.7, createRng(3))
    const gradient = Float64Array.from(weights)
    for (const i of chosen) {
      const y = labels[i] === 1 ? 1 : -1
      const pull = (0.7 * -y) / (1 + Math.exp(y * dot(rows, i, weights)))
      for (let k = rows.starts[i]!; k < rows.starts[i + 1]!; k++) gradient[rows.columns[k]!]! += pull * rows.values[k]!
    }
    // The sum over 120 samples; an unfitted model has gradients of about 30.
    expect(Math.max(...gradient.map(Math.abs))).toBeLessThan(0.3)
  })

  it('is not surer of random labels than its p-values say', () => {
    const rows = drawRows(4, 200, 20)
    const persons = Int32Array.from({ length: 200 }, (_, i) => i)
    const z = Array.from({ length: 200 }, (_, seed) => {
      const rng = createRng(1000 + seed)
      const { pValue } = probeLabel(rows, Int8Array.from(persons, () => (rng.uniform() < 0.3 ? 1 : 0)), persons, { seed, cost: 1 })!
      return normalQuantile(1 - pValue)
    })
    const mean = z.reduce((sum, value) => sum + value, 0) / z.length
    const deviation = Math.sqrt(z.reduce((sum, value) => sum + (value - mean) ** 2, 0) / z.length)
    expect(Math.abs(mean)).toBeLessThan(0.25)
    expect(deviation).toBeLessThan(1.1)
    expect(deviation).toBeGreaterThan(0.5)
  })

  it('is no surer where a few persons have most of the studies', () => {
    // Seventy persons with one study, twelve with twenty; features and labels are those of the person.
    const sizes = Array.from({ length: 82 }, (_, person) => (person < 70 ? 1 : 20))
    const persons = Int32Array.from(sizes.flatMap((size, person) => new Array<number>(size).fill(person)))
    const z = Array.from({ length: 60 }, (_, seed) => {
      const rng = createRng(2000 + seed)
      const features = sizes.map(() => Array.from({ length: 6 }, (_, c): [number, number] => [c, rng.normal()]))
      const labels = sizes.map(() => (rng.uniform() < 0.4 ? 1 : 0))
      const { pValue } = probeLabel(sparseRows(Array.from(persons, (person) => features[person]!), 6), Int8Array.from(persons, (person) => labels[person]!), persons, { seed, cost: 1 })!
      return normalQuantile(1 - Math.min(1 - 1e-12, Math.max(1e-12, pValue)))
    })
    expect(Math.sqrt(z.reduce((sum, value) => sum + value ** 2, 0) / z.length)).toBeLessThan(1.1)
  })

  it('never judges a person by a model that saw the same person', () => {
    // Each person has a feature of their own and a random label shared by three studies: seeing one study gives the others away.
    const rng = createRng(7)
    const persons = Int32Array.from({ length: 300 }, (_, i) => Math.floor(i / 3))
    const rows = sparseRows(Array.from(persons, (person): [number, number][] => [[person, 1]]), 100)
    const ofPerson = Array.from({ length: 100 }, () => (rng.uniform() < 0.5 ? 1 : 0))
    const labels = Int8Array.from(persons, (person) => ofPerson[person]!)
    expect(Math.abs(probeLabel(rows, labels, persons, { seed: 1, cost: 10 })!.auroc - 0.5)).toBeLessThan(0.15)
    const apart = Int32Array.from(persons, (_, i) => i)
    expect(probeLabel(rows, labels, apart, { seed: 1, cost: 10 })!.auroc).toBeGreaterThan(0.9)
  })

  it('says nothing of a label that fewer than ten persons have', () => {
    const rows = drawRows(8, 100, 3)
    expect(probeLabel(rows, Int8Array.from({ length: 100 }, (_, i) => (i < 9 ? 1 : 0)), Int32Array.from({ length: 100 }, (_, i) => i), { seed: 1, cost: 1 })).toBeNull()
  })
})
