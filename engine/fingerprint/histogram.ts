import type { Histogram } from '../domain/fingerprint.ts'

/** Bins of equal width over a fixed range; the last one includes its end, and values outside count in the outermost bins. */
export function histogramOver(values: ArrayLike<number>, from: number, to: number, bins: number): Histogram {
  const width = (to - from) / bins
  const edges = Array.from({ length: bins + 1 }, (_, i) => from + i * width)
  const counts = new Array<number>(bins).fill(0)
  for (let i = 0; i < values.length; i++) counts[binOf(edges, values[i]!)]!++
  return { edges, counts }
}

/** The bin of a value between edges of equal distance. What counts a histogram and what lists one of its bars must agree to the last bit. */
export function binOf(edges: readonly number[], value: number): number {
  const bins = edges.length - 1
  const [from, to] = [edges[0]!, edges[bins]!]
  return Math.min(bins - 1, Math.max(0, Math.floor((value - from) / ((to - from) / bins))))
}

/**
 * Bins of a round width (1, 2 or 5 times a power of ten, at least 1) that cover whole numbers with at most `most` bins, one more where `edge`
 * is given: bins then part there, so that no bar lies on both sides of a limit.
 */
export function histogramOf(values: ArrayLike<number>, most = 30, edge = 0): Histogram {
  if (values.length === 0) return { edges: [], counts: [] }
  let smallest = Infinity
  let largest = -Infinity
  for (let i = 0; i < values.length; i++) {
    smallest = Math.min(smallest, values[i]!)
    largest = Math.max(largest, values[i]!)
  }
  const width = roundWidth((largest - smallest + 1) / most)
  const from = edge + Math.floor((smallest - edge) / width) * width
  const bins = Math.floor((largest - from) / width) + 1
  return histogramOver(values, from, from + bins * width, bins)
}

function roundWidth(least: number): number {
  for (let power = 1; ; power *= 10) for (const step of [1, 2, 5]) if (step * power >= least) return step * power
}

/** Value below which a share of the sorted values lies, nearest rank; 0 without values. */
export function percentileOf(sorted: ArrayLike<number>, share: number): number {
  return sorted.length === 0 ? 0 : sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))]!
}
