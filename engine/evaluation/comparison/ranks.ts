/** Average (mid) ranks, 1-based, and the sizes of the groups of ties. */
export function averageRanks(values: ArrayLike<number>): { ranks: Float64Array; tieSizes: number[] } {
  const order = Uint32Array.from({ length: values.length }, (_, index) => index)
  order.sort((a, b) => values[a]! - values[b]!)
  const ranks = new Float64Array(values.length)
  const tieSizes: number[] = []
  let start = 0
  while (start < order.length) {
    let end = start + 1
    while (end < order.length && values[order[end]!] === values[order[start]!]) end += 1
    for (let i = start; i < end; i += 1) ranks[order[i]!] = (start + end + 1) / 2
    tieSizes.push(end - start)
    start = end
  }
  return { ranks, tieSizes }
}

/** Sum over groups of ties of t^3 - t, the correction term of rank tests. */
export function tieCorrection(tieSizes: readonly number[]): number {
  return tieSizes.reduce((sum, size) => sum + (size ** 3 - size), 0)
}
