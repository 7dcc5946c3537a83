import type { ParameterSet } from '../compute/parameters.ts'
import type { PrefixEntry } from './network.ts'

/** Pooled features of entries whose network trains its head alone at present: computed once, then only the head is a step's work. */
export interface FrozenFeatures {
  /** [D]; computed one entry at a time, so that a resumed run finds the same numbers in whatever batches it asks. */
  of(entry: PrefixEntry): Float32Array
}

/** `compute` runs everything below the head for one entry. Features are forgotten with the entry, and when a tensor below the head gets another value. */
export function createFrozenFeatures(parameters: ParameterSet, compute: (entry: PrefixEntry) => Float32Array): FrozenFeatures {
  let known = new WeakMap<PrefixEntry, Float32Array>()
  let knownFor = ''
  return {
    of: (entry) => {
      const now = signatureOf(parameters)
      if (now !== knownFor) [known, knownFor] = [new WeakMap(), now]
      let features = known.get(entry)
      if (features === undefined) known.set(entry, (features = compute(entry)))
      return features
    },
  }
}

/** Changes whenever a tensor below the head gets another value: values are replaced, never changed in place. */
export function signatureOf(parameters: ParameterSet): string {
  return parameters.all.flatMap(({ group, value }) => (group === 'head' ? [] : [value.id])).join()
}
