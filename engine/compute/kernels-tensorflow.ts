import type { Kernels } from './kernels.ts'
import { createPlainKernels } from './kernels-plain.ts'
import type { Tensor, Tensor2D, Tensor4D, Tf } from './tensorflow.ts'

/** The part of the tfjs-node backend that runs any TensorFlow operation by its registered name. */
export interface TensorflowBackend {
  binding: Record<'TF_ATTR_TYPE' | 'TF_ATTR_BOOL' | 'TF_ATTR_FLOAT' | 'TF_ATTR_INT' | 'TF_FLOAT' | 'TF_INT32', number>
  executeSingleOutput(name: string, attributes: object[], inputs: Tensor[]): Tensor
  executeMultipleOutputs(name: string, attributes: object[], inputs: Tensor[], outputs: number): Tensor[]
}

/** The tfjs-node backend object behind `tf`, when that is the active backend. */
export function tensorflowBackend(tf: Tf): TensorflowBackend {
  return tf.backend() as unknown as TensorflowBackend
}

/**
 * Kernels on native TensorFlow operations called by name: fewer passes over memory than the tfjs wrappers
 * (BiasAdd instead of a broadcast add, transposed operands read in place, Unpack that shares its input's buffer).
 */
export function createTensorflowKernels(tf: Tf): Kernels {
  const backend = tensorflowBackend(tf)
  const { TF_ATTR_TYPE, TF_ATTR_BOOL, TF_ATTR_INT, TF_FLOAT } = backend.binding
  const typeAttribute = { name: 'T', type: TF_ATTR_TYPE, value: TF_FLOAT }
  const bool = (name: string, value: boolean): object => ({ name, type: TF_ATTR_BOOL, value })
  const run = (name: string, inputs: Tensor[], attributes: object[] = []): Tensor =>
    backend.executeSingleOutput(name, [typeAttribute, ...attributes], inputs)
  const plain = createPlainKernels(tf)

  return {
    ...plain,
    name: 'tensorflow',
    matMul: (a, b, transposeA = false, transposeB = false) =>
      run('MatMul', [a, b], [bool('transpose_a', transposeA), bool('transpose_b', transposeB)]) as Tensor2D,
    batchMatMul: (a, b, transposeA = false, transposeB = false) =>
      run('BatchMatMulV2', [a, b], [bool('adj_x', transposeA), bool('adj_y', transposeB)]) as Tensor4D,
    addBias: (x, bias) => run('BiasAdd', [x, bias]) as Tensor2D,
    addBiasResidual: (x, bias, residual) => tf.tidy(() => run('AddV2', [run('BiasAdd', [x, bias]), residual]) as Tensor2D),
    softmax: (scores, keyBias) =>
      tf.tidy(() => run('Softmax', [keyBias === null ? scores : run('AddV2', [scores, keyBias])]) as Tensor4D),
    splitQueryKeyValue: (x, bias, batch, heads) => {
      const tokens = x.shape[0] / batch
      const depth = x.shape[1] / (3 * heads)
      return tf.tidy(() => {
        const joined = run('BiasAdd', [x, bias]).reshape([batch, tokens, 3, heads, depth]).transpose([2, 0, 3, 1, 4]) // [3, B, H, T, d]
        const attributes = [typeAttribute, { name: 'num', type: TF_ATTR_INT, value: 3 }, { name: 'axis', type: TF_ATTR_INT, value: 0 }]
        return backend.executeMultipleOutputs('Unpack', attributes, [joined], 3) as [Tensor4D, Tensor4D, Tensor4D]
      })
    },
  }
}
