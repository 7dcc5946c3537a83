import type { CohortFacts, ImageFact } from '../../../engine/alarms/facts/cohort-facts.ts'
import { findAlarms } from '../../../engine/alarms/find-alarms.ts'
import { createRng, type Rng } from '../../../engine/compute/rng.ts'
import { borderCells, thumbnailEdge } from '../../../engine/domain/image-measures.ts'
import type { Slot } from '../../../engine/domain/slots.ts'

/** Synthetic people only. A clean cohort: nothing in it tells a label, and every test changes one thing. */

export const slots: Slot[] = [
  { slotId: 'view', modality: 'image', title: 'View', letter: 'V' },
  { slotId: 'notes', modality: 'text', title: 'Notes', letter: 'N' },
]
export const labelNames = ['Cataract', 'Glaucoma', 'Edema']
const vocabulary = 'patient came with pain since days left right mild severe no known history of reports vision acuity stable after visit follow up advised drops daily morning evening eye lens cornea pressure normal fundus cataract glaucoma edema seen absent check again'.split(' ')

const hex = (rng: Rng, length: number) => Array.from({ length }, () => rng.integer(16).toString(16)).join('')

export function makeImage(rng: Rng): ImageFact {
  const widthPx = rng.pick([512, 640, 1024])
  const border = Float32Array.from({ length: borderCells }, () => 20 + 10 * rng.normal())
  return {
    sha256: hex(rng, 64), byteSize: 40_000 + rng.integer(60_000), widthPx, heightPx: rng.pick([512, 640]),
    measures: {
      widthPx, heightPx: 512, byteSize: 50_000, format: rng.pick(['jpeg', 'png']), channels: 3, meanLuminance: 90, sdLuminance: 40, perceptualHash: hex(rng, 16), border,
      thumbnail: Uint8Array.from({ length: thumbnailEdge ** 2 }, () => rng.integer(256)),
    },
  }
}

/** `studyCount` studies, every fifth patient with two; labels, texts, images and what is missing are all drawn apart. */
export function makeFacts(seed: number, studyCount = 400): CohortFacts {
  const rng = createRng(seed)
  const persons = Int32Array.from({ length: studyCount }, (_, i) => (i % 10 === 1 ? i - 1 : i))
  const texts = Array.from({ length: studyCount }, () => (rng.uniform() < 0.1 ? null : `${Array.from({ length: 12 }, () => rng.pick(vocabulary)).join(' ')}.`))
  const images = Array.from({ length: studyCount }, () => (rng.uniform() < 0.15 ? null : makeImage(rng)))
  return {
    slots, labelNames, persons,
    studyIds: Int32Array.from({ length: studyCount }, (_, i) => i + 1),
    patientKeys: Array.from(persons, (person) => `P-${person}`),
    studyKeys: Array.from({ length: studyCount }, (_, i) => String(i)),
    labels: Int8Array.from({ length: studyCount * labelNames.length }, () => (rng.uniform() < 0.3 ? 1 : 0)),
    ageYears: Float64Array.from(persons, (person) => 20 + (person * 7) % 60),
    sexes: Array.from(persons, (person) => (person % 3 === 0 ? 'female' : 'male')),
    sites: Array.from(persons, (person) => (person % 2 === 0 ? 'S-1' : 'S-2')),
    dateProblems: new Map(), hasDates: false,
    presentBits: Uint8Array.from({ length: studyCount }, (_, i) => (images[i] === null ? 0 : 1) | (texts[i] === null ? 0 : 2)),
    texts: new Map([['notes', texts]]), images: new Map([['view', images]]),
  }
}

/** Runs the search to its end. */
export function search(facts: CohortFacts) {
  const steps = findAlarms(facts)
  for (;;) {
    const next = steps.next()
    if (next.done === true) return next.value
  }
}

export function setLabel(facts: CohortFacts, label: number, valueOf: (i: number) => boolean): void {
  facts.studyIds.forEach((_, i) => (facts.labels[i * facts.labelNames.length + label] = valueOf(i) ? 1 : 0))
}
