/**
 * The samples of one batch as trained parts see them: which presence pattern each has, and the choice of trained tensors that follows from it.
 * Samples of different patterns share a batch: their tensors are gathered by a product with a one-hot matrix, and the gradients are
 * summed back by its transpose. A batch of one pattern skips both.
 */
import type { Compute } from '../../compute/backend.ts'
import type { Gradients, Parameter } from '../../compute/parameters.ts'
import type { Tensor, Tensor2D } from '../../compute/tensorflow.ts'

export interface BatchView {
  /** Samples B and tokens T of each, padding included; rows of [B*T, D] tensors are sample by sample. */
  readonly batch: number
  readonly tokens: number
  /** The distinct presence patterns (bits) of the batch. */
  readonly patterns: readonly number[]
  /** Of each sample, which of the patterns it has. */
  readonly places: readonly number[]
  /** [B, P] one-hot: the pattern of each sample; null when the batch has one pattern. */
  readonly oneHot: Tensor2D | null
}

/** One trained tensor for all samples, or one for each presence pattern; a pattern without one uses the identity value. */
export type Choice = Parameter | ReadonlyMap<number, Parameter>

/** The view of a batch whose samples have these presence bits. Free it with `disposeView`. */
export function createBatchView(compute: Compute, presence: readonly number[], tokens: number): BatchView {
  const patterns = [...new Set(presence)]
  const oneHot = patterns.length === 1 ? null
    : compute.tf.tensor2d(presence.flatMap((bits) => patterns.map((pattern) => (bits === pattern ? 1 : 0))), [presence.length, patterns.length], 'float32')
  return { batch: presence.length, tokens, patterns, places: presence.map((bits) => patterns.indexOf(bits)), oneHot }
}

/** The view of samples that all have the same pattern. */
export function viewOfPattern(pattern: number): BatchView {
  return { batch: 1, tokens: 1, patterns: [pattern], places: [0], oneHot: null }
}

export function disposeView(view: BatchView): void {
  view.oneHot?.dispose()
}

/** Every tensor of a choice. */
export function membersOf(choice: Choice): Parameter[] {
  return 'name' in choice ? [choice] : [...choice.values()]
}

/** Whether any tensor of the choices gets a gradient at present. */
export function isAnyTrained(...choices: (Choice | null)[]): boolean {
  return choices.some((choice) => choice !== null && membersOf(choice).some(({ isTrained }) => isTrained))
}

/** Whether any sample of the batch uses a tensor of the choice. */
export function isUsed(view: Pick<BatchView, 'patterns'>, choice: Choice): boolean {
  return 'name' in choice || view.patterns.some((pattern) => choice.has(pattern))
}

/**
 * The values that the samples of a batch use: as the choice's own shape when all use the same one (`perSample` false), else [B, n] with
 * each sample's values as one row. `identity` stands in for patterns without a tensor. Call inside `tf.tidy` or free the result.
 */
export function gather(compute: Compute, view: BatchView, choice: Choice, identity: () => Tensor): { values: Tensor; perSample: boolean } {
  if ('name' in choice) return { values: choice.value.clone(), perSample: false }
  const valueOf = (pattern: number): Tensor => choice.get(pattern)?.value ?? identity()
  if (view.oneHot === null) return { values: valueOf(view.patterns[0]!).clone(), perSample: false }
  const { oneHot } = view
  return {
    perSample: true,
    values: compute.tf.tidy(() => compute.kernels.matMul(oneHot, compute.tf.stack(view.patterns.map((pattern) => valueOf(pattern).flatten())) as Tensor2D)),
  }
}

/**
 * Writes the gradients of a choice: `gradient` in the choice's own shape, or [B, n] rows where `gather` said `perSample`.
 * A tensor that no sample of the batch uses gets none. Frees `gradient`.
 */
export function scatter(compute: Compute, view: BatchView, choice: Choice, gradient: Tensor, perSample: boolean, gradients: Gradients): void {
  const { tf } = compute
  const write = ({ name, shape, isTrained }: Parameter, value: Tensor): void => {
    if (isTrained) gradients.set(name, value.reshape(shape))
  }
  if ('name' in choice) write(choice, gradient)
  else if (!perSample) {
    const own = choice.get(view.patterns[0]!)
    if (own !== undefined) write(own, gradient)
  } else {
    const rows = compute.kernels.matMul(view.oneHot!, gradient as Tensor2D, true, false) // [P, n]
    view.patterns.forEach((pattern, row) => {
      const own = choice.get(pattern)
      if (own === undefined || !own.isTrained) return
      gradients.set(own.name, tf.tidy(() => rows.slice([row, 0], [1, -1]).reshape(own.shape)))
    })
    rows.dispose()
  }
  gradient.dispose()
}

/** The values that each of the patterns uses, one row for each: [S, n]. Call inside `tf.tidy` or free the result. */
export function rowsOf(compute: Compute, patterns: readonly number[], choice: Choice, identity: () => Tensor): Tensor2D {
  const { tf } = compute
  return tf.tidy(() => {
    const rows = patterns.map((pattern) => (('name' in choice ? choice : choice.get(pattern))?.value ?? identity()).reshape<Tensor2D>([1, -1]))
    return rows.length === 1 ? rows[0]! : tf.concat2d(rows, 0)
  })
}

/** Writes the gradients of a choice from one row for each of the patterns [S, n]; the inverse of `rowsOf`. Frees `rows`. */
export function writeRows(compute: Compute, patterns: readonly number[], choice: Choice, rows: Tensor2D, gradients: Gradients): void {
  const { tf } = compute
  if ('name' in choice) {
    if (choice.isTrained) gradients.set(choice.name, tf.tidy(() => (patterns.length === 1 ? rows : rows.sum(0)).reshape(choice.shape)))
  } else {
    patterns.forEach((pattern, row) => {
      const own = choice.get(pattern)
      if (own?.isTrained === true) gradients.set(own.name, tf.tidy(() => (patterns.length === 1 ? rows : rows.slice([row, 0], [1, -1])).reshape(own.shape)))
    })
  }
  rows.dispose()
}
