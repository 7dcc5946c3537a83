import { expect, it } from 'vitest'
import { type RunSize, bytesPerSample, estimateRun } from '../../../engine/compute/memory.ts'

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

it('counts blocks with trained parts inside as composed unless they are computed whole', () => {
  expect(estimateRun({ ...size, keeping: 'half', trainsInside: true })).toEqual(estimateRun({ ...size, trainsInside: true }))
  expect(estimateRun({ ...size, keeping: 'half', trainsInside: true, wholeBlocks: 0, keptFactor: 2 })).toEqual(estimateRun({ ...size, trainsInside: true, keptFactor: 2 }))
  // Without the kernels nothing is whole.
  expect(estimateRun({ ...size, trainsInside: true, wholeBlocks: 12 })).toEqual(estimateRun({ ...size, trainsInside: true }))
})

it('follows whole blocks with trained parts: full precision, two products more than a frozen one, but not the composed form', () => {
  const [whole, composed] = [{ wholeBlocks: 12 }, { keptFactor: 2 }].map((path) => megabytes(estimateRun({ ...size, keeping: 'half', trainsInside: true, ...path })))
  const kept = 12 * 8 * 185 * (7 * 768 + 3072) * 4 / 2 ** 20
  expect(whole).toBeGreaterThan(200e6 / 2 ** 20 + 4 * size.frozenParameters / 2 ** 20 + kept)
  expect(whole).toBeLessThan(0.75 * composed!)
  // Prompts stand in half of the blocks; the others keep what frozen ones keep.
  const some = megabytes(estimateRun({ ...size, keeping: 'half', trainsInside: true, wholeBlocks: 6 }))
  expect(some).toBeLessThan(whole! - kept / 4)
})

it('lets a step with whole blocks take more samples than one with composed blocks', () => {
  const backbone = { width: 768, heads: 12, blocks: 12 }
  const perSample = (path: object): number => bytesPerSample({ ...backbone, trainsInside: true, ...path }, 185, 'full')
  expect(perSample({ wholeBlocks: 12 })).toBeLessThan(0.7 * perSample({ keptFactor: 2 }))
})
