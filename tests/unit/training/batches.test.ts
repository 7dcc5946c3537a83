import { expect, it } from 'vitest'
import type { PrefixEntry } from '../../../engine/adapters/network.ts'
import { splitByLength } from '../../../engine/training/optimise/batches.ts'
import type { TrainingBatch } from '../../../engine/training/optimise/training-model.ts'

const batchOf = (lengths: number[], known: Uint8Array | null = null): TrainingBatch => ({
  entries: lengths.map((tokens): PrefixEntry => ({ presence: 1, tokens, segments: new Uint8Array(tokens), x: new Float32Array(), blockOutput: null })),
  labels: Float32Array.from(lengths.flatMap((tokens) => [tokens, -tokens])),
  known,
})
const lengthsOf = (batches: TrainingBatch[]): number[][] => batches.map(({ entries }) => entries.map(({ tokens }) => tokens))

it('parts samples that lack a modality from complete ones', () => {
  const pieces = splitByLength(batchOf([185, 40, 145, 40, 185, 145, 40, 145]))
  expect(lengthsOf(pieces)).toEqual([[40, 40, 40], [145, 145, 145], [185, 185]])
  expect(pieces.map(({ labels }) => [...labels])).toEqual([[40, -40, 40, -40, 40, -40], [145, -145, 145, -145, 145, -145], [185, -185, 185, -185]])
})

it('keeps a batch whole where a cut saves less than a piece costs', () => {
  const batch = batchOf([120, 122, 118, 121])
  expect(splitByLength(batch)).toEqual([batch])
  expect(splitByLength(batch)[0]).toBe(batch)
})

it('carries the known labels with their samples', () => {
  const pieces = splitByLength(batchOf([400, 10], Uint8Array.from([1, 0, 0, 1])))
  expect(pieces.map(({ known }) => [...known!])).toEqual([[0, 1], [1, 0]])
})
