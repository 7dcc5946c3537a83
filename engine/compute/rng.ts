import type { RandomSource } from './random-source.ts'

/** Four 32-bit words; a run stores them with each epoch so that a resumed run draws the same numbers. */
export type RngState = [number, number, number, number]

/** Seeded generator: xoshiro128** 1.1 (Blackman and Vigna 2021, doi:10.1145/3460772), seeded by splitmix32. */
export interface Rng extends RandomSource {
  uniform(): number
  normal(): number
  /** Integer in [0, bound). */
  integer(bound: number): number
  /** A new array with the same items in random order (Fisher-Yates). */
  shuffle<T>(items: readonly T[]): T[]
  /** One item of a non-empty list. */
  pick<T>(items: readonly T[]): T
  state(): RngState
  /** A generator for a named purpose that does not depend on how much was drawn from this one. */
  fork(purpose: string): Rng
}

export function createRng(seed: number | RngState): Rng {
  const words = new Uint32Array(typeof seed === 'number' ? seedWords(seed) : seed)
  const origin = Uint32Array.from(words)

  const next = (): number => {
    const [s0, s1, s2, s3] = words as unknown as RngState
    const result = Math.imul(rotateLeft(Math.imul(s1, 5), 7), 9) >>> 0
    const shifted = s1 << 9
    const t2 = s2 ^ s0
    const t3 = s3 ^ s1
    words[1] = s1 ^ t2
    words[0] = s0 ^ t3
    words[2] = t2 ^ shifted
    words[3] = rotateLeft(t3, 11)
    return result
  }
  /** 53 bits, as Math.random has. */
  const uniform = (): number => ((next() >>> 5) * 67108864 + (next() >>> 6)) / 9007199254740992
  const integer = (bound: number): number => Math.floor(uniform() * bound)

  return {
    uniform,
    // Box-Muller; the second value is thrown away so that the state stays four words.
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    integer,
    shuffle: (items) => {
      const result = [...items]
      for (let i = result.length - 1; i > 0; i--) {
        const j = integer(i + 1)
        const swap = result[i]!
        result[i] = result[j]!
        result[j] = swap
      }
      return result
    },
    pick: (items) => {
      if (items.length === 0) throw new Error('cannot pick from an empty list')
      return items[integer(items.length)]!
    },
    state: () => [words[0]!, words[1]!, words[2]!, words[3]!],
    fork: (purpose) => {
      let hash = 2166136261
      for (const character of purpose) hash = Math.imul(hash ^ character.codePointAt(0)!, 16777619)
      const mixed = seedWords(hash >>> 0)
      return createRng(mixed.map((word, i) => (word ^ origin[i]!) >>> 0) as RngState)
    },
  }
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits))
}

function seedWords(seed: number): RngState {
  // Seeds above 32 bits keep their high part through the second start value.
  let state = (seed >>> 0) ^ Math.imul(Math.floor(Math.abs(seed) / 4294967296) >>> 0, 0x9e3779b9)
  const word = (): number => {
    state = (state + 0x9e3779b9) | 0
    let z = state ^ (state >>> 16)
    z = Math.imul(z, 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
    return (z ^ (z >>> 15)) >>> 0
  }
  return [word(), word(), word(), word()]
}
