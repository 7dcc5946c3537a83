/** Round steps for an axis from zero: about `wanted` of them, 1, 2 or 5 times a power of ten, whole numbers only. */
export function countTicks(largest: number, wanted = 4): number[] {
  const rough = Math.max(1, largest / wanted)
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough)!
  const ticks = Math.max(1, Math.ceil(largest / step))
  return Array.from({ length: ticks + 1 }, (_, i) => i * step)
}

/** Places of about `wanted` labels among `count` bin edges, the first always among them. */
export function edgeLabels(count: number, wanted = 6): number[] {
  const every = Math.max(1, Math.ceil((count - 1) / wanted))
  return Array.from({ length: count }, (_, i) => i).filter((i) => i % every === 0)
}
