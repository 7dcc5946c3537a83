import type { InputLayer, InputRole } from '../../backbones/backbone.ts'
import type { Gradients, Parameter } from '../../compute/parameters.ts'
import type { Tensor, Tensor2D } from '../../compute/tensorflow.ts'
import type { PrefixEntry } from '../network.ts'

/** A backbone's input layer with trained copies of some of its tensors: tokens are computed from raw parts in every step. */
export interface TrainedInput {
  isTrained(): boolean
  /** The entries' sources to tokens [B * tokens, D]. */
  forward(batch: readonly PrefixEntry[], tokens: number, keep: boolean): { x: Tensor2D; backward(dx: Tensor2D, gradients: Gradients): void; discard(): void }
  /** The tensor of that name as it is now. */
  read(name: string): Tensor
}

/** `copy` makes the trained copy of one tensor. Returns null where the layer has no tensor of these roles. */
export function trainInput(layer: InputLayer, roles: ReadonlySet<InputRole>, copy: (name: string, value: Tensor) => Parameter): TrainedInput | null {
  const trained = new Map([...layer.frozen].flatMap(([name, value]) => (roles.has(layer.roles.get(name)!) ? [[name, copy(name, value)] as const] : [])))
  if (trained.size === 0) return null
  const read = (name: string): Tensor => trained.get(name)?.value ?? layer.frozen.get(name)!
  const isTrained = (name: string): boolean => trained.get(name)?.isTrained === true
  return {
    read,
    isTrained: () => [...trained.keys()].some(isTrained),
    forward: (batch, tokens, keep) => {
      const sources = batch.map(({ source }) => {
        if (source === undefined) throw new Error('a trained input layer reads the entries\' sources, which these lack')
        return source
      })
      const pass = layer.forward(sources, tokens, new Map([...layer.frozen.keys()].map((name) => [name, read(name)])), keep)
      return {
        x: pass.x,
        discard: () => { if (keep) pass.discard() },
        backward: (dx, gradients) => pass.backward(dx, isTrained, (name, gradient) => gradients.set(trained.get(name)!.name, gradient)),
      }
    },
  }
}
