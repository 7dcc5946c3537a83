/** Sets of documents as bits, 32 in a word. */
export type Bits = Uint32Array

export function bitsOf(count: number, isIn: (index: number) => boolean): Bits {
  const bits = new Uint32Array(Math.ceil(count / 32))
  for (let i = 0; i < count; i++) if (isIn(i)) bits[i >>> 5]! |= 1 << (i & 31)
  return bits
}

/** Size of the intersection. */
export function countBoth(a: Bits, b: Bits): number {
  let count = 0
  for (let k = 0; k < a.length; k++) {
    let word = a[k]! & b[k]!
    word -= (word >>> 1) & 0x55555555
    word = (word & 0x33333333) + ((word >>> 2) & 0x33333333)
    count += (((word + (word >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24
  }
  return count
}

/** Takes the members of `taken` out of `bits`, in place. */
export function removeBits(bits: Bits, taken: Bits): void {
  for (let k = 0; k < bits.length; k++) bits[k]! &= ~taken[k]!
}
