import type { RandomSource } from '../../compute/random-source.ts'

/**
 * Iterative stratification: deals units to parts so that each part gets its share of every stratum.
 * Sechidis, Tsoumakas and Vlahavas 2011, "On the stratification of multi-label data", algorithm 1.
 * The rarest stratum is dealt first, because once it is spent on the wrong side it cannot be mended.
 * Differs from the paper in one point: ties are broken by the seeded generator in a fixed order, so a seed gives one split.
 *
 * @param units for each unit the indices of the strata it belongs to (labels it carries, its presence pattern)
 * @param strataCount number of strata
 * @param shares wanted share of each part, adding up to 1
 * @returns the part of each unit, 0..shares.length-1
 */
export function stratifyUnits(units: readonly (readonly number[])[], strataCount: number, shares: readonly number[], random: RandomSource): number[] {
  const part = new Array<number>(units.length).fill(-1)
  const wantedTotal = shares.map((share) => share * units.length)
  const membersOf: Set<number>[] = Array.from({ length: strataCount }, () => new Set<number>())
  units.forEach((strata, unit) => strata.forEach((stratum) => membersOf[stratum]!.add(unit)))
  const wanted = membersOf.map((members) => shares.map((share) => share * members.size))

  const order = shuffled(units.length, random)
  const rank = new Array<number>(units.length)
  order.forEach((unit, position) => (rank[unit] = position))

  const place = (unit: number, chosen: number): void => {
    part[unit] = chosen
    wantedTotal[chosen]! -= 1
    for (const stratum of units[unit]!) {
      membersOf[stratum]!.delete(unit)
      wanted[stratum]![chosen]! -= 1
    }
  }

  for (;;) {
    let rarest = -1
    for (let stratum = 0; stratum < strataCount; stratum++) {
      const size = membersOf[stratum]!.size
      if (size > 0 && (rarest < 0 || size < membersOf[rarest]!.size)) rarest = stratum
    }
    if (rarest < 0) break
    const members = [...membersOf[rarest]!].sort((a, b) => rank[a]! - rank[b]!)
    for (const unit of members) place(unit, neediestPart(wanted[rarest]!, wantedTotal, random))
  }
  // Units without any stratum only balance the sizes.
  for (const unit of order) if (part[unit] === -1) place(unit, neediestPart(wantedTotal, wantedTotal, random))
  return part
}

function neediestPart(need: readonly number[], total: readonly number[], random: RandomSource): number {
  const most = Math.max(...need)
  let candidates = need.map((_, index) => index).filter((index) => need[index]! >= most - 1e-9)
  if (candidates.length > 1) {
    const widest = Math.max(...candidates.map((index) => total[index]!))
    candidates = candidates.filter((index) => total[index]! >= widest - 1e-9)
  }
  return candidates.length === 1 ? candidates[0]! : candidates[Math.floor(random.uniform() * candidates.length)]!
}

/** A seeded permutation of 0..length-1 (Fisher-Yates). */
export function shuffled(length: number, random: RandomSource): number[] {
  const order = Array.from({ length }, (_, index) => index)
  for (let i = length - 1; i > 0; i--) {
    const j = Math.floor(random.uniform() * (i + 1))
    ;[order[i], order[j]] = [order[j]!, order[i]!]
  }
  return order
}
