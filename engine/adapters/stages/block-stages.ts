import { type BlockShape, type TransformerBlock, disposeSaved } from '../../backbones/transformer-block.ts'
import { release } from '../../compute/kernels.ts'
import type { Tensor2D } from '../../compute/tensorflow.ts'
import type { MoraLayer } from '../mora/layer.ts'
import type { AdaptedBlock } from '../sites/adapted-block.ts'
import type { Stage } from './stage.ts'

/** A frozen block by its fast path, with MoRA beside it or nothing. */
export function frozenBlockStage(block: TransformerBlock, beside: MoraLayer | null): Stage {
  return {
    takesCached: true,
    isTrained: () => beside !== null,
    forward: (input, { keep, needsInput, cached, firstOnly, keeping }) => {
      const isFirstOnly = firstOnly && beside === null && cached === null && input.promptTokens === 0
      const shape: BlockShape = { ...input.shape, ...(isFirstOnly ? { firstOnly } : {}), ...(keeping === undefined ? {} : { keeping }) }
      const frozen = cached === null ? block.forward(input.x, shape, keep && needsInput) : { y: cached, saved: null }
      const pass = beside?.forward(input.x, input.presence) ?? null
      const y = pass === null ? frozen.y : release(frozen.y.add<Tensor2D>(pass.delta), frozen.y, pass.delta)
      const discard = (): void => {
        pass?.discard()
        if (frozen.saved !== null) disposeSaved(frozen.saved)
      }
      return {
        sequence: { ...input, x: y, ...(isFirstOnly ? { isFirstOnly } : {}) },
        discard,
        backward: (dy, gradients) => {
          const dBeside = pass?.backward(dy, gradients, needsInput) ?? null
          if (!needsInput) return null
          const dx = block.backward(dy, frozen.saved!, shape)
          return dBeside === null ? dx : release(dx.add<Tensor2D>(dBeside), dx, dBeside)
        },
      }
    },
  }
}

/** A block with trained parts inside. */
export function adaptedBlockStage(block: AdaptedBlock): Stage {
  return {
    takesCached: false,
    isTrained: () => block.isTrained(),
    get inside() { return block.isWhole() ? 'whole' : 'composed' },
    merged: (pattern) => {
      const merged = block.merged(pattern)
      return merged === null ? null : { stage: frozenBlockStage(merged, null), dispose: () => merged.dispose() }
    },
    forward: (input, { keep, needsInput, firstOnly }) => {
      const shape: BlockShape = firstOnly && input.promptTokens === 0 ? { ...input.shape, firstOnly } : input.shape
      const pass = block.forward(input.x, shape, input.view, input.presence, keep)
      return {
        sequence: { ...input, x: pass.y, ...(pass.isFirstOnly === true ? { isFirstOnly: true } : {}) },
        discard: () => pass.discard(),
        backward: (dy, gradients) => pass.backward(dy, gradients, needsInput),
      }
    },
  }
}
