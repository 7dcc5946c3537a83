/** Adjusted p-values for several comparisons, in input order. p-values must lie in 0..1. */

/** Holm 1979, step-down: controls the chance of any false finding. */
export function holm(pValues: readonly number[]): number[] {
  const order = ascending(pValues)
  const adjusted = new Array<number>(pValues.length).fill(0)
  let running = 0
  order.forEach((index, rank) => {
    running = Math.max(running, Math.min(1, pValues[index]! * (pValues.length - rank)))
    adjusted[index] = running
  })
  return adjusted
}

/** p times the number of comparisons, capped at 1. */
export function bonferroni(pValues: readonly number[]): number[] {
  ascending(pValues)
  return pValues.map((p) => Math.min(1, p * pValues.length))
}

/** Benjamini and Hochberg 1995, step-up: controls the expected share of false findings. */
export function benjaminiHochberg(pValues: readonly number[]): number[] {
  const order = ascending(pValues)
  const adjusted = new Array<number>(pValues.length).fill(0)
  let running = 1
  for (let rank = order.length; rank >= 1; rank -= 1) {
    const index = order[rank - 1]!
    running = Math.min(running, (pValues[index]! * pValues.length) / rank)
    adjusted[index] = running
  }
  return adjusted
}

function ascending(pValues: readonly number[]): number[] {
  for (const p of pValues) if (!(p >= 0 && p <= 1)) throw new RangeError(`${p} is not a p-value.`)
  return pValues.map((_, index) => index).sort((a, b) => pValues[a]! - pValues[b]!)
}
