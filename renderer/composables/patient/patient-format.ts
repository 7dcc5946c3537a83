/** A probability to two decimals. Values that rounding would turn into certainty keep saying that they are not. */
export function formatProbability(probability: number): string {
  if (probability > 0 && probability < 0.005) return '< 0.01'
  if (probability < 1 && probability >= 0.995) return '> 0.99'
  return probability.toFixed(2)
}

/** A threshold beside its probability: with as many decimals as tell the two apart, for "0.37, below 0.37" reads like a mistake. */
export function formatThreshold(threshold: number, probability: number): string {
  for (let digits = 2; digits < 7; digits++) {
    const shown = threshold.toFixed(digits)
    const isOwn = Number(shown) > 0 && Number(shown) < 1
    if (isOwn && (threshold === probability || shown !== probability.toFixed(digits))) return shown
  }
  return formatProbability(threshold)
}

/** A change of probability with its sign ("−0.22"), a true minus so that columns line up. Nothing left after rounding is "±0.00". */
export function formatChange(change: number): string {
  const rounded = Math.abs(change).toFixed(2)
  if (rounded === '0.00') return '±0.00'
  return `${change < 0 ? '−' : '+'}${rounded}`
}

const time = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })

/** The time of day of a stored timestamp, in the reader's time zone. */
export function formatTime(timestamp: string): string {
  return time.format(new Date(timestamp))
}
