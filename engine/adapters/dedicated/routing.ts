/** Above this many modalities, every subset would be hundreds of models: then the whole, each left out and each alone, as the what-if patterns. */
const maxEnumerated = 4

/** The combinations that get a model of their own, as presence bits. */
export function dedicatedCombinations(modalityCount: number): number[] {
  const complete = (1 << modalityCount) - 1
  if (modalityCount <= maxEnumerated) return Array.from({ length: complete }, (_, i) => i + 1)
  const single = Array.from({ length: modalityCount }, (_, m) => 1 << m)
  return [...single, ...single.map((bit) => complete & ~bit), complete]
}

/**
 * Whose model answers for a presence pattern: its own, else the one of the largest trained part of it (first among equals), which leaves
 * something unread and must be said; null when nothing that is present has a model.
 *
 * @param isTrained by position in `combinations`
 */
export function routeOf(presence: number, combinations: readonly number[], isTrained: (position: number) => boolean): { position: number; isOwn: boolean } | null {
  let best: { position: number; size: number } | null = null
  for (const [position, combination] of combinations.entries()) {
    if (!isTrained(position) || (combination & presence) !== combination) continue
    if (combination === presence) return { position, isOwn: true }
    const size = combination.toString(2).replaceAll('0', '').length
    if (best === null || size > best.size) best = { position, size }
  }
  return best === null ? null : { position: best.position, isOwn: false }
}
