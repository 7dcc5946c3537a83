import { AppError } from '../../domain/errors.ts'
import type { PrefixEntry, Statistics } from '../network.ts'
import type { PartPlace } from './describer.ts'

export interface Means extends Statistics {
  /** Mean description of a part over the training samples that have it; zeros where none has. */
  of: (part: number) => Float32Array
}

/** Mean of each part's description over the training samples of a fold. No validation or test patient is counted. */
export function createMeans(places: readonly PartPlace[]): Means {
  const values = places.map(({ width }) => new Float32Array(width))
  const nameOf = (part: number): string => `statistics.mean.${places[part]!.modality}.${places[part]!.slot}`
  return {
    of: (part) => values[part]!,
    fit: (entries: readonly PrefixEntry[]) => places.forEach(({ offset, width }, part) => {
      const sums = new Float64Array(width)
      let count = 0
      for (const { x, segments } of entries) {
        if (segments[part] !== 1) continue
        count++
        for (let i = 0; i < width; i++) sums[i] = sums[i]! + x[offset + i]!
      }
      values[part] = Float32Array.from(sums, (sum) => (count === 0 ? 0 : sum / count))
    }),
    exportValues: () => Object.fromEntries(values.map((mean, part) => [nameOf(part), { shape: [mean.length], values: mean }])),
    importValues: (stored) => values.forEach((mean, part) => {
      const value = stored[nameOf(part)]
      if (value?.values.length !== mean.length) throw new AppError('CHECKPOINT_MISMATCH', `The checkpoint lacks "${nameOf(part)}".`)
      values[part] = Float32Array.from(value.values)
    }),
  }
}
