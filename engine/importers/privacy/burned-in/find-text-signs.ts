import type { TextSigns } from '../../../domain/text-signs.ts'
import type { RgbImage } from '../../../modalities/image-decode.ts'
import { isDicom, parseDicom } from '../../dicom/parse.ts'
import { restrictHeader } from '../profile/kept-attributes.ts'
import { readTextSigns } from './header-signs.ts'
import { findText, textThreshold } from './text-lines.ts'

/** Does an image possibly show text? `bytes` is the file, `image` its decoded picture. Null when nothing points to it. */
export function findTextSigns(bytes: Uint8Array, image: RgbImage): TextSigns | null {
  const { likelihood, regions } = findText(image)
  const reasons = isDicom(bytes) ? readTextSigns(restrictHeader(parseDicom(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)).dataSet)) : []
  if (likelihood >= textThreshold) reasons.unshift('pixels')
  if (reasons.length === 0) return null
  return { reasons, likelihood, regions: likelihood >= textThreshold ? regions.map(({ left, top, right, bottom }) => ({ left, top, right, bottom })) : [] }
}
