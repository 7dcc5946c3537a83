import { release } from '../../compute/kernels.ts'
import { type Gradients, createParameterSet } from '../../compute/parameters.ts'
import type { Tensor2D } from '../../compute/tensorflow.ts'
import { AppError } from '../../domain/errors.ts'
import type { DedicatedSettings } from '../../domain/method-settings.ts'
import { createHead } from '../head.ts'
import type { NetworkContext, Phase } from '../method.ts'
import type { Network, PrefixEntry, Statistics } from '../network.ts'
import { createPooling } from '../pooling.ts'
import { createPrefixComputer, padRows } from '../prefix.ts'
import { combinationName } from '../sites/combinations.ts'
import { dedicatedCombinations, routeOf } from './routing.ts'

const flagsName = 'statistics.trainedModels'

/** All models side by side; a batch is divided among them by what each sample has. What is missing is left out of the sequence. */
export function createDedicatedNetwork({ compute, backbone, modalities, labelsCount: C, random }: NetworkContext, settings: DedicatedSettings): Network {
  const { tf } = compute
  const D = backbone.width
  const parameters = createParameterSet(tf)
  const combinations = dedicatedCombinations(modalities.length)
  const heads = combinations.map((presence) => {
    const prefix = combinationName(presence, modalities)
    const prefixed: typeof parameters = { ...parameters, add: (name, values, shape, group, decays) => parameters.add(`${prefix}/${name}`, values, shape, group, decays) }
    return createHead(compute, prefixed, random, D, C, backbone.pooler)
  })
  // Outside of a run every model counts as trained; a run begins with none and marks each as its phase begins.
  let isTrained = combinations.map(() => true)
  const route = (presence: number) => routeOf(presence, combinations, (position) => isTrained[position]!)
  const trainedFlags: Statistics = {
    fit: () => { isTrained = combinations.map(() => false) },
    exportValues: () => ({ [flagsName]: { shape: [combinations.length], values: Float32Array.from(isTrained, Number) } }),
    importValues: (stored) => {
      const flags = stored[flagsName]?.values
      if (flags?.length !== combinations.length) throw new AppError('CHECKPOINT_MISMATCH', 'The checkpoint does not say which combinations were trained.')
      isTrained = Array.from(flags, (flag) => flag === 1)
    },
  }

  /** Rows of the batch by the model that answers them. */
  const groupsOf = (batch: readonly PrefixEntry[]): { position: number; rows: number[] }[] => {
    const groups = new Map<number, number[]>()
    batch.forEach(({ presence }, row) => {
      const served = route(presence)
      if (served === null) throw new Error(`no model answers for ${combinationName(presence, modalities)}`)
      groups.set(served.position, [...(groups.get(served.position) ?? []), row])
    })
    return [...groups].map(([position, rows]) => ({ position, rows }))
  }

  return {
    parameters,
    frozenParameterCount: backbone.parameterCount,
    prefixKey: `pooled left-out ${JSON.stringify(modalities)}`,
    statistics: trainedFlags,
    computePrefix: createPrefixComputer({
      compute, backbone, modalities, pooling: createPooling(compute, backbone), missingInput: 'left-out', firstBlock: backbone.blocks.length, cachesBlockOutput: false,
    }),
    beginPhase: (phase: Phase | null) => {
      for (const parameter of parameters.all) parameter.isTrained = phase?.trains(parameter) ?? true
      if (phase !== null) isTrained = isTrained.map((flag, position) => flag || combinations[position] === phase.shows)
    },
    serving: (presence) => {
      const served = route(presence)
      if (served?.isOwn === true) return 'trained'
      return served === null || settings.untrained === 'refuse' ? 'refused' : 'base'
    },
    forward: (batch, keep) => {
      const passes = groupsOf(batch).map(({ position, rows }) => {
        const features = padRows(compute, rows.map((row) => batch[row]!.x), 1, D) // [b, D]
        return { rows, output: release(heads[position]!.forward(features), features) }
      })
      const order = passes.flatMap(({ rows }) => rows)
      const place = Int32Array.from(order.keys()).sort((a, b) => order[a]! - order[b]!)
      const logits = tf.tidy(() => tf.concat2d(passes.map(({ output }) => output.logits), 0).gather<Tensor2D>(tf.tensor1d(place, 'int32')))
      passes.forEach(({ output }) => output.logits.dispose())
      if (!keep) {
        passes.forEach(({ output }) => output.discard())
        return { logits, backward: null }
      }
      const backward = (dLogits: Tensor2D): Gradients => {
        const gradients: Gradients = new Map()
        for (const { rows, output } of passes) {
          const part = tf.tidy(() => dLogits.gather<Tensor2D>(tf.tensor1d(rows, 'int32')))
          output.backward(part, gradients).dispose()
          part.dispose()
        }
        // Each head writes the gradients of all its tensors; models of the batch's other combinations have none.
        for (const { name, shape, isTrained: wanted } of parameters.all) if (wanted && !gradients.has(name)) gradients.set(name, tf.zeros(shape))
        return gradients
      }
      return { logits, backward }
    },
    dispose: () => parameters.dispose(),
  }
}
