import type * as tfModule from '@tensorflow/tfjs'

/** The TensorFlow.js namespace of whichever package was loaded; every engine function receives it instead of importing one. */
export type Tf = typeof tfModule
export type Tensor = tfModule.Tensor
export type Tensor1D = tfModule.Tensor1D
export type Tensor2D = tfModule.Tensor2D
export type Tensor3D = tfModule.Tensor3D
export type Tensor4D = tfModule.Tensor4D

/** Reads a float tensor to the host and frees it. */
export function takeFloats(tensor: Tensor): Float32Array {
  const values = tensor.dataSync() as Float32Array
  tensor.dispose()
  return values
}

/** Disposes every tensor that is not null or undefined. */
export function disposeAll(...tensors: (Tensor | null | undefined)[]): void {
  for (const tensor of tensors) tensor?.dispose()
}
