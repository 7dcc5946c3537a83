import { release } from '../../compute/kernels.ts'
import { type Gradients, createParameterSet } from '../../compute/parameters.ts'
import type { Tensor1D, Tensor2D } from '../../compute/tensorflow.ts'
import type { NetworkContext } from '../method.ts'
import type { Network, PrefixEntry } from '../network.ts'
import { createDescriber, type PartPlace } from './describer.ts'
import { createMeans } from './means.ts'

export interface ProbeOptions {
  /** `description`: the parts' frozen vectors; `presence`: only whether each part is there. */
  reads: 'description' | 'presence'
  /** Which parts it may read. */
  includes: (place: PartPlace) => boolean
  /** What stands in place of a missing part. */
  fill: 'zeros' | 'mean'
}

/**
 * One linear map from a fixed vector of each sample to the labels, trained by the run's optimiser; starts from zeros, which is a fair start
 * for a convex problem and needs no seed. With no part to read it learns the labels' frequencies.
 */
export function createLinearProbe({ compute, backbone, modalities, labelsCount: C }: NetworkContext, options: ProbeOptions): Network {
  const { tf, kernels } = compute
  const describer = createDescriber(backbone, modalities)
  const places = describer.places.map((place, part) => ({ ...place, part })).filter(options.includes)
  // At least one column, always zero, so that a probe without parts is a bias and not a special case.
  const width = Math.max(1, options.reads === 'presence' ? places.length : places.reduce((sum, place) => sum + place.width, 0))
  const parameters = createParameterSet(tf)
  const weight = parameters.add('probe.weight', new Float32Array(width * C), [width, C], 'head')
  const bias = parameters.add('probe.bias', new Float32Array(C), [C], 'head')
  const means = options.fill === 'mean' ? createMeans(describer.places) : null

  const featuresOf = (batch: readonly PrefixEntry[]): Tensor2D => {
    const joined = new Float32Array(batch.length * width)
    batch.forEach(({ x, segments }, b) => {
      let column = b * width
      for (const { part, offset, width: partWidth } of places) {
        if (options.reads === 'presence') joined[column++] = segments[part]!
        else {
          joined.set(segments[part] === 1 || means === null ? x.subarray(offset, offset + partWidth) : means.of(part), column)
          column += partWidth
        }
      }
    })
    return tf.tensor2d(joined, [batch.length, width])
  }

  return {
    parameters,
    frozenParameterCount: backbone.parameterCount,
    prefixKey: describer.prefixKey,
    statistics: means ?? undefined,
    computePrefix: (samples) => describer.describe(samples),
    forward: (batch, keep) => {
      const features = featuresOf(batch)
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
}
