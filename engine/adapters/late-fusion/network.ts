import { release } from '../../compute/kernels.ts'
import { type Gradients, type Parameter, createParameterSet } from '../../compute/parameters.ts'
import { normalArray } from '../../compute/random-source.ts'
import type { Tensor1D, Tensor2D } from '../../compute/tensorflow.ts'
import type { LateFusionSettings } from '../../domain/method-settings.ts'
import type { NetworkContext, Phase } from '../method.ts'
import type { Network, PrefixEntry } from '../network.ts'
import { createDescriber } from '../probe/describer.ts'
import { createMeans } from '../probe/means.ts'
import { createEncoder } from './encoder.ts'

interface Head {
  weight: Parameter
  bias: Parameter | null
}

/** The network of both phases; `beginPhase` says which head answers. Without a phase it is the fused model. */
export function createLateFusionNetwork({ compute, backbone, modalities, labelsCount: C, random }: NetworkContext, settings: LateFusionSettings): Network {
  const { tf, kernels } = compute
  const describer = createDescriber(backbone, modalities)
  const parameters = createParameterSet(tf)
  const P = settings.width
  const partsOf = modalities.map((_, m) => describer.places.map((place, part) => ({ ...place, part })).filter(({ modality }) => modality === m))
  const encoders = modalities.map(({ name }, m) => createEncoder(compute, parameters, random, name, partsOf[m]![0]!.width, P, settings.substitute === 'learned'))
  const linear = (name: string, hasBias: boolean): Head => ({
    weight: parameters.add(`${name}.weight`, normalArray(random, P * C, 0.02), [P, C], 'head'),
    bias: hasBias ? parameters.add(`${name}.bias`, new Float32Array(C), [C], 'head') : null,
  })
  const unimodal = modalities.map(({ name }) => linear(`unimodal.${name}`, true))
  // One bias for the joined features: those of the parts would be one number written several times.
  const fusion = settings.head === 'concat' ? modalities.map(({ name }, m) => linear(`fusion.${name}`, m === 0)) : unimodal
  const means = settings.substitute === 'mean' ? createMeans(describer.places) : null
  const blanks = settings.substitute === 'blank' ? describer.places.map(describer.describeBlank) : null
  /** The modality that phase 1 trains; null: all together. */
  let alone: number | null = null

  /** Descriptions [B, W] of one modality, its present parts averaged; rows without it take the stand-in where that is an input. */
  const inputOf = (batch: readonly PrefixEntry[], m: number): Tensor2D => {
    const W = partsOf[m]![0]!.width
    const joined = new Float32Array(batch.length * W)
    batch.forEach(({ x, segments }, b) => {
      const present = partsOf[m]!.filter(({ part }) => segments[part] === 1)
      const sources = present.length > 0 ? present.map(({ offset }) => x.subarray(offset, offset + W))
        : partsOf[m]!.flatMap(({ part }) => means?.of(part) ?? blanks?.[part] ?? [])
      for (const source of sources) for (let i = 0; i < W; i++) joined[b * W + i] = joined[b * W + i]! + source[i]! / sources.length
    })
    return tf.tensor2d(joined, [batch.length, W])
  }
  const replacesFeatures = settings.substitute === 'zeros' || settings.substitute === 'learned'

  const beginPhase = (phase: Phase | null): void => {
    for (const parameter of parameters.all) parameter.isTrained = phase?.trains(parameter) ?? true
    alone = typeof phase?.shows === 'number' ? modalities.findIndex((_, m) => phase.shows === 1 << m) : null
    if (phase !== null && alone === null && settings.head === 'concat') startAsEnsemble()
  }
  /** Fusion begins where the uni-modal ensemble stands: the mean of its logits. */
  const startAsEnsemble = (): void => {
    const values = parameters.exportValues()
    const share = 1 / modalities.length
    fusion.forEach(({ weight }, m) => { values[weight.name] = { shape: [P, C], values: values[unimodal[m]!.weight.name]!.values.map((value) => value * share) } })
    const mean = new Float32Array(C)
    for (const { bias } of unimodal) values[bias!.name]!.values.forEach((value, c) => { mean[c] = mean[c]! + value * share })
    values[fusion[0]!.bias!.name] = { shape: [C], values: mean }
    parameters.importValues(values)
  }

  return {
    parameters,
    frozenParameterCount: backbone.parameterCount,
    prefixKey: describer.prefixKey,
    statistics: means ?? undefined,
    beginPhase,
    computePrefix: (samples) => describer.describe(samples),
    forward: (batch, keep) => {
      const used = alone === null ? modalities.map((_, m) => m) : [alone]
      const heads = alone === null ? fusion : unimodal
      const passes = used.map((m) => {
        const present = replacesFeatures ? tf.tensor2d(batch.map(({ presence }) => (presence >> m) & 1), [batch.length, 1], 'float32') : null
        return release(encoders[m]!.encode(inputOf(batch, m), present), present)
      })
      const logits = tf.tidy(() => used.map((m, i) => {
        const product = kernels.matMul(passes[i]!.features, heads[m]!.weight.value as Tensor2D)
        const { bias } = heads[m]!
        return bias === null ? product : kernels.addBias(product, bias.value as Tensor1D)
      }).reduce((sum, part) => sum.add<Tensor2D>(part))) // [B, C]
      if (!keep) {
        passes.forEach((pass) => pass.discard())
        return { logits, backward: null }
      }
      const backward = (dLogits: Tensor2D): Gradients => {
        const gradients: Gradients = new Map()
        used.forEach((m, i) => {
          const { weight, bias } = heads[m]!
          if (weight.isTrained) gradients.set(weight.name, kernels.matMul(passes[i]!.features, dLogits, true, false))
          if (bias?.isTrained === true) gradients.set(bias.name, dLogits.sum(0))
          const dFeatures = kernels.matMul(dLogits, weight.value as Tensor2D, false, true)
          passes[i]!.backward(dFeatures, gradients)
          dFeatures.dispose()
        })
        // Trained tensors that this pass did not use (outside of phases only) have a gradient of zero.
        for (const { name, shape, isTrained } of parameters.all) if (isTrained && !gradients.has(name)) gradients.set(name, tf.zeros(shape))
        return gradients
      }
      return { logits, backward }
    },
    dispose: () => parameters.dispose(),
  }
}
