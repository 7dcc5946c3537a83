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
  /** Directions of rows and columns as anatomical letters, e.g. ["A", "F"]. */
  patientOrientation: [string, string] | null
  frameCount: number
  /** Height of a pixel divided by its width, when they differ. */
  pixelAspect: number
  hasBurnedInText: boolean | null
}

/** Reads the facts; `frameCount` is the checked number of frames. */
export function readFacts(dataSet: DicomDataSet, transferSyntax: TransferSyntax | null, frameCount: number): DicomFacts {
  const [vertical, horizontal] = dataSet.decimals('0028,0034')
  const orientation = dataSet.texts('0020,0020').map((letters) => letters.toUpperCase())
  const burned = dataSet.text('0028,0301')
  return {
    dicomModality: dataSet.text('0008,0060'),
    sopClassUid: dataSet.text('0008,0016'),
    transferSyntax: transferSyntax?.name ?? null,
    isLossy: transferSyntax?.isLossy === true || dataSet.text('0028,2110') === '01',
    laterality: readLaterality(dataSet),
    viewPosition: readView(dataSet),
    bodyPart: dataSet.text('0018,0015'),
    patientOrientation: orientation.length === 2 && orientation.every((letters) => /^[AHFLPR]+$/.test(letters)) ? [orientation[0]!, orientation[1]!] : null,
    frameCount,
    pixelAspect: vertical !== undefined && horizontal !== undefined && vertical > 0 && horizontal > 0 ? vertical / horizontal : 1,
    hasBurnedInText: burned === 'YES' ? true : burned === 'NO' ? false : null,
  }
}

/** Image laterality, else the frame's anatomy, else the series' laterality. PS3.3 C.7.3.1, C.7.6.16.2.8. */
function readLaterality(dataSet: DicomDataSet): DicomFacts['laterality'] {
  const anatomy = frameScopes(dataSet, 0).flatMap((scope) => scope.items('0020,9071')).map((item) => item.text('0020,9072'))
  const stated = [dataSet.text('0020,0062'), ...anatomy, dataSet.text('0020,0060')]
  const found = stated.map((value) => value?.toUpperCase()).find((value) => value === 'R' || value === 'L' || value === 'B')
  return (found as DicomFacts['laterality'] | undefined) ?? null
}

/** The view position, else the meaning of the view code. */
function readView(dataSet: DicomDataSet): string | null {
  return dataSet.text('0018,5101') ?? dataSet.items('0054,0220')[0]?.text('0008,0104') ?? null
}
