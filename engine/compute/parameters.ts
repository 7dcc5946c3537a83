import { AppError } from '../domain/errors.ts'
import { type Tensor, type Tf } from './tensorflow.ts'

/** A float32 tensor on the host, as it is written to checkpoints. */
export interface HostValues {
  shape: number[]
  values: Float32Array
}

/** One trained tensor. `value` is replaced, never changed in place, so a tensor handed out earlier stays what it was. */
export interface Parameter {
  readonly name: string
  readonly shape: number[]
  /** `base`: copies of the backbone's own tensors that a first stage trains and a second builds on; `head`: pooler and classifier. */
  readonly group: 'adapter' | 'base' | 'head'
  /** Whether weight decay applies; by default it applies to every trained tensor (golden training_common). */
  readonly decays: boolean
  /** Its learning rate in units of the run's; 1 unless the method says otherwise. */
  rateFactor: number
  /** One of several of which each sample uses the one for its presence pattern: a batch without that pattern gives it no gradient. */
  byPattern: boolean
  /** False while another phase of training is on: no gradient, no update, no decay. */
  isTrained: boolean
  value: Tensor
}

/** The trained tensors of one network, in a fixed order. */
export interface ParameterSet {
  readonly all: Parameter[]
  /** Adds a trained tensor; names are those of the checkpoint. */
  add(name: string, values: Float32Array, shape: number[], group: Parameter['group'], decays?: boolean): Parameter
  count(): number
  exportValues(): Record<string, HostValues>
  /** Replaces every value; throws CHECKPOINT_MISMATCH when a name is missing, unknown or of another shape. */
  importValues(values: Record<string, HostValues>): void
  dispose(): void
}

export function createParameterSet(tf: Tf): ParameterSet {
  const all: Parameter[] = []
  return {
    all,
    add: (name, values, shape, group, decays = true) => {
      const parameter: Parameter = { name, shape, group, decays, rateFactor: 1, byPattern: false, isTrained: true, value: tf.keep(tf.tensor(values, shape, 'float32')) }
      all.push(parameter)
      return parameter
    },
    count: () => all.reduce((total, { shape }) => total + shape.reduce((a, b) => a * b, 1), 0),
    exportValues: () => Object.fromEntries(all.map(({ name, shape, value }) => [name, { shape, values: Float32Array.from(value.dataSync()) }])),
    importValues: (values) => {
      const unknown = Object.keys(values).find((name) => !all.some((parameter) => parameter.name === name))
      if (unknown !== undefined) throw new AppError('CHECKPOINT_MISMATCH', `The checkpoint holds "${unknown}", which this run does not train.`)
      for (const parameter of all) {
        const stored = values[parameter.name]
        if (stored === undefined) throw new AppError('CHECKPOINT_MISMATCH', `The checkpoint lacks "${parameter.name}".`)
        if (stored.shape.join() !== parameter.shape.join()) {
          throw new AppError('CHECKPOINT_MISMATCH', `"${parameter.name}" has shape [${stored.shape.join(', ')}] in the checkpoint and [${parameter.shape.join(', ')}] here.`)
        }
      }
      for (const parameter of all) {
        parameter.value.dispose()
        parameter.value = tf.keep(tf.tensor(values[parameter.name]!.values, parameter.shape, 'float32'))
      }
    },
    dispose: () => all.forEach(({ value }) => value.dispose()),
  }
}

/** dL/dparameter by parameter name; the receiver owns the tensors. Tensors `byPattern` that no sample of the batch uses have none. */
export type Gradients = Map<string, Tensor>
