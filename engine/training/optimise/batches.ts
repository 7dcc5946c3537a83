/** Cuts one training batch into pieces of like length; the update over the pieces together is the update over the batch. */
import type { TrainingBatch } from './training-model.ts'

/**
 * What a further piece costs on top of its tokens, counted in tokens: frozen weights are read once more, and every kernel starts once more.
 * Reckoned from memory traffic, not measured: reading the weights of one block once more takes about as long as computing this many tokens.
 */
const TOKENS_PER_PIECE = 64

/**
 * The cheapest cut of a batch into pieces that are padded each to its own longest sample. Samples that lack a modality are shorter, so
 * presence patterns fall apart by themselves. The cut depends on the lengths alone, so a seed still gives the same numbers.
 *
 * @returns the batch itself when no cut saves anything
 */
export function splitByLength(batch: TrainingBatch): TrainingBatch[] {
  const order = batch.entries.map((_, i) => i).sort((a, b) => batch.entries[a]!.tokens - batch.entries[b]!.tokens || a - b)
  const lengths = order.map((i) => batch.entries[i]!.tokens)
  const ends = cheapestCuts(lengths)
  if (ends.length < 2) return [batch]
  return ends.map((end, piece) => pick(batch, order.slice(ends[piece - 1] ?? 0, end)))
}

/** Ends of the pieces of ascending `lengths` with the least padded tokens plus `TOKENS_PER_PIECE` for each piece. */
function cheapestCuts(lengths: readonly number[]): number[] {
  /** Least cost of the first n samples, and where their last piece begins. */
  const costs = [0]
  const starts = [0]
  lengths.forEach((longest, last) => {
    let [best, start] = [Infinity, 0]
    for (let from = 0; from <= last; from++) {
      const cost = costs[from]! + (last + 1 - from) * longest + TOKENS_PER_PIECE
      if (cost < best) [best, start] = [cost, from]
    }
    costs.push(best)
    starts.push(start)
  })
  const ends: number[] = []
  for (let end = lengths.length; end > 0; end = starts[end]!) ends.unshift(end)
  return ends
}

function pick(batch: TrainingBatch, indices: readonly number[]): TrainingBatch {
  const width = batch.labels.length / batch.entries.length
  const rows = <Values extends Float32Array | Uint8Array>(values: Values, result: Values): Values => {
    indices.forEach((index, row) => result.set(values.subarray(index * width, (index + 1) * width), row * width))
    return result
  }
  return {
    entries: indices.map((index) => batch.entries[index]!),
    labels: rows(batch.labels, new Float32Array(indices.length * width)),
    known: batch.known === null ? null : rows(batch.known, new Uint8Array(indices.length * width)),
  }
}
