import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { imageElements, toBytes, writeDicom, type Elements } from '../../unit/importers/dicom/make-dicom.ts'

/** Synthetic chest X-rays as DICOM files: a frontal picture and a lateral one of five frames. */

const side = 400

/** Two lungs and a bright corner, so that turning is seen; each frame a little brighter: [frames, side, side]. */
function drawChest(frames: number): Uint16Array {
  const values = new Uint16Array(frames * side * side)
  for (let i = 0; i < values.length; i++) {
    const frame = Math.floor(i / (side * side))
    const [x, y] = [((i % side) / side) * 2 - 1, (Math.floor((i % (side * side)) / side) / side) * 2 - 1]
    const lung = (centre: number): number => Math.exp(-(((x - centre) / 0.22) ** 2 + (y / 0.55) ** 2))
    values[i] = Math.min(4095, Math.round(2600 - 1900 * (lung(-0.45) + lung(0.4)) + (x < -0.8 && y < -0.8 ? 1400 : 0) + 150 * frame))
  }
  return values
}

function writeView(folder: string, patient: string, view: 'PA' | 'LL', frames: number, extra: Elements): void {
  const header: Elements = {
    ...imageElements({ rows: side, columns: side, bits: 12, frames }), '0008,0020': ['DA', '20240131'], '0008,0060': ['CS', 'DX'], '0010,0020': ['LO', patient], '0010,0040': ['CS', 'F'],
    '0010,1010': ['AS', '061Y'], '0018,5101': ['CS', view], '0020,000d': ['UI', `1.2.3.${patient}`], '0028,1050': ['DS', '1800\\1000'], '0028,1051': ['DS', '3000\\1200'], '0028,1055': ['LO', 'WIDE\\LUNG'], ...extra,
  }
  writeFileSync(join(folder, `${patient}-${view}.dcm`), writeDicom(header, toBytes(drawChest(frames), 2)))
}

export function writeChest(folder: string, patient: string): void {
  writeView(folder, patient, 'PA', 1, { '0020,0020': ['CS', 'L\\F'] })
  // No letters but the plane's cosines: rows run to the back, columns to the feet.
  writeView(folder, patient, 'LL', 5, { '0020,0037': ['DS', '0\\1\\0\\0\\0\\-1'] })
}
