/** What seeded initialisation needs from a generator; the implementation (with exportable state) lives in compute/rng.ts. */
export interface RandomSource {
  /** Uniform in [0, 1). */
  uniform(): number
  /** Standard normal, mean 0 and variance 1. */
  normal(): number
}

/** Fills a new Float32Array with normal values of the given standard deviation. */
export function normalArray(random: RandomSource, length: number, deviation: number): Float32Array {
  const values = new Float32Array(length)
  for (let i = 0; i < length; i++) values[i] = random.normal() * deviation
  return values
}
