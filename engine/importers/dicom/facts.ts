/** What a header says of an image without saying of whom: for views, markers and the choice of slots. */
import type { DicomDataSet } from './data-set.ts'
import { frameScopes } from './display/grayscale-header.ts'
import type { TransferSyntax } from './transfer-syntax.ts'

/** Facts without identity; null where the header is silent. */
export interface DicomFacts {
  /** DICOM code, e.g. DX, OP, CT. */
  dicomModality: string | null
  sopClassUid: string | null
  transferSyntax: string | null
  /** Was the image compressed with loss, now or at any time before? */
  isLossy: boolean
  laterality: 'R' | 'L' | 'B' | null
  viewPosition: string | null
  bodyPart: string | null
  /** Directions in which rows and columns run, as anatomical letters, e.g. ["A", "F"]. */
  patientOrientation: [string, string] | null
  frameCount: number
  /** Height of a pixel divided by its width, when they differ. */
  pixelAspect: number
  hasBurnedInText: boolean | null
  /** Raw detector values, meant for further processing and not for reading (PS3.3 C.8.11.2). */
  isForProcessing: boolean
}

/** Reads the facts of one frame; `frameCount` is the checked number of frames. */
export function readFacts(dataSet: DicomDataSet, transferSyntax: TransferSyntax | null, frameCount: number, frame = 0): DicomFacts {
  const [vertical, horizontal] = dataSet.decimals('0028,0034')
  const burned = dataSet.text('0028,0301')
  return {
    dicomModality: dataSet.text('0008,0060'),
    sopClassUid: dataSet.text('0008,0016'),
    transferSyntax: transferSyntax?.name ?? null,
    isLossy: transferSyntax?.isLossy === true || dataSet.text('0028,2110') === '01',
    laterality: readLaterality(dataSet, frame),
    viewPosition: readView(dataSet),
    bodyPart: dataSet.text('0018,0015'),
    patientOrientation: readDirections(dataSet, frame),
    frameCount,
    pixelAspect: vertical !== undefined && horizontal !== undefined && vertical > 0 && horizontal > 0 ? vertical / horizontal : 1,
    hasBurnedInText: burned === 'YES' ? true : burned === 'NO' ? false : null,
    isForProcessing: dataSet.text('0008,0068')?.toUpperCase() === 'FOR PROCESSING',
  }
}

/**
 * Letters as the file writes them (PS3.3 C.7.6.1.1.1), else those of the direction cosines of its plane (C.7.6.2.1.1), which
 * enhanced images keep in their functional groups.
 */
function readDirections(dataSet: DicomDataSet, frame: number): DicomFacts['patientOrientation'] {
  const letters = dataSet.texts('0020,0020').map((text) => text.toUpperCase())
  if (letters.length === 2 && letters.every((text) => /^[AHFLPR]+$/.test(text))) return [letters[0]!, letters[1]!]
  const groups = frameScopes(dataSet, frame).flatMap((scope) => scope.items('0020,9116'))
  const cosines = [dataSet, ...groups].map((scope) => scope.decimals('0020,0037')).find((values) => values.length === 6)
  if (cosines === undefined) return null
  const [row, column] = [lettersOf(cosines.slice(0, 3)), lettersOf(cosines.slice(3))]
  return row === '' || column === '' ? null : [row, column]
}

/** Less than about six degrees off an axis is not told. */
const leastCosine = 0.1

/** The axes that a direction runs along, the strongest first; x runs to the left hand, y to the back, z to the head. */
function lettersOf(direction: readonly number[]): string {
  const axes = direction.map((cosine, axis) => ({ size: Math.abs(cosine), letter: (cosine > 0 ? 'LPH' : 'RAF')[axis]! }))
  return axes.filter(({ size }) => size > leastCosine).sort((a, b) => b.size - a.size).map(({ letter }) => letter).join('')
}

/** Image laterality, else the frame's anatomy, else the series' laterality. PS3.3 C.7.3.1, C.7.6.16.2.8. */
function readLaterality(dataSet: DicomDataSet, frame: number): DicomFacts['laterality'] {
  const anatomy = frameScopes(dataSet, frame).flatMap((scope) => scope.items('0020,9071')).map((item) => item.text('0020,9072'))
  const stated = [dataSet.text('0020,0062'), ...anatomy, dataSet.text('0020,0060')]
  const found = stated.map((value) => value?.toUpperCase()).find((value) => value === 'R' || value === 'L' || value === 'B')
  return (found as DicomFacts['laterality'] | undefined) ?? null
}

/** The view position, else the meaning of the view code. */
function readView(dataSet: DicomDataSet): string | null {
  return dataSet.text('0018,5101') ?? dataSet.items('0054,0220')[0]?.text('0008,0104') ?? null
}
