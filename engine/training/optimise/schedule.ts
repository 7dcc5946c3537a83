/**
 * Learning rate for step t = 0 .. total-1: linear warm-up over `warmupSteps`, then linear decay to 0 (METHODS 1; the schedule of the
 * MoRA and ViLT reference code). Step 0 has learning rate 0 when there is a warm-up, but the optimiser's moments still advance.
 */
export function learningRateAt(step: number, totalSteps: number, peak: number, warmupSteps: number): number {
  if (step < warmupSteps) return (peak * step) / warmupSteps
  if (totalSteps <= warmupSteps) return peak
  return (peak * Math.max(0, totalSteps - step)) / (totalSteps - warmupSteps)
}
