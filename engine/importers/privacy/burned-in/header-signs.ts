/** What a DICOM header says about text in its pixels. */
import type { TextSignReason } from '../../../domain/text-signs.ts'
import type { DicomDataSet } from '../../dicom/data-set.ts'

/** Secondary capture and its relatives, video of endoscopes and the like: pictures of a screen. PS3.4 B.5. */
const captureClass = /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.7(\.\d)?$/
/** Workstation, digitised video, digital interface, scanned document, scanned film: PS3.3 C.8.6.1. */
const captureConversions = new Set(['WSD', 'DV', 'DI', 'SD', 'DF', 'DRW'])

/**
 * Reasons to look at an image although its pixels may show nothing that was found. A file that declares itself free of text is believed as far as
 * its kind goes, and still searched.
 */
export function readTextSigns(dataSet: DicomDataSet): TextSignReason[] {
  const reasons: TextSignReason[] = []
  const declared = dataSet.text('0028,0301')?.toUpperCase()
  if (declared === 'YES') reasons.push('declared')
  if (dataSet.text('0028,0302')?.toUpperCase() === 'YES') reasons.push('features')
  if (declared === 'NO') return reasons
  const modality = dataSet.text('0008,0060')?.toUpperCase()
  const kind = dataSet.texts('0008,0008').map((value) => value.toUpperCase())
  if (modality === 'US' || modality === 'IVUS' || dataSet.items('0018,6011').length > 0) reasons.push('ultrasound')
  else if (captureConversions.has(dataSet.text('0008,0064')?.toUpperCase() ?? '') || modality === 'SC' || kind.some((value) => value.includes('SCREEN'))
    || (captureClass.test(dataSet.text('0008,0016') ?? '') && kind.includes('SECONDARY'))) reasons.push('capture')
  return reasons
}
