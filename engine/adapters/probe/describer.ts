/**
 * A sample as one vector of frozen descriptions: each part's own, side by side, zeros where a part is missing. What linear probes and late
 * fusion read; nothing in it is trained, so it is computed once.
 */
import type { Backbone, SamplePart } from '../../backbones/backbone.ts'
import { AppError } from '../../domain/errors.ts'
import { type ModalitySpec, type PrefixEntry, type Sample, presenceOf } from '../network.ts'

/** Where a part's description lies in the joined vector. */
export interface PartPlace {
  modality: number
  kind: ModalitySpec['kind']
  slot: number
  offset: number
  width: number
}

export interface Describer {
  places: readonly PartPlace[]
  /** Length of the joined vector. */
  width: number
  /** See Network.prefixKey. */
  prefixKey: string
  /** One entry for each sample; `segments[p]` is 1 where part p is present. Throws TRAINING_INPUT_EMPTY for a sample without parts. */
  describe: (samples: readonly Sample[]) => PrefixEntry[]
  /** The description of the stand-in for a missing part: blank image or empty text (METHODS 1), as `describe` scales it. */
  describeBlank: (place: PartPlace) => Float32Array
}

export function createDescriber(backbone: Backbone, modalities: readonly ModalitySpec[]): Describer {
  let width = 0
  const places = modalities.flatMap((spec, modality) => (spec.kind === 'text' ? [0] : spec.slots).map((slot): PartPlace => {
    const place = { modality, kind: spec.kind, slot, offset: width, width: backbone.describedWidth(spec.kind) }
    width += place.width
    return place
  }))
  const slotOf = (part: SamplePart): number => ('slot' in part ? part.slot : 0)
  const indexOf = new Map(places.map((place, index) => [`${place.modality}/${place.slot}`, index]))
  const vectorOf = (part: SamplePart): Float32Array => {
    const described = backbone.describePart(part)
    // Unit length times sqrt(length): every feature has a size near 1, as the learning rate expects.
    const scale = Math.sqrt(described.length)
    return described.map((value) => value * scale)
  }
  return {
    places, width,
    prefixKey: `described ${JSON.stringify(modalities)}`,
    describe: (samples) => samples.map((sample) => {
      if (sample.length === 0) throw new AppError('TRAINING_INPUT_EMPTY', 'A patient has none of the chosen modalities.')
      const x = new Float32Array(width)
      const segments = new Uint8Array(places.length)
      for (const part of sample) {
        const index = indexOf.get(`${part.modality}/${slotOf(part)}`)
        if (index === undefined) throw new Error(`part of modality ${part.modality} has no place in the description`)
        x.set(vectorOf(part), places[index]!.offset)
        segments[index] = 1
      }
      return { presence: presenceOf(sample), tokens: 1, segments, x, blockOutput: null }
    }),
    describeBlank: ({ kind, modality, slot }) => vectorOf(backbone.dummyPart(kind, modality, slot)),
  }
}
