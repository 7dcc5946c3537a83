/** The two model sizes of the benchmark; the PyTorch peer reads the same numbers from its command line. */
export interface BenchSize {
  name: string
  blocks: number
  width: number
  heads: number
  feedForward: number
  /** Whether layer norm comes before (ViLT) or after (BERT) each part. */
  preNorm: boolean
  batch: number
  textTokens: number
  imageTokens: number
  classes: number
}

export const benchSizes: readonly BenchSize[] = [
  // Two eyes of 49 grid tokens and a short note, in the six blocks of MiniLM.
  { name: 'default', blocks: 6, width: 384, heads: 12, feedForward: 1536, preNorm: false, batch: 8, textTokens: 24, imageTokens: 98, classes: 8 },
  // ViLT-B/32 at 384 pixels: 40 text tokens, 144 patches and the image [CLS].
  { name: 'vilt', blocks: 12, width: 768, heads: 12, feedForward: 3072, preNorm: true, batch: 8, textTokens: 40, imageTokens: 145, classes: 8 },
]

/** Presence of each sample of a mixed batch (bit 0 text, bit 1 image): 35 % without text, 35 % without image, rounded; the rest complete. */
export function mixedPatterns(batch: number): number[] {
  const missing = Math.round(0.35 * batch)
  return Array.from({ length: batch }, (_, i) => (i < missing ? 2 : i < 2 * missing ? 1 : 3))
}
