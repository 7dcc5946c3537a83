import type { ImageSlotSummary, ShownImage } from '../../domain/fingerprint.ts'
import type { ImageMeasures } from '../../domain/image-measures.ts'
import type { ImageFeature } from '../../domain/selection.ts'
import type { Slot } from '../../domain/slots.ts'
import { binOf, histogramOf, histogramOver, percentileOf } from '../../fingerprint/histogram.ts'
import type { MeasuredImage } from '../../store/repositories/image-measures.ts'

const listedSizes = 6
const listedExtremes = 4
const luminanceBins = 32
const flatBelow = 5

/** Sizes and brightness of the images of each image slot that has any. */
export function summariseImages(slots: readonly Slot[], images: readonly MeasuredImage[], show: (image: MeasuredImage) => ShownImage): ImageSlotSummary[] {
  const bySlot = Map.groupBy(images, ({ slotId }) => slotId)
  return slots.flatMap(({ slotId }) => {
    const own = bySlot.get(slotId)
    return own ? [summariseSlot(slotId, own, show)] : []
  })
}

function summariseSlot(slotId: string, images: readonly MeasuredImage[], show: (image: MeasuredImage) => ShownImage): ImageSlotSummary {
  const measures = images.map((image) => image.measures)
  const sizes = countBy(measures, ({ widthPx, heightPx }) => `${widthPx} ${heightPx}`)
  const byLuminance = images.toSorted((a, b) => a.measures.meanLuminance - b.measures.meanLuminance)
  const shown = (image: MeasuredImage) => ({ ...show(image), meanLuminance: image.measures.meanLuminance })
  const bytes = Float64Array.from(measures, ({ byteSize }) => byteSize).sort()
  return {
    slotId, measured: images.length,
    sizes: sizes.slice(0, listedSizes).map(({ name, count }) => {
      const [widthPx, heightPx] = name.split(' ').map(Number) as [number, number]
      return { widthPx, heightPx, count }
    }),
    otherSizes: sizes.slice(listedSizes).reduce((sum, { count }) => sum + count, 0),
    shorterEdge: histogramOf(measures.map(shorterEdgeOf), 24),
    meanLuminance: histogramOver(measures.map(({ meanLuminance }) => meanLuminance), 0, 256, luminanceBins),
    sdLuminance: histogramOver(measures.map(({ sdLuminance }) => sdLuminance), 0, 128, luminanceBins),
    formats: countBy(measures, ({ format }) => format),
    greyCount: measures.filter(({ channels }) => channels === 1).length,
    colourCount: measures.filter(({ channels }) => channels === 3).length,
    medianBytes: percentileOf(bytes, 0.5),
    flatCount: measures.filter(isFlat).length,
    darkest: byLuminance.slice(0, listedExtremes).map(shown),
    brightest: byLuminance.slice(-listedExtremes).reverse().map(shown),
  }
}

const isFlat = ({ sdLuminance }: ImageMeasures): boolean => sdLuminance < flatBelow
const shorterEdgeOf = ({ widthPx, heightPx }: ImageMeasures): number => Math.min(widthPx, heightPx)

/** Whether an image is among those that one number of the summary counts. */
export function hasFeature(measures: ImageMeasures, feature: ImageFeature): boolean {
  switch (feature.what) {
    case 'measured': return true
    case 'flat': return isFlat(measures)
    case 'channels': return measures.channels === feature.channels
    case 'format': return measures.format === feature.format
    case 'size': return measures.widthPx === feature.widthPx && measures.heightPx === feature.heightPx
    case 'bin': return binOf(feature.edges, feature.measure === 'shorterEdge' ? shorterEdgeOf(measures) : measures[feature.measure]) === feature.index
  }
}

function countBy<T>(values: readonly T[], nameOf: (value: T) => string): { name: string; count: number }[] {
  return [...Map.groupBy(values, nameOf)].map(([name, { length: count }]) => ({ name, count })).sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1))
}
