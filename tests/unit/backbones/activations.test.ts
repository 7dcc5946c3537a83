import { beforeAll, describe, expect, it } from 'vitest'
import { type ActivationName, activationNames, createActivation } from '../../../engine/backbones/encoders/activations.ts'
import { type Compute, openCompute } from '../../../engine/compute/backend.ts'

let compute: Compute
beforeAll(async () => { compute = await openCompute() })

const gate = (slope: number) => (v: number) => v / (1 + Math.exp(-slope * v))
const tanhGelu = (v: number) => 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3)))
/** Abramowitz and Stegun 7.1.5: the series of the error function. */
function erf(v: number): number {
  if (Math.abs(v) > 4) return Math.sign(v)
  let [term, sum] = [v, v]
  for (let n = 1; n < 200; n++) sum += (term *= (-v * v) / n) / (2 * n + 1)
  return (2 / Math.sqrt(Math.PI)) * sum
}
const softplus = (v: number) => Math.log(1 + Math.exp(v))
const clip = (v: number, low: number, high: number) => Math.min(Math.max(v, low), high)
/** The exact GELU is the kernels' own and tested with them. */
const formulas: Record<Exclude<ActivationName, 'gelu' | 'gelu_python'>, (v: number) => number> = {
  quick_gelu: gate(1.702), silu: gate(1), swish: gate(1), relu: (v) => Math.max(v, 0), tanh: Math.tanh,
  gelu_new: tanhGelu, gelu_fast: tanhGelu, gelu_accurate: tanhGelu, gelu_python_tanh: tanhGelu, gelu_pytorch_tanh: tanhGelu,
  linear: (v) => v, sigmoid: (v) => 1 / (1 + Math.exp(-v)), leaky_relu: (v) => (v > 0 ? v : 0.01 * v), relu6: (v) => clip(v, 0, 6), relu2: (v) => Math.max(v, 0) ** 2,
  hardswish: (v) => (v * clip(v + 3, 0, 6)) / 6, mish: (v) => v * Math.tanh(softplus(v)), sqrtsoftplus: (v) => Math.sqrt(softplus(v)),
  laplace: (v) => 0.5 * (1 + erf((v - 0.707107) / (0.282095 * Math.SQRT2))), gelu_10: (v) => clip(0.5 * v * (1 + erf(v * Math.SQRT1_2)), -10, 10),
}

describe('activations', () => {
  const [values, bias] = [[-4.1, -1.3, -0.2, 0.15, 0.9, 7.7, -9.6, 11.2], [0.3, -0.4]]
  const sums = values.map((value, i) => value + bias[i % 2]!)

  it.each(Object.entries(formulas))('%s is its formula, and its gradient the slope of it', (name, formula) => {
    const { tf } = compute
    const activation = createActivation(compute, name as ActivationName)!
    const [x, b, dy] = [tf.tensor2d(values, [4, 2]), tf.tensor1d(bias), tf.tensor2d(values.map((_, i) => i + 1), [4, 2])]
    const [y, dx] = [activation.forward(x, b), activation.gradient(dy, x, b)]
    const slope = (v: number) => (formula(v + 1e-5) - formula(v - 1e-5)) / 2e-5
    y.dataSync().forEach((value, i) => expect(Math.abs(value - formula(sums[i]!))).toBeLessThan(2e-6 * Math.max(1, Math.abs(value))))
    dx.dataSync().forEach((value, i) => expect(value).toBeCloseTo((i + 1) * slope(sums[i]!), 4))
    tf.dispose([x, b, dy, y, dx])
  })

  it('leaves the exact GELU to the kernels, under both its names', () => {
    expect(activationNames.filter((name) => createActivation(compute, name) === undefined)).toEqual(['gelu', 'gelu_python'])
  })
})
