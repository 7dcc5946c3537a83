import { beforeAll, describe, expect, it } from 'vitest'
import { type Compute, openCompute } from '../../../engine/compute/backend.ts'
import type { Kernels } from '../../../engine/compute/kernels.ts'
import { createPlainKernels } from '../../../engine/compute/kernels-plain.ts'
import { createTensorflowKernels } from '../../../engine/compute/kernels-tensorflow.ts'
import { normalArray } from '../../../engine/compute/random-source.ts'
import { createRng } from '../../../engine/compute/rng.ts'
import type { Tensor, Tensor1D, Tensor2D, Tensor4D } from '../../../engine/compute/tensorflow.ts'

let compute: Compute
let plain: Kernels
beforeAll(async () => {
  compute = await openCompute()
  plain = createPlainKernels(compute.tf)
})

const random = createRng(4)
const matrix = (rows: number, columns: number): Tensor2D => compute.tf.tensor2d(normalArray(random, rows * columns, 1), [rows, columns])
const four = (...shape: [number, number, number, number]): Tensor4D => compute.tf.tensor4d(normalArray(random, shape.reduce((a, b) => a * b, 1), 1), shape)
const values = (tensor: Tensor): number[] => Array.from(tensor.dataSync())

function expectClose(actual: Tensor, expected: Tensor, digits = 5): void {
  expect(actual.shape).toEqual(expected.shape)
  const reference = values(expected)
  values(actual).forEach((value, i) => expect(value).toBeCloseTo(reference[i]!, digits))
}

const variants = (): [string, Kernels][] => [['tensorflow', createTensorflowKernels(compute.tf)], ['in use', compute.kernels]]

describe('every form of the kernels gives the numbers of the plain one', () => {
  it('for products, biases and norms', () => {
    const [a, b, c] = [matrix(5, 8), matrix(8, 6), matrix(6, 8)]
    const [bias, gamma] = [matrix(1, 6).reshape<Tensor1D>([6]), matrix(1, 8).reshape<Tensor1D>([8])]
    for (const [, kernels] of variants()) {
      expectClose(kernels.matMul(a, b), plain.matMul(a, b))
      expectClose(kernels.matMul(a, c, false, true), plain.matMul(a, c, false, true))
      expectClose(kernels.addBias(matrix(5, 6).mul<Tensor2D>(0), bias), plain.addBias(matrix(5, 6).mul<Tensor2D>(0), bias))
      const r = matrix(5, 6)
      expectClose(kernels.addBiasResidual(r, bias, r), plain.addBiasResidual(r, bias, r))
      expectClose(kernels.layerNorm(a, gamma, gamma, 1e-12), plain.layerNorm(a, gamma, gamma, 1e-12), 4)
      expectClose(kernels.layerNormGradient(a, a.square(), gamma, 1e-12, a), plain.layerNormGradient(a, a.square(), gamma, 1e-12, a), 4)
      expectClose(kernels.layerNormGradient(a, a.square(), gamma, 1e-12), plain.layerNormGradient(a, a.square(), gamma, 1e-12), 4)
    }
  })

  it('for GELU far into both tails', () => {
    const x = compute.tf.tensor2d([-40, -6, -3, -1, -1e-4, 0, 1e-4, 0.5, 1, 3, 6, 40], [2, 6])
    const dy = matrix(2, 6)
    for (const [, kernels] of variants()) {
      expectClose(kernels.gelu(x), plain.gelu(x), 5)
      expectClose(kernels.geluGradient(dy, x), plain.geluGradient(dy, x), 5)
      const bias = compute.tf.tensor1d([0.5, -1, 2, 0, 0.25, 3])
      expectClose(kernels.gelu(x, bias), plain.gelu(x, bias), 5)
      expectClose(kernels.geluGradient(dy, x, bias), plain.geluGradient(dy, x, bias), 5)
    }
    // Phi(1) = 0.841344746
    expect(values(plain.gelu(x))[8]).toBeCloseTo(0.841344746, 6)
  })

  it('for attention with masked keys', () => {
    const [q, k] = [four(2, 3, 4, 5), four(2, 3, 4, 5)]
    const bias = compute.tf.tensor4d([0, 0, 0, -1e9, 0, 0, 0, 0], [2, 1, 1, 4])
    for (const [, kernels] of variants()) {
      const scores = kernels.batchMatMul(q, k, false, true)
      const p = kernels.softmax(scores, bias)
      expectClose(p, plain.softmax(plain.batchMatMul(q, k, false, true), bias))
      expectClose(kernels.softmaxGradient(scores, p), plain.softmaxGradient(scores, p), 4)
      const x = matrix(2 * 4, 3 * 3 * 5)
      const zero: Tensor1D = compute.tf.zeros([45])
      const [sq, sk, sv] = kernels.splitQueryKeyValue(x, zero, 2, 3)
      plain.splitQueryKeyValue(x, zero, 2, 3).forEach((expected, i) => expectClose([sq, sk, sv][i]!, expected))
      expectClose(kernels.joinQueryKeyValue(sq, sk, sv), x)
      expectClose(kernels.joinHeads(kernels.splitHeads(matrix(8, 15).mul<Tensor2D>(0).add(1), 2, 3)), matrix(8, 15).mul<Tensor2D>(0).add(1))
    }
  })
})

it('gives the same AdamW update', () => {
  const [value, gradient, first] = [matrix(3, 4), matrix(3, 4), matrix(3, 4)]
  const second = matrix(3, 4).square()
  const update = { beta1: 0.9, beta2: 0.999, shrink: 0.99, rate: 1e-2, secondScale: 1.5, epsilon: 1e-8 }
  const expected = plain.adamW(value, gradient, first, second, update)
  for (const [, kernels] of variants()) kernels.adamW(value, gradient, first, second, update).forEach((tensor, i) => expectClose(tensor, expected[i]!, 6))
})

it('gives equal numbers for tensors large enough to be cut over threads', () => {
  const largestGap = (actual: Tensor, expected: Tensor): number => actual.sub(expected).abs().max().dataSync()[0]!
  const [x, dy] = [matrix(300, 512), matrix(300, 512)]
  expect(largestGap(compute.kernels.gelu(x), plain.gelu(x))).toBeLessThan(2e-6)
  expect(largestGap(compute.kernels.geluGradient(dy, x), plain.geluGradient(dy, x))).toBeLessThan(4e-6)
  const scores = four(4, 3, 60, 60)
  expect(largestGap(compute.kernels.softmax(scores, null), plain.softmax(scores, null))).toBeLessThan(1e-6)
})

it('falls back to WASM only with a reason in words', async () => {
  expect(compute.verdict.reason).not.toBe('')
  if (compute.kind === 'cpu') expect(compute.verdict.remedy).toMatch(/NVIDIA/)
})
