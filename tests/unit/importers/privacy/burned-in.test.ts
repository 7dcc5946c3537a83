import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseDicom } from '../../../../engine/importers/dicom/parse.ts'
import { findTextSigns } from '../../../../engine/importers/privacy/burned-in/find-text-signs.ts'
import { readTextSigns } from '../../../../engine/importers/privacy/burned-in/header-signs.ts'
import { findText, textThreshold } from '../../../../engine/importers/privacy/burned-in/text-lines.ts'
import { decodeImage } from '../../../../engine/modalities/image-decode.ts'
import { imageElements, writeDicom, type Elements } from '../dicom/make-dicom.ts'
import { drawGround, drawText } from './draw-text.ts'

const isListed = (likelihood: number): boolean => likelihood >= textThreshold

it.each([
  { width: 512, height: 400, left: 20, top: 18, size: 2, level: 255 }, { width: 512, height: 400, left: 300, top: 350, size: 1, level: 255 }, { width: 400, height: 512, left: 40, top: 480, size: 2, level: 0 },
  { width: 2048, height: 2000, left: 60, top: 50, size: 5, level: 250 }, { width: 900, height: 900, left: 500, top: 830, size: 3, level: 240 },
])('finds a name of $size-pixel dots on $width x $height and says where', ({ width, height, left, top, size, level }) => {
  const { likelihood, regions } = findText(drawText(drawGround(width, height), 'SAINT BRIDA 1482', left, top, size, level))
  expect(isListed(likelihood)).toBe(true)
  const [region] = regions
  expect(region!.left * width).toBeLessThan(left + 9 * 6 * size)
  expect(region!.right * width).toBeGreaterThan(left + 4 * 6 * size)
  expect(Math.abs(region!.top * height - top)).toBeLessThan(2 * size + 4)
  expect(Math.abs(region!.bottom * height - (top + 7 * size))).toBeLessThan(2 * size + 4)
})

it('lists no plain picture, no single side letter, no noise and no tiny one', () => {
  for (let seed = 1; seed <= 12; seed++) {
    expect(isListed(findText(drawGround(500, 420, seed)).likelihood)).toBe(false)
    expect(isListed(findText(drawGround(500, 420, seed, 35)).likelihood)).toBe(false)
    expect(isListed(findText(drawText(drawGround(500, 420, seed), 'R', 20, 20, 4, 255)).likelihood)).toBe(false)
  }
  expect(findText(drawGround(20, 20))).toEqual({ likelihood: 0, regions: [] })
})

const headerOf = (more: Elements) => parseDicom(new Uint8Array(writeDicom({ ...imageElements({ rows: 2, columns: 2, bits: 8 }), ...more }, new Uint8Array(4)))).dataSet
it.each<[string, Elements, string[]]>([
  ['declared', { '0028,0301': ['CS', 'YES'] }, ['declared']],
  ['a face', { '0028,0302': ['CS', 'YES'] }, ['features']],
  ['ultrasound', { '0008,0060': ['CS', 'US'] }, ['ultrasound']],
  ['regions of a scanner', { '0018,6011': ['SQ', [{ '0018,6018': ['UL', new Uint8Array(4)] }]] }, ['ultrasound']],
  ['a workstation', { '0008,0064': ['CS', 'WSD'] }, ['capture']],
  ['a screen', { '0008,0008': ['CS', 'DERIVED\\SECONDARY\\SCREEN SAVE'] }, ['capture']],
  ['declared free of it', { '0008,0060': ['CS', 'US'], '0028,0301': ['CS', 'NO'] }, []],
  ['nothing', { '0008,0060': ['CS', 'DX'] }, []],
])('reads the header: %s', (_name, more, reasons) => {
  expect(readTextSigns(headerOf(more))).toEqual(reasons)
})

it('joins what header and pixels say, and is silent when neither says anything', () => {
  const plain = drawGround(300, 300)
  expect(findTextSigns(new Uint8Array(), plain)).toBeNull()
  expect(findTextSigns(new Uint8Array(), drawText(plain, 'MILLER 1248', 20, 20, 2, 255))).toMatchObject({ reasons: ['pixels'] })
  const file = new Uint8Array(writeDicom({ ...imageElements({ rows: 2, columns: 2, bits: 8 }), '0008,0060': ['CS', 'US'] }, new Uint8Array(4)))
  expect(findTextSigns(file, plain)).toMatchObject({ reasons: ['ultrasound'], regions: [] })
})

const data = process.env.LACUNA_TEST_DATA ?? join(import.meta.dirname, '../../../../../shared/data')
describe.skipIf(!existsSync(join(data, 'covid_cxr')))('on public images', () => {
  const listedIn = async (folder: string, step: number): Promise<string[]> => {
    const names = readdirSync(join(data, folder)).filter((name) => /\.(jpe?g|png|dcm)$/i.test(name)).sort().filter((_, i) => i % step === 0)
    const listed = await Promise.all(names.map(async (name) => {
      const image = await decodeImage(join(data, folder, name)).catch(() => null)
      return image !== null && isListed(findText(image).likelihood) ? name : null
    }))
    return listed.filter((name) => name !== null)
  }
  it('lists chest films with letters and no fundus photograph', async () => {
    expect(await listedIn('odir/images', 8)).toEqual([])
    const films = await listedIn('covid_cxr/images', 4)
    // Of 132 films looked at by eye, 41 to 46 show three letters or more.
    expect(films.length).toBeGreaterThan(30)
    expect(films.length).toBeLessThan(55)
  })
  it('lists every ultrasound image with a scale or a name', async () => {
    const listed = await listedIn('dicom', 1)
    const withText = ['explicitBE__RGB__US__US_Explicit_Big_RGB.dcm', 'explicitLE__PALETTECOLOR__US__examples_palette.dcm', 'explicitLE__RGB__US__examples_rgb_color.dcm', 'implicitLE__PALETTECOLOR__US__Implicit-vr-us-palette.dcm', 'j2kLossless__YBR_RCT__US__examples_jpeg2k.dcm', 'j2kLossy__YBR_ICT__US__Formats__jp2k91YBR-ICT.dcm', 'jpegLosslessSV1__MONOCHROME2__US__JPGLosslessP14SV1_1s_1f_8b.dcm', 'rle__YBR_FULL__US__2023-04-21-RLEPlanarConfigurationYBR_FULL.dcm']
    expect(withText.filter((name) => existsSync(join(data, 'dicom', name)) && !listed.includes(name))).toEqual([])
    expect(listed.filter((name) => /__(CT|MR|NM|CR)__/.test(name))).toEqual([])
  })
})
