/** Images into patch tokens, and one pass through a stack of blocks: what ViT, DeiT and CLIP's image tower have in common. */
import type { Compute } from '../../compute/backend.ts'
import type { Tensor2D } from '../../compute/tensorflow.ts'
import { AppError } from '../../domain/errors.ts'
import type { BlockShape, TransformerBlock } from '../transformer-block.ts'
import { interpolateGridBicubic } from './positions.ts'

/** A normalised image, [3, height, width] row-major. */
export interface Pixels {
  pixels: Float32Array
  height: number
  width: number
}

/** Height and width, in pixels or in patches. */
export type Sides = readonly [height: number, width: number]

/** Patches of an image as rows [rows * columns, 3 * height * width of a patch]; an incomplete patch at the right or lower border is left out, as a strided convolution does. */
export function patchRows(compute: Compute, image: Pixels, [patchHeight, patchWidth]: Sides): { patches: Tensor2D; rows: number; columns: number } {
  const { tf } = compute
  const rows = Math.floor(image.height / patchHeight)
  const columns = Math.floor(image.width / patchWidth)
  if (rows === 0 || columns === 0) throw new AppError('IMAGE_SHAPE_UNSUPPORTED', `An image of ${image.width} x ${image.height} pixels is smaller than one patch of ${patchWidth} x ${patchHeight}.`)
  const patches = tf.tidy(() => tf.tensor3d(image.pixels, [3, image.height, image.width])
    .slice([0, 0, 0], [3, rows * patchHeight, columns * patchWidth])
    .reshape([3, rows, patchHeight, columns, patchWidth]).transpose([1, 3, 0, 2, 4]).reshape<Tensor2D>([rows * columns, 3 * patchHeight * patchWidth]))
  return { patches, rows, columns }
}

/** Position table [extra + its rows * its columns, D] with its grid fitted to `rows` x `columns`; the first `extra` rows belong to class tokens. */
export function fittedPositions(table: Float32Array, extra: number, own: Sides, width: number, rows: number, columns: number): Float32Array {
  if (rows === own[0] && columns === own[1]) return table
  const grid = interpolateGridBicubic(table.subarray(extra * width), own, width, rows, columns)
  const fitted = new Float32Array(extra * width + grid.length)
  fitted.set(table.subarray(0, extra * width))
  fitted.set(grid, extra * width)
  return fitted
}

/** The output of every block in turn, x [B*T, D] first; takes over x, the states belong to the caller. */
export function blockStates(blocks: readonly TransformerBlock[], x: Tensor2D, shape: BlockShape): Tensor2D[] {
  const states = [x]
  for (const block of blocks) states.push(block.forward(states.at(-1)!, shape, false).y)
  return states
}
