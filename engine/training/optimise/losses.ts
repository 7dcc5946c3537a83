/**
 * Losses and their gradients with respect to the logits, on the host in double precision: B x C numbers are few, and this way the loss
 * is exact and needs no tensors. Unknown labels (known = 0) take no part in either.
 */
export interface LossResult {
  /** Mean over known entries (multi-label) or known samples (multi-class), each weighted. */
  loss: number
  /** dL/dlogits, [B, C] row-major. */
  gradient: Float32Array
  /** Number of known entries or samples the mean runs over; lets micro-batches be put together exactly. */
  count: number
}

/**
 * Multi-label binary cross-entropy with logits: -[w y log p + (1 - y) log(1 - p)], mean over known entries.
 * logits, labels, known: [B, C] row-major (labels 0..1, known 0/1 or null for all known); positiveWeights: [C] or null.
 */
export function binaryCrossEntropy(
  logits: Float32Array, labels: Float32Array, known: Uint8Array | null, positiveWeights: Float32Array | null, classes: number,
): LossResult {
  const gradient = new Float32Array(logits.length)
  let sum = 0
  let count = 0
  for (let i = 0; i < logits.length; i++) {
    if (known !== null && known[i] === 0) continue
    const z = logits[i]!
    const y = labels[i]!
    const weight = positiveWeights?.[i % classes] ?? 1
    // log(1 + e^-|z|) keeps both tails finite: softplus(-z) = max(-z, 0) + tail, softplus(z) = max(z, 0) + tail.
    const tail = Math.log1p(Math.exp(-Math.abs(z)))
    sum += weight * y * (Math.max(-z, 0) + tail) + (1 - y) * (Math.max(z, 0) + tail)
    const p = z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z))
    gradient[i] = (1 - y) * p - weight * y * (1 - p)
    count++
  }
  return finish(sum, gradient, count)
}

/**
 * Multi-class cross-entropy with class weights, normalised by the weights of the classes present as PyTorch does.
 * labels: one-hot [B, C]; a sample whose `known` row holds a 0 is left out.
 */
export function crossEntropy(
  logits: Float32Array, labels: Float32Array, known: Uint8Array | null, classWeights: Float32Array | null, classes: number,
): LossResult {
  const gradient = new Float32Array(logits.length)
  let sum = 0
  let weightSum = 0
  for (let start = 0; start < logits.length; start += classes) {
    const rowKnown = known === null || known.subarray(start, start + classes).every((flag) => flag !== 0)
    const target = labels.subarray(start, start + classes).findIndex((value) => value > 0.5)
    if (!rowKnown || target < 0) continue
    const row = logits.subarray(start, start + classes)
    const largest = row.reduce((a, b) => Math.max(a, b), -Infinity)
    const logSum = largest + Math.log(row.reduce((total, z) => total + Math.exp(z - largest), 0))
    const weight = classWeights?.[target] ?? 1
    sum += weight * (logSum - row[target]!)
    weightSum += weight
    for (let c = 0; c < classes; c++) gradient[start + c] = weight * (Math.exp(row[c]! - logSum) - (c === target ? 1 : 0))
  }
  return finish(sum, gradient, weightSum)
}

function finish(sum: number, gradient: Float32Array, count: number): LossResult {
  if (count === 0) return { loss: 0, gradient, count }
  for (let i = 0; i < gradient.length; i++) gradient[i] = gradient[i]! / count
  return { loss: sum / count, gradient, count }
}

/**
 * Weight of the positive class per label: negatives / positives among known training labels, limited to 1 .. limit, so that a label
 * with three patients does not dominate. labels, known: [N, C] row-major.
 */
export function positiveWeights(labels: Float32Array, known: Uint8Array | null, classes: number, limit = 20): Float32Array {
  const weights = new Float32Array(classes)
  for (let c = 0; c < classes; c++) {
    let positives = 0
    let negatives = 0
    for (let i = c; i < labels.length; i += classes) {
      if (known !== null && known[i] === 0) continue
      if (labels[i]! > 0.5) positives++
      else negatives++
    }
    weights[c] = positives === 0 ? 1 : Math.min(limit, Math.max(1, negatives / positives))
  }
  return weights
}

/** Balanced class weights N / (C * N_c) for multi-class labels given one-hot; classes without a sample get 0. */
export function classWeights(labels: Float32Array, known: Uint8Array | null, classes: number): Float32Array {
  const counts = new Float64Array(classes)
  for (let i = 0; i < labels.length; i++) if (labels[i]! > 0.5 && (known === null || known[i] !== 0)) counts[i % classes] = counts[i % classes]! + 1
  const total = counts.reduce((a, b) => a + b, 0)
  return Float32Array.from(counts, (count) => (count === 0 ? 0 : total / (classes * count)))
}
