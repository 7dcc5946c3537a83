import { describe, expect, it } from 'vitest'
import { createRng } from '../../../engine/training/rng.ts'
import { learningRateAt } from '../../../engine/training/optimise/schedule.ts'
import { binaryCrossEntropy, classWeights, crossEntropy, positiveWeights } from '../../../engine/training/optimise/losses.ts'

type Loss = typeof binaryCrossEntropy

/** Largest gap between the gradient and central differences of the loss. */
function gradientError(loss: Loss, logits: Float32Array, labels: Float32Array, known: Uint8Array | null, weights: Float32Array | null, classes: number): number {
  const { gradient } = loss(logits, labels, known, weights, classes)
  const step = 2 ** -10
  return Math.max(...logits.map((_, i) => {
    const at = (sign: number): number => loss(logits.map((value, j) => (i === j ? value + sign * step : value)), labels, known, weights, classes).loss
    return Math.abs((at(1) - at(-1)) / (2 * step) - gradient[i]!)
  }))
}

describe('binary cross-entropy', () => {
  const logits = Float32Array.of(0.5, -1.25, 2, 0, -3, 1)
  const labels = Float32Array.of(1, 0, 1, 0, 1, 0)
  it('has the gradient of finite differences, with weights and unknown labels', () => {
    expect(gradientError(binaryCrossEntropy, logits, labels, null, null, 3)).toBeLessThan(1e-5)
    expect(gradientError(binaryCrossEntropy, logits, labels, Uint8Array.of(1, 0, 1, 1, 1, 0), Float32Array.of(3, 1, 7), 3)).toBeLessThan(1e-5)
  })
  it('stays finite for logits far out and leaves unknown labels alone', () => {
    const far = binaryCrossEntropy(Float32Array.of(1000, -1000), Float32Array.of(0, 1), null, null, 2)
    expect(far.loss).toBe(1000)
    expect(binaryCrossEntropy(logits, labels, new Uint8Array(6), null, 3)).toMatchObject({ loss: 0, count: 0 })
  })
})

describe('cross-entropy', () => {
  const logits = Float32Array.of(0.5, -1.25, 2, 0, -3, 1)
  const labels = Float32Array.of(0, 0, 1, 1, 0, 0)
  it('has the gradient of finite differences, with class weights', () => {
    expect(gradientError(crossEntropy, logits, labels, null, null, 3)).toBeLessThan(1e-5)
    expect(gradientError(crossEntropy, logits, labels, Uint8Array.of(1, 1, 1, 1, 0, 1), Float32Array.of(3, 1, 7), 3)).toBeLessThan(1e-5)
  })
})

it('weighs classes by their counts among known labels', () => {
  const labels = Float32Array.of(1, 0, 0, 0, 0, 0, 0, 0)
  expect(Array.from(positiveWeights(labels, null, 2))).toEqual([3, 1])
  expect(Array.from(positiveWeights(labels, Uint8Array.of(1, 1, 1, 1, 0, 1, 0, 1), 2))).toEqual([1, 1])
  expect(Array.from(classWeights(Float32Array.of(1, 0, 1, 0, 0, 1), null, 2))).toEqual([0.75, 1.5])
})

it('warms up from 0 and decays to 0', () => {
  expect([0, 1, 2, 11, 20].map((step) => learningRateAt(step, 20, 1, 2))).toEqual([0, 0.5, 1, 0.5, 0])
  expect(learningRateAt(0, 10, 1, 0)).toBe(1)
})

describe('the seeded generator', () => {
  it('repeats, resumes from its state and forks independently of what was drawn', () => {
    const [a, b] = [createRng(42), createRng(42)]
    const forked = b.fork('init').uniform()
    expect(Array.from({ length: 5 }, a.uniform)).toEqual(Array.from({ length: 5 }, b.uniform))
    expect(b.fork('init').uniform()).toBe(forked)
    expect(b.fork('other').uniform()).not.toBe(forked)
    expect(createRng(a.state()).uniform()).toBe(a.uniform())
    expect(createRng(43).uniform()).not.toBe(createRng(42).uniform())
  })
  it('draws uniform and normal numbers of the right spread and shuffles fairly', () => {
    const random = createRng(1)
    const normals = Array.from({ length: 20_000 }, random.normal)
    const mean = normals.reduce((a, b) => a + b, 0) / normals.length
    const variance = normals.reduce((sum, value) => sum + (value - mean) ** 2, 0) / normals.length
    expect(Math.abs(mean)).toBeLessThan(0.03)
    expect(Math.abs(variance - 1)).toBeLessThan(0.04)
    const firsts = [0, 0, 0]
    for (let i = 0; i < 6000; i++) {
      const first = random.shuffle([0, 1, 2])[0]!
      firsts[first] = firsts[first]! + 1
    }
    for (const count of firsts) expect(Math.abs(count - 2000)).toBeLessThan(150)
    expect(() => random.pick([])).toThrow()
  })
})
