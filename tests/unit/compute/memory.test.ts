import { expect, it } from 'vitest'
import { type RunSize, estimateRun } from '../../../engine/compute/memory.ts'

/** MoRA on ViLT-B/32, batch 8 of 185 tokens, block 0 cached. */
const size: RunSize = {
  width: 768, blocks: 12, heads: 12, feedForward: 3072, tokens: 185, batchSize: 8, firstBlock: 0, cachesBlockOutput: true,
  frozenParameters: 12 * 7.09e6, trainedParameters: 1.79e6, trainingSamples: 100, prefixEntries: 100, epochs: 2, gigaflops: 300,
}
const megabytes = (estimate: { peakBytes: number }): number => estimate.peakBytes / 2 ** 20

it('comes near the measured peaks of a training step (npm run bench)', () => {
  expect(megabytes(estimateRun({ ...size, keeping: 'half' }))).toBeGreaterThan(750)
  expect(megabytes(estimateRun({ ...size, keeping: 'half' }))).toBeLessThan(900)
  expect(megabytes(estimateRun({ ...size, keeping: 'input' }))).toBeLessThan(megabytes(estimateRun({ ...size, keeping: 'half' })) - 100)
  expect(megabytes(estimateRun({ ...size, keeping: 'mixed' }))).toBeLessThan(760)
  expect(megabytes(estimateRun(size))).toBeGreaterThan(1100)
})

it('says that keeping only the input takes longer', () => {
  expect(estimateRun({ ...size, keeping: 'input' }).seconds).toBeGreaterThan(1.2 * estimateRun({ ...size, keeping: 'half' }).seconds)
})

it('counts blocks with trained parts inside as composed', () => {
  expect(estimateRun({ ...size, keeping: 'half', trainsInside: true })).toEqual(estimateRun({ ...size, trainsInside: true }))
})
