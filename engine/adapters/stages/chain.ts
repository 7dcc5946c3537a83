import type { BlockKeeping, Keeping } from '../../compute/kernels.ts'
import type { Gradients } from '../../compute/parameters.ts'
import type { Tensor2D } from '../../compute/tensorflow.ts'
import type { Sequence, Stage, StageOptions, StagePass } from './stage.ts'

export interface ChainPass {
  /** What leaves the last stage; its x belongs to the caller. */
  sequence: Sequence
  /** dL/dy [B*T, D] of the last output, which it frees -> dL/dx when `needsInput`, else null. Stops at the lowest trained stage; frees what was kept. */
  backward(dy: Tensor2D, gradients: Gradients): Tensor2D | null
  discard(): void
}

interface ChainOptions extends Omit<StageOptions, 'keeping'> {
  keeping: Keeping
}

/** What the `count`-th block of a chain keeps, counted from 0. */
function keepingOfBlock(keeping: Keeping, count: number): BlockKeeping {
  if (keeping !== 'mixed') return keeping
  return count % 3 === 2 ? 'half' : 'input'
}

/** Runs the stages in order over `input`, whose x stays the caller's. The options are those of the chain as a whole; `cached` is for its first stage. */
export function runChain(stages: readonly Stage[], input: Sequence, options: ChainOptions): ChainPass {
  const lowest = options.needsInput ? 0 : stages.findIndex((stage) => stage.isTrained())
  const passes: StagePass[] = []
  let sequence = input
  let keptBlocks = 0
  stages.forEach((stage, i) => {
    const keep = options.keep && lowest !== -1 && i >= lowest
    const needsInput = keep && (i > lowest || options.needsInput)
    const pass = stage.forward(sequence, {
      keep, needsInput, cached: i === 0 ? options.cached : null, firstOnly: options.firstOnly && i === stages.length - 1,
      keeping: keepingOfBlock(options.keeping, keptBlocks),
    })
    // Stages in front of blocks keep nothing of this kind; the lowest trained one keeps nothing of its block.
    if (needsInput && stage.takesCached) keptBlocks++
    if (sequence !== input) sequence.x.dispose()
    sequence = pass.sequence
    passes.push(pass)
  })
  const end = lowest === -1 ? passes.length : lowest
  return {
    sequence,
    discard: () => passes.forEach((pass) => pass.discard()),
    backward: (dy, gradients) => {
      let gradient: Tensor2D | null = dy
      for (let i = passes.length - 1; i >= end && gradient !== null; i--) {
        const next: Tensor2D | null = passes[i]!.backward(gradient, gradients)
        gradient.dispose()
        gradient = next
      }
      passes.slice(0, end).forEach((pass) => pass.discard())
      if (options.needsInput && lowest === 0) return gradient
      gradient?.dispose()
      return null
    },
  }
}
