/** AdamW (Loshchilov and Hutter 2019, arXiv:1711.05101, algorithm 2) as torch.optim.AdamW computes it; state for trained tensors only. */
import { z } from 'zod'
import type { Compute } from '../../compute/backend.ts'
import type { Gradients, HostValues, ParameterSet } from '../../compute/parameters.ts'
import type { Tensor } from '../../compute/tensorflow.ts'
import { AppError } from '../../domain/errors.ts'

export const adamWConfigSchema = z.object({
  beta1: z.number().min(0).lt(1).default(0.9),
  beta2: z.number().min(0).lt(1).default(0.999),
  epsilon: z.number().positive().default(1e-8),
  /** METHODS 1: 2e-2, on every trained tensor. */
  weightDecay: z.number().min(0).default(0.02),
  /** False leaves biases, norms and other vectors undecayed, as the published training script's groups do. */
  decayVectors: z.boolean().default(true),
  /** Multiplies the learning rate of pooler-free head tensors (`classifier.*`); the published script uses 1 for ODIR. */
  headRateFactor: z.number().positive().default(1),
})
export type AdamWConfig = z.infer<typeof adamWConfigSchema>

/** Everything needed to go on after a restart; without the moments of tensors by pattern whose pattern has not come yet. */
export interface OptimizerState {
  step: number
  first: Record<string, HostValues>
  second: Record<string, HostValues>
}

export interface Optimizer {
  /**
   * One update at learning rate `rate`; consumes the gradients. A parameter without a gradient is an error, not a skipped update; but one
   * chosen by pattern stays exactly as it began, weight decay included, until a sample of its pattern comes, and then counts as given zeros
   * wherever none does, as indexing one tensor by pattern would.
   */
  apply(gradients: Gradients, rate: number): void
  exportState(): OptimizerState
  importState(state: OptimizerState): void
  dispose(): void
}

/** An optimiser for the tensors that are trained at this moment (`isTrained`); a later phase makes its own. */
export function createAdamW(compute: Compute, parameters: ParameterSet, config: AdamWConfig): Optimizer {
  const { tf } = compute
  const trained = parameters.all.filter(({ isTrained }) => isTrained)
  let step = 0
  const zeros = (): Map<string, Tensor> => new Map(trained.map(({ name, shape }) => [name, tf.keep(tf.zeros(shape))]))
  const first = zeros()
  const second = zeros()
  /** Tensors that had a gradient at some time. */
  const reached = new Set<string>()
  const replace = (moments: Map<string, Tensor>, name: string, value: Tensor): void => {
    moments.get(name)!.dispose()
    moments.set(name, tf.keep(value))
  }
  const exportMoments = (moments: Map<string, Tensor>): Record<string, HostValues> => Object.fromEntries(trained.flatMap(({ name, shape, byPattern }) =>
    (byPattern && !reached.has(name) ? [] : [[name, { shape: [...shape], values: Float32Array.from(moments.get(name)!.dataSync()) }]])))
  const importMoments = (moments: Map<string, Tensor>, stored: Record<string, HostValues>): void => {
    for (const { name, shape, byPattern } of trained) {
      const value = stored[name]
      if (value === undefined && byPattern) continue
      if (value === undefined || value.shape.join() !== shape.join()) throw new AppError('CHECKPOINT_MISMATCH', `The optimiser state for "${name}" is missing or of another shape.`)
      replace(moments, name, tf.tensor(value.values, shape, 'float32'))
      reached.add(name)
    }
  }

  return {
    apply: (gradients, rate) => {
      step++
      // The corrections are folded into two numbers so that no further pass over the tensors is needed.
      const firstCorrection = 1 - config.beta1 ** step
      const secondRoot = Math.sqrt(1 - config.beta2 ** step)
      for (const parameter of trained) {
        const given = gradients.get(parameter.name)
        if (given === undefined && !parameter.byPattern) throw new Error(`no gradient for ${parameter.name}`)
        if (given === undefined && !reached.has(parameter.name)) continue
        reached.add(parameter.name)
        const gradient: Tensor = given ?? tf.zeros(parameter.shape)
        const parameterRate = rate * parameter.rateFactor * (parameter.name.startsWith('classifier.') ? config.headRateFactor : 1)
        const decays = config.weightDecay > 0 && parameter.decays && (config.decayVectors || parameter.shape.length > 1)
        const [updated, m, v] = compute.kernels.adamW(parameter.value, gradient, first.get(parameter.name)!, second.get(parameter.name)!, {
          beta1: config.beta1, beta2: config.beta2, epsilon: config.epsilon,
          shrink: decays ? 1 - parameterRate * config.weightDecay : 1,
          rate: parameterRate / firstCorrection,
          secondScale: 1 / secondRoot,
        })
        replace(first, parameter.name, m)
        replace(second, parameter.name, v)
        parameter.value.dispose()
        parameter.value = tf.keep(updated)
        gradient.dispose()
      }
      gradients.clear()
    },
    exportState: () => ({ step, first: exportMoments(first), second: exportMoments(second) }),
    importState: (state) => {
      importMoments(first, state.first)
      importMoments(second, state.second)
      step = state.step
    },
    dispose: () => [...first.values(), ...second.values()].forEach((tensor) => tensor.dispose()),
  }
}
