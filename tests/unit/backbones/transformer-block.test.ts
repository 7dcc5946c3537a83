import { beforeAll, describe, expect, it } from 'vitest'
import { keyBiasFor } from '../../../engine/backbones/backbone.ts'
import type { BlockShape, TransformerBlock } from '../../../engine/backbones/transformer-block.ts'
import { loadTransformerBlocks } from '../../../engine/backbones/transformer-weights.ts'
import { randomWeightSource } from '../../../engine/backbones/weight-source.ts'
import { type Compute, openCompute } from '../../../engine/compute/backend.ts'
import { createPlainKernels } from '../../../engine/compute/kernels-plain.ts'
import { normalArray } from '../../../engine/compute/random-source.ts'
import { createRng } from '../../../engine/compute/rng.ts'
import type { Tensor, Tensor2D } from '../../../engine/compute/tensorflow.ts'

let compute: Compute
beforeAll(async () => { compute = await openCompute() })

/** Tiny, and one where every loop of the fused kernels has a remainder: several pieces of rows, columns and hidden layer. */
const sizes = [
  { name: 'tiny', width: 8, heads: 2, feedForward: 16, lengths: [5, 3], deviation: 0.3 },
  { name: 'ragged', width: 330, heads: 3, feedForward: 1001, lengths: [131, 40, 131], deviation: 0.03 },
] as const

const cases = sizes.flatMap((size) => [true, false].flatMap((preNorm) => [false, true].map((firstOnly) =>
  ({ ...size, preNorm, firstOnly, title: `${size.name} ${preNorm ? 'pre-LN' : 'post-LN'} block${firstOnly ? ', first tokens only' : ''}` }))))

/** Root mean square of a - b over that of b. */
const relativeGap = (a: Tensor, b: Tensor): number => {
  const [gap, norm] = [a.sub(b).norm().dataSync()[0]!, b.norm().dataSync()[0]!]
  return gap / norm
}

describe.each(cases)('$title', ({ width: D, heads, feedForward, lengths, deviation, preNorm, firstOnly }) => {
  const size = { width: D, heads, feedForward, blocks: 1, epsilon: 1e-12 }
  const [B, T] = [lengths.length, Math.max(...lengths)]
  const outputs = firstOnly ? B : B * T
  const build = (kernels: Compute): TransformerBlock => loadTransformerBlocks(kernels, randomWeightSource(createRng(2), 'test', deviation), size, preNorm)[0]!
  const setUp = () => {
    const { tf } = compute
    const random = createRng(6)
    const x: Tensor2D = tf.tensor2d(normalArray(random, B * T * D, 1), [B * T, D])
    // Outputs of padding are never read: nothing flows back from them.
    const rows = Array.from({ length: outputs }, (_, row) => (firstOnly || row % T < lengths[Math.floor(row / T)]! ? 1 : 0))
    const dy = tf.tensor2d(normalArray(random, outputs * D, 1), [outputs, D]).mul<Tensor2D>(tf.tensor2d(rows, [outputs, 1]))
    const shape: BlockShape = { batch: B, heads, keyBias: keyBiasFor(compute, lengths, T), firstOnly }
    const plain = build({ ...compute, kernels: createPlainKernels(tf) })
    const expected = tf.grad((input) => plain.forward(input as Tensor2D, shape, false).y.mul(dy).sum())(x)
    return { x, dy, shape, y: plain.forward(x, shape, false).y, expected }
  }

  it('has the output and the input gradient that automatic differentiation of the plain form gives', () => {
    const { x, dy, shape, y: expectedY, expected } = setUp()
    const block = build(compute)
    const before = compute.tf.memory().numTensors
    const { y, saved } = block.forward(x, shape, true)
    const dx = block.backward(dy, saved!, shape)
    expect(compute.tf.memory().numTensors).toBe(before + 2)
    expect(y.shape).toEqual([outputs, D])
    expect(relativeGap(y, expectedY)).toBeLessThan(2e-6)
    expect(relativeGap(dx, expected)).toBeLessThan(1e-5)
  })

  it('has nearly the same gradient, and the same output, when it keeps less', () => {
    const { x, dy, shape, expected, y: expectedY } = setUp()
    const block = build(compute)
    for (const keeping of ['half', 'input'] as const) {
      const before = compute.tf.memory().numTensors
      const { y, saved } = block.forward(x, { ...shape, keeping }, true)
      const dx = block.backward(dy, saved!, { ...shape, keeping })
      expect(compute.tf.memory().numTensors).toBe(before + 2)
      expect(relativeGap(y, expectedY)).toBeLessThan(2e-6)
      // Half precision rounds each kept value by up to 2^-11 = 4.9e-4 of itself.
      expect(relativeGap(dx, expected)).toBeLessThan(6e-4)
    }
  })
})
