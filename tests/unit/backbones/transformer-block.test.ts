import { beforeAll, describe, expect, it } from 'vitest'
import { keyBiasFor } from '../../../engine/backbones/backbone.ts'
import { loadTransformerBlocks } from '../../../engine/backbones/transformer-weights.ts'
import { randomWeightSource } from '../../../engine/backbones/weight-source.ts'
import { type Compute, openCompute } from '../../../engine/compute/backend.ts'
import { createPlainKernels } from '../../../engine/compute/kernels-plain.ts'
import { normalArray } from '../../../engine/compute/random-source.ts'
import { createRng } from '../../../engine/compute/rng.ts'
import type { Tensor2D } from '../../../engine/compute/tensorflow.ts'

const size = { width: 8, heads: 2, feedForward: 16, blocks: 1, epsilon: 1e-12 }
const [B, T, D] = [2, 5, size.width]
const lengths = [5, 3]

let compute: Compute
beforeAll(async () => { compute = await openCompute() })

describe.each([['pre-LN', true], ['post-LN', false]] as const)('%s block', (_name, preNorm) => {
  it('has the input gradient that automatic differentiation of the plain form gives', () => {
    const { tf } = compute
    const build = (kernels: Compute) => loadTransformerBlocks(kernels, randomWeightSource(createRng(2), 'test', 0.3), size, preNorm)[0]!
    const block = build(compute)
    const plain = build({ ...compute, kernels: createPlainKernels(tf) })
    const shape = { batch: B, heads: size.heads, keyBias: keyBiasFor(compute, lengths, T) }
    const random = createRng(6)
    const x: Tensor2D = tf.tensor2d(normalArray(random, B * T * D, 1), [B * T, D])
    const dy: Tensor2D = tf.tensor2d(normalArray(random, B * T * D, 1), [B * T, D])
    const before = tf.memory().numTensors
    const { y, saved } = block.forward(x, shape, true)
    const dx = block.backward(dy, saved!, shape)
    expect(tf.memory().numTensors).toBe(before + 2)
    const expected = tf.grad((input) => plain.forward(input as Tensor2D, shape, false).y.mul(dy).sum())(x)
    const reference = expected.dataSync()
    dx.dataSync().forEach((value, i) => expect(value).toBeCloseTo(reference[i]!, 4))
    expect(y.dataSync()[0]).toBeCloseTo(plain.forward(x, shape, false).y.dataSync()[0]!, 5)
  })
})
