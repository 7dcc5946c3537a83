/**
 * Zero-fill linear probe: each part's frozen description side by side, zeros where a part is missing, one linear map to the labels.
 * The plainest thing that copes with missing modalities, and so the baseline of every comparison (METHODS 4).
 */
import { z } from 'zod'
import { release } from '../../compute/kernels.ts'
import { type Gradients, createParameterSet } from '../../compute/parameters.ts'
import type { Tensor1D, Tensor2D } from '../../compute/tensorflow.ts'
import { AppError } from '../../domain/errors.ts'
import type { Method } from '../method.ts'
import { type PrefixEntry, type Sample, presenceOf } from '../network.ts'

export const zeroFillConfigSchema = z.object({})
export type ZeroFillConfig = z.infer<typeof zeroFillConfigSchema>

export const zeroFill: Method<ZeroFillConfig> = {
  id: 'zero-fill',
  configSchema: zeroFillConfigSchema,
  startsUnchanged: false,
  createNetwork: ({ compute, backbone, modalities, labelsCount: C }) => {
    const { tf, kernels } = compute
    let width = 0
    /** Where each part's description begins in the joined vector. */
    const offsets = new Map<string, number>()
    modalities.forEach((spec, modality) => {
      for (const slot of spec.kind === 'text' ? [0] : spec.slots) {
        offsets.set(`${modality}/${slot}`, width)
        width += backbone.describedWidth(spec.kind)
      }
    })
    const parameters = createParameterSet(tf)
    // Zeros are a fair start for a convex problem and need no seed.
    const weight = parameters.add('probe.weight', new Float32Array(width * C), [width, C], 'head')
    const bias = parameters.add('probe.bias', new Float32Array(C), [C], 'head')

    const entryOf = (sample: Sample): PrefixEntry => {
      if (sample.length === 0) throw new AppError('TRAINING_INPUT_EMPTY', 'A patient has none of the chosen modalities.')
      const x = new Float32Array(width)
      for (const part of sample) {
        const offset = offsets.get(`${part.modality}/${part.kind === 'text' ? 0 : part.slot}`)
        if (offset === undefined) throw new Error(`part of modality ${part.modality} has no place in the probe`)
        const described = backbone.describePart(part)
        // Unit length times sqrt(length): every feature has a size near 1, as the learning rate expects.
        const scale = Math.sqrt(described.length)
        x.set(described.map((value) => value * scale), offset)
      }
      return { presence: presenceOf(sample), tokens: 1, segments: new Uint8Array(), x, blockOutput: null }
    }

    return {
      parameters,
      frozenParameterCount: backbone.parameterCount,
      computePrefix: (samples) => samples.map(entryOf),
      forward: (batch, keep) => {
        const joined = new Float32Array(batch.length * width)
        batch.forEach(({ x }, b) => joined.set(x, b * width))
        const features: Tensor2D = tf.tensor2d(joined, [batch.length, width])
        const product = kernels.matMul(features, weight.value as Tensor2D)
        const logits = release(kernels.addBias(product, bias.value as Tensor1D), product)
        if (!keep) return release({ logits, backward: null }, features)
        const backward = (dLogits: Tensor2D): Gradients => {
          const gradients: Gradients = new Map([[weight.name, kernels.matMul(features, dLogits, true, false)], [bias.name, dLogits.sum(0)]])
          return release(gradients, features)
        }
        return { logits, backward }
      },
      dispose: () => parameters.dispose(),
    }
  },
}
