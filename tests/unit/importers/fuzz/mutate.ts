/** What copies, networks and bad sectors do to files, and what a hostile writer would. */

/** A seeded generator: a whole number from 0 up to, but without, `below`. Mulberry32. */
export type Random = (below: number) => number

export function createRandom(seed: number): Random {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}

const extremes32 = [0xffffffff, 0x7fffffff, 0x80000000, 0xfffffffe, 0, 1]
const extremes16 = [0xffff, 0x7fff, 0x8000, 0, 1]

/** A copy with one to four faults: cut, zeroed, repeated or lost stretches, extreme lengths, flipped bytes. */
export function mutate(source: Buffer, random: Random): Buffer {
  let bytes: Buffer = Buffer.from(source)
  for (let times = 1 + random(4); times > 0; times--) {
    const at = random(Math.max(1, bytes.length))
    const kind = random(9)
    if (kind === 0) bytes = bytes.subarray(0, at)
    else if (kind === 1) bytes.fill(0, at, Math.min(bytes.length, at + random(64)))
    else if (kind === 2) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.max(0, at - random(200)))])
    else if (kind === 3) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random(40))])
    else if (kind === 4 && at + 4 <= bytes.length) bytes.writeUInt32LE(extremes32[random(extremes32.length)]!, at)
    else if (kind === 5 && at + 2 <= bytes.length) bytes.writeUInt16LE(extremes16[random(extremes16.length)]!, at)
    else if (kind === 6 && bytes.length > 0) bytes[at] = bytes[at]! ^ (1 << random(8))
    else for (let flips = 1 + random(6); flips > 0 && bytes.length > 0; flips--) bytes[random(bytes.length)] = random(256)
  }
  return bytes
}
