import type { Kernels } from './kernels.ts'
import type { Tf } from './tensorflow.ts'

/** Kernels from the compiled library beside the TensorFlow binding, or null when it is not there. */
export function loadNativeKernels(_tf: Tf): Kernels | null {
  return null
}
