import { borderCells } from '../domain/image-measures.ts'
import { patternKey, type Slot } from '../domain/slots.ts'
import type { CohortFacts, ImageFact } from './facts/cohort-facts.ts'
import type { ProbeSubject } from './probe-alarm.ts'

/** Steps into which a measure of a file is cut, so that a probe without curves can follow any shape. */
const binCount = 8
const formats = ['jpeg', 'png', 'gif', 'webp', 'tiff', 'dicom'] as const

/** Which items a study has, and nothing else. */
export function presenceSubject({ slots, presentBits }: CohortFacts): ProbeSubject | null {
  const patterns = [...new Set(presentBits)]
  if (patterns.length < 2) return null
  const columnOf = new Map(patterns.map((bits, column) => [bits, slots.length + column]))
  const titleOf = (bits: number) => patternKey(slots, (slotId) => ((bits >> slots.findIndex((slot) => slot.slotId === slotId)) & 1) === 1)
  const varying = slots.filter((_, s) => patterns.some((bits) => ((bits >> s) & 1) !== ((patterns[0]! >> s) & 1)))
  return {
    kind: 'presence-leak', about: 'all', isProof: true, columnCount: slots.length + patterns.length,
    title: (labels) => `Which items are missing tells ${labels}`,
    probe: `A probe that sees which items a study has, and none of them (${patterns.length} patterns${patterns.length <= 4 ? `: ${patterns.map((bits) => titleOf(bits) || 'nothing').join('; ')}` : ''}),`,
    meaning: 'Part of what a model shows may be how data went missing, not the disease.',
    action: 'Find out why items are missing. Compare within one presence pattern, or leave the items out whose absence tells.',
    remedies: varying.length < slots.length ? varying.map((slot) => ({ title: `Leave ${slot.title} out`, draft: { kind: 'drop-slot', slotId: slot.slotId } })) : [],
    features: (i) => [...slots.flatMap((_, s): [number, number][] => (((presentBits[i]! >> s) & 1) === 1 ? [[s, 1]] : [])), [columnOf.get(presentBits[i]!)!, 1]],
  }
}

/**
 * Size and format of the image files of one slot; with `hasBytes` also how many bytes they take, which follows in part from the picture
 * itself (a hazy one compresses better), so that what it tells is a reason to look, not a proof.
 */
export function metadataSubject(facts: CohortFacts, slot: Slot, hasBytes: boolean): ProbeSubject | null {
  const images = facts.images.get(slot.slotId) ?? []
  const measures: ((image: ImageFact) => number | null)[] = [
    ({ widthPx }) => widthPx, ({ heightPx }) => heightPx,
    ({ widthPx, heightPx }) => (widthPx === null || heightPx === null ? null : widthPx / heightPx),
    ...(hasBytes ? [({ byteSize }: ImageFact) => byteSize, ({ byteSize, widthPx, heightPx }: ImageFact) => (byteSize === null || widthPx === null || heightPx === null ? null : byteSize / (widthPx * heightPx))] : []),
  ]
  const bins = measures.map((measure) => quantileBins(images.flatMap((image) => (image === null ? [] : (measure(image) ?? [])))))
  const formatsUsed = new Set(images.flatMap((image) => (image?.measures ? [`${image.measures.format} ${image.measures.channels}`] : [])))
  if (bins.every((limits) => limits.length === 0) && formatsUsed.size < 2) return null
  return {
    kind: 'metadata-leak', about: slot.slotId, isProof: !hasBytes, columnCount: measures.length * binCount + formats.length + 1,
    title: (labels) => hasBytes ? `The file sizes of ${slot.title} predict ${labels} without the picture` : `Picture size and format of ${slot.title} predict ${labels} without the picture`,
    probe: hasBytes ? `A probe that knows only the number of bytes, the size and the format of the image files of ${slot.title}` : `A probe that knows only the width, the height and the format of the image files of ${slot.title}`,
    meaning: hasBytes
      ? 'Width, height and format alone do not predict it, the number of bytes does. Either the images were saved in different ways, or the disease itself makes a picture plainer: a hazy picture takes fewer bytes.'
      : 'Patients with and without the label were pictured, or saved, in different ways: another device, another site, another export.',
    action: hasBytes
      ? 'Look at images with and without the label side by side. If they differ in sharpness or compression for another reason than the disease, compare within one device or export.'
      : 'Find out which device or site each image comes from, and compare within one of them. Saving all images again in one size and format removes this trace, not the difference behind it.',
    remedies: hasBytes ? [] : [{ title: `Leave ${slot.title} out`, draft: { kind: 'drop-slot', slotId: slot.slotId } }],
    features: (i) => {
      const image = images[i]
      if (image === null || image === undefined) return null
      const features = measures.flatMap((measure, m): [number, number][] => {
        const value = measure(image)
        return value === null || bins[m]!.length === 0 ? [] : [[m * binCount + bins[m]!.filter((limit) => value > limit).length, 1]]
      })
      const at = measures.length * binCount
      if (image.measures !== null) features.push([at + formats.indexOf(image.measures.format), 1], ...(image.measures.channels === 3 ? [[at + formats.length, 1] as [number, number]] : []))
      return features
    },
  }
}

/** The outer ring of the pictures of one slot, where markers, text and the edges of devices are. Null where nothing was measured. */
export function borderSubject(facts: CohortFacts, slot: Slot): ProbeSubject | null {
  const images = facts.images.get(slot.slotId) ?? []
  const measured = images.flatMap((image) => (image?.measures ? [image.measures] : []))
  if (measured.length === 0) return null
  const means = Array.from({ length: borderCells }, (_, c) => measured.reduce((sum, { border }) => sum + border[c]!, 0) / measured.length)
  const deviations = means.map((mean, c) => Math.sqrt(measured.reduce((sum, { border }) => sum + (border[c]! - mean) ** 2, 0) / measured.length))
  if (deviations.every((deviation) => deviation < 1e-6)) return null
  return {
    kind: 'border-leak', about: slot.slotId, isProof: true, columnCount: 2 * borderCells,
    title: (labels) => `The border of ${slot.title} predicts ${labels}`,
    probe: `A probe that sees only how bright the outer edge of the pictures of ${slot.title} is (${borderCells} coarse fields, nothing inside)`,
    meaning: 'Markers, burned-in text, frames and devices lie there; organs rarely do.',
    action: 'Look at pictures with and without the label side by side, at their edges. Cropping the border before the import removes markers; a difference between devices stays.',
    remedies: [{ title: `Leave ${slot.title} out`, draft: { kind: 'drop-slot', slotId: slot.slotId } }],
    features: (i) => {
      const border = images[i]?.measures?.border
      if (border === undefined) return null
      return Array.from(border, (value, c): [number, number] => [c, deviations[c]! < 1e-6 ? 0 : (value - means[c]!) / deviations[c]!])
        .flatMap(([c, z]): [number, number][] => (z === 0 ? [] : [[c, z], [borderCells + c, Math.min(4, Math.abs(z))]]))
    },
  }
}

/** Limits between steps with about the same number of values in each; none where all values are equal. */
function quantileBins(values: readonly number[]): number[] {
  const sorted = [...values].sort((a, b) => a - b)
  if (sorted.length === 0 || sorted[0] === sorted.at(-1)) return []
  return [...new Set(Array.from({ length: binCount - 1 }, (_, k) => sorted[Math.floor(((k + 1) * sorted.length) / binCount)]!))].filter((limit) => limit < sorted.at(-1)!)
}
