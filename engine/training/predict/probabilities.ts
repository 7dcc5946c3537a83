/**
 * Logits [n, C] to probabilities, row-major: each label by itself (sigmoid) or one distribution over the classes (softmax).
 * Not calibrated beyond what the loss does; class weighting shifts them, which is why it is off by default.
 */
export function probabilitiesOf(task: 'multi-label' | 'multi-class', logits: Float32Array, width: number): Float32Array {
  if (task === 'multi-label') return logits.map((logit) => 1 / (1 + Math.exp(-logit)))
  const probabilities = new Float32Array(logits.length)
  for (let start = 0; start < logits.length; start += width) {
    const row = logits.subarray(start, start + width)
    const largest = Math.max(...row)
    const exponentials = Array.from(row, (logit) => Math.exp(logit - largest))
    const sum = exponentials.reduce((total, value) => total + value, 0)
    exponentials.forEach((value, column) => (probabilities[start + column] = value / sum))
  }
  return probabilities
}
