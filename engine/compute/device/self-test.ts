import type { Tensor2D, Tf } from '../tensorflow.ts'

/** Multiplies two small matrices of known product on the active backend and reads the result: a device that errs here is not used. */
export function isRightProduct(tf: Tf): boolean {
  const values = tf.tidy(() => {
    // Larger than what backends hand over to the processor: 64 x 64, every entry of the product is 2 * (row + 1) * 64.
    const side = 64
    const rows: Tensor2D = tf.tensor2d(Float32Array.from({ length: side * side }, (_, i) => Math.floor(i / side) + 1), [side, side])
    return tf.matMul(rows, tf.fill([side, side], 2)).dataSync()
  })
  return values.every((value, i) => value === 128 * (Math.floor(i / 64) + 1))
}
