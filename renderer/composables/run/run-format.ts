/** Trained parameters as a percentage of all, to two significant digits: "0.97", "1.6", "12". */
export function formatParameterShare(trained: number, total: number): string {
  if (total <= 0) return '0'
  const percent = (100 * trained) / total
  if (percent >= 10) return percent.toFixed(0)
  return Number(percent.toPrecision(2)).toString()
}

/** A loss to three significant digits. */
export function formatLoss(loss: number): string {
  return loss.toPrecision(3)
}
