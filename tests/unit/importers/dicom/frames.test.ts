import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { frameIndex, type FrameChoice } from '../../../../engine/domain/frames.ts'
import type { ImportedItem } from '../../../../engine/domain/import.ts'
import type { Mapping } from '../../../../engine/domain/mapping.ts'
import { checkImport } from '../../../../engine/importers/check.ts'
import { readDicom } from '../../../../engine/importers/dicom/read-dicom.ts'
import { measureImages } from '../../../../engine/importers/images/measure-images.ts'
import { renderImage } from '../../../../engine/importers/images/render-image.ts'
import { checkOriginals } from '../../../../engine/importers/originals/check-originals.ts'
import { previewImport } from '../../../../engine/importers/preview.ts'
import { runImport } from '../../../../engine/importers/run-import.ts'
import { decodeImage } from '../../../../engine/modalities/image-decode.ts'
import { imageContentHash } from '../../../../engine/modalities/image-content.ts'
import { readImported } from '../../../../engine/training/inputs/grid-cache.ts'
import { createContext, makeFolder, plainMapping, png, writeFiles } from '../helpers.ts'
import { imageElements, makeValues, toBytes, writeDicom } from './make-dicom.ts'

const shape = { rows: 20, columns: 24, bits: 12 }
const pseudonymKey = 'test key'

/** Frames that look different from each other, shown from 0 to 4095. */
function clip(frames: number, seed = 1): Buffer {
  const values = Array.from({ length: frames }, (_, frame) => [...makeValues(shape, seed * 100 + frame)].map((value) => Math.floor((value * (frame + 1)) / frames)))
  return writeDicom({ ...imageElements({ ...shape, frames }), '0028,1050': ['DS', '2048'], '0028,1051': ['DS', '4096'] }, toBytes(values.flat(), 2))
}

const withFrame = (frame: FrameChoice): Mapping => ({ ...plainMapping, slots: [{ ...plainMapping.slots[0]!, source: { kind: 'column', column: 'image', view: null, frame } }, plainMapping.slots[1]!] as Mapping['slots'] })

/** A folder of one file each with five frames, two frames, and a plain picture. */
async function deliver() {
  const folder = await makeFolder()
  await writeFiles(folder, { 'a.dcm': clip(5, 1), 'b.dcm': clip(2, 2), 'c.png': await png(1), 'table.csv': 'id,image,note,A,B\n1,a.dcm,n,1,0\n2,b.dcm,n,0,1\n3,c.png,n,1,1\n' })
  return { folder, source: { sourceDir: folder, tableFile: join(folder, 'table.csv'), sheet: null } }
}

async function importItems(source: Awaited<ReturnType<typeof deliver>>['source'], mapping: Mapping): Promise<ImportedItem[]> {
  const context = createContext()
  await runImport({ source, mapping, pseudonymKey, fromOrdinal: 0, tableSha256: null }, context)
  return context.data.flatMap((entry) => (entry.kind === 'import-batch' ? entry.studies.map(({ items }) => items[0]!) : []))
}

describe('a file with several frames', () => {
  it.each([['first', 5, 0], ['middle', 5, 2], ['middle', 4, 2], ['middle', 2, 1], ['middle', 1, 0], ['last', 5, 4], [3, 5, 2], [6, 5, null]] as const)('%s of %i is frame %s, counted from 0', (choice, count, frame) => {
    expect(frameIndex(choice, count)).toBe(frame)
  })

  it('gives the model the chosen frame, and the screen the same pixels', async () => {
    const { folder, source } = await deliver()
    for (const [choice, frames] of [['first', [0, 0]], ['middle', [2, 1]], ['last', [4, 1]], [2, [1, 1]]] as const) {
      const items = await importItems(source, withFrame(choice))
      expect(items.slice(0, 2).map(({ frame, frameCount }) => [frame, frameCount])).toEqual([[frames[0], 5], [frames[1], 2]])
      for (const item of items.slice(0, 2)) {
        const path = join(folder, item.sourcePath!)
        const drawn = readDicom(await readFile(path)).renderFrame(item.frame!).pixels
        // As training reads it, by the content hash that was stored.
        const { frame = 0, sha256 } = item
        const model = await decodeImage(await readImported({ path, sha256: sha256!, frame, where: 'it' }), { name: 'it', frame })
        expect([...model.pixels].filter((_, i) => i % 3 === 0)).toEqual([...drawn])
        const outFile = join(folder, `${choice}-${item.sourcePath}.png`)
        await renderImage({ path, maxEdgePx: 100, outFile, frame }, createContext())
        expect([...await sharp(outFile).removeAlpha().raw().toBuffer()]).toEqual([...model.pixels])
        expect(item.measures!.meanLuminance).toBeCloseTo(model.pixels.reduce((sum, value) => sum + value, 0) / model.pixels.length, 0)
      }
    }
  })

  it('has a content of its own for each frame, so that caches and measures never mix them up', async () => {
    const { folder, source } = await deliver()
    const hashes = await Promise.all((['first', 2, 'last'] as const).map(async (choice) => (await importItems(source, withFrame(choice)))[0]!.sha256!))
    expect(new Set(hashes).size).toBe(3)
    // What earlier versions stored: the file's own hash.
    expect(hashes[0]).toBe((await importItems(source, plainMapping))[0]!.sha256)
    expect(imageContentHash(hashes[0]!, 0)).toBe(hashes[0])
    // The frame beside it is not taken for the one that was imported.
    await expect(readImported({ path: join(folder, 'a.dcm'), sha256: hashes[1]!, frame: 2, where: 'it' })).rejects.toMatchObject({ code: 'RUN_FILE_CHANGED' })
    const context = createContext()
    expect(await measureImages({ images: [{ sha256: hashes[1]!, sourceDir: folder, path: join(folder, 'a.dcm'), frame: 1 }] }, context)).toEqual({ measured: 1, changed: 0, unusable: 0 })
    const file = { studyId: 1, patientKey: 'P', slotId: 'photo', path: 'a.dcm', sha256: hashes[1]!, byteSize: (await readFile(join(folder, 'a.dcm'))).length, frame: 1 }
    const asked = { depth: 'content' as const, folders: [{ deliveryId: null, number: 1, sourceDir: folder, files: [file] }] }
    expect((await checkOriginals(asked, createContext())).folders[0]).toMatchObject({ there: 1, changed: 0 })
  })

  it('without the chosen frame is a fault of its row, never the nearest frame', async () => {
    const { source } = await deliver()
    const mapping = withFrame(3)
    const check = await checkImport({ source, mapping, pseudonymKey }, createContext())
    const issues = new Map(check.issues.map((issue) => [issue.code, issue]))
    expect(issues.get('DICOM_FRAME_MISSING')).toMatchObject({ severity: 'marks-missing', count: 2, examples: [{ row: 3, detail: expect.stringContaining('holds 2 frames; frame 3 was asked for') }, { row: 4, detail: expect.stringContaining('holds one frame; frame 3') }] })
    expect(issues.get('DICOM_MULTI_FRAME')).toMatchObject({ count: 1, examples: [{ row: 2, detail: expect.stringContaining('5 frames; frame 3 is used') }] })
    expect(check.absences).toEqual([{ slotId: 'photo', reason: 'unreadable', count: 2 }])
    expect((await importItems(source, mapping)).map(({ isPresent }) => isPresent)).toEqual([true, false, false])
  })

  it('can fill several items with a frame each, which are no duplicates', async () => {
    const { source } = await deliver()
    const [photo, note] = plainMapping.slots
    const slots = (['first', 'last'] as const).map((frame) => ({ slot: { ...photo!.slot, slotId: frame, title: frame, letter: frame[0]!.toUpperCase() }, source: { kind: 'column', column: 'image', view: null, frame } }))
    const mapping = { ...plainMapping, slots: [...slots, note] } as Mapping
    const check = await checkImport({ source, mapping, pseudonymKey }, createContext())
    // Only the plain picture is the same in both.
    expect(check.duplicateImages).toEqual([{ count: 2, acrossPatients: false, rows: [4] }])
    const { rows } = await previewImport({ source, mapping, pseudonymKey, limit: 10 }, createContext())
    expect(rows[0]!.images.map(({ slotId, frame, frameCount }) => [slotId, frame, frameCount])).toEqual([['first', 0, 5], ['last', 4, 5]])
  })
})
