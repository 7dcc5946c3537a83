import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { imageFactsSchema } from '../../../../engine/domain/image-facts.ts'
import { describeImage } from '../../../../engine/importers/images/describe-image.ts'
import { renderImage } from '../../../../engine/importers/images/render-image.ts'
import { createContext, makeFolder, png, writeFiles } from '../helpers.ts'
import { imageElements, toBytes, writeDicom, type Elements } from './make-dicom.ts'

const shape = { rows: 16, columns: 16, bits: 12 }
/** 0, 16, 32, ... 4080. */
const values = Uint16Array.from({ length: 256 }, (_, i) => i * 16)
const write = (extra: Elements): Buffer => writeDicom({ ...imageElements(shape), ...extra }, toBytes(values, 2))

async function greyOf(file: string, window?: { center: number; width: number }): Promise<number[]> {
  const outFile = `${file}-${window?.center ?? 'own'}.png`
  await renderImage({ path: file, maxEdgePx: 64, outFile, ...(window === undefined ? {} : { window }) }, createContext())
  return [...await sharp(outFile).extractChannel(0).raw().toBuffer()]
}

describe('what the viewer is told of an image', () => {
  it('names window, presets, directions and side of a DICOM file, and nothing that identifies', async () => {
    const folder = await makeFolder()
    await writeFiles(folder, {
      'a.dcm': write({ '0008,0060': ['CS', 'CT'], '0010,0010': ['PN', 'Family^Given'], '0018,5101': ['CS', 'AP'], '0020,0020': ['CS', 'L\\F'], '0020,0062': ['CS', 'R'], '0028,1050': ['DS', '40\\500'], '0028,1051': ['DS', '400\\2000'], '0028,1055': ['LO', 'SOFT\\BONES'] }),
      'b.dcm': write({}), 'c.png': await png(1),
    })
    const [a, b, c] = await Promise.all(['a.dcm', 'b.dcm', 'c.png'].map(async (name) => imageFactsSchema.parse(await describeImage({ path: join(folder, name) }, createContext()))))
    expect(a).toMatchObject({ isDicom: true, hasWindow: true, center: 40, width: 400, directions: ['L', 'F'], laterality: 'R', view: 'AP' })
    expect(a!.presets.slice(0, 3)).toEqual([{ name: 'BONES', center: 500, width: 2000 }, { name: 'Full range', center: 2040, width: 4080 }, { name: 'Lung', center: -600, width: 1500 }])
    expect(JSON.stringify(a)).not.toMatch(/Family|Given/)
    expect(b).toMatchObject({ hasWindow: true, center: 2040, width: 4080, directions: null })
    expect(c).toMatchObject({ isDicom: false, hasWindow: false, center: 127.5, width: 255, presets: [] })
    await expect(describeImage({ path: join(folder, 'gone.dcm') }, createContext())).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' })
  })

  it('draws a chosen window from the stored values, not from what the file\'s own window left', async () => {
    const folder = await makeFolder()
    await writeFiles(folder, { 'a.dcm': write({ '0028,1050': ['DS', '128'], '0028,1051': ['DS', '256'] }), 'c.png': await png(1, 16, 16) })
    const own = await greyOf(join(folder, 'a.dcm'))
    expect(own.filter((grey) => grey === 255).length).toBeGreaterThan(200)
    const chosen = await greyOf(join(folder, 'a.dcm'), { center: 2048, width: 4096 })
    expect(chosen).toEqual([...values].map((value) => Math.min(255, Math.floor((value / 4096) * 255 + 0.5))))
    // Any other picture is drawn as it is.
    expect(await greyOf(join(folder, 'c.png'), { center: 10, width: 20 })).toEqual(await greyOf(join(folder, 'c.png')))
  })
})
