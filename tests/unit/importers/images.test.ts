import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { createFileIndex, indexFiles } from '../../../engine/importers/images/file-index.ts'
import { inspectImage } from '../../../engine/importers/images/inspect-image.ts'
import { createPatternFinder } from '../../../engine/importers/images/match-pattern.ts'
import { renderImage } from '../../../engine/importers/images/render-image.ts'
import { createIssueCollector } from '../../../engine/importers/issues.ts'
import { createContext, jpeg, makeFolder, picture, png, writeFiles } from './helpers.ts'

describe('file index', () => {
  const index = createFileIndex(['7_left.JPG', 'images/7_right.jpg', 'images/8.png', 'old/8.png', 'a/x.png', 'b/x.png', 'caf\u0065\u0301.png'])
  it.each([
    ['7_left.jpg', '7_left.JPG'], ['7_LEFT', '7_left.JPG'], ['..\\dead\\Training Images\\7_right.jpg', 'images/7_right.jpg'], ['8.png', 'images/8.png'], ['old/8.png', 'old/8.png'],
    ['./B/X.PNG', 'b/x.png'], ['caf\u00e9.png', 'caf\u0065\u0301.png'],
  ])('%j leads to %j', (cell, path) => expect(index.find(cell)).toEqual({ kind: 'found', path }))
  it('says when nothing or several files fit', () => {
    expect(index.find('9.png')).toEqual({ kind: 'none' })
    expect(index.find('x.png')).toEqual({ kind: 'ambiguous', count: 2 })
    expect(index.find('../../etc/passwd')).toEqual({ kind: 'none' })
  })

  it('lists subfolders in a fixed order, without hidden files and links that run in circles', async () => {
    const folder = await makeFolder()
    await writeFiles(folder, { 'b/2.png': 'x', 'a.JPEG': 'x', 'notes.txt': 'x', '.hidden/3.png': 'x', '._1.png': 'x', 'b/c/4.tif': 'x' })
    const { symlink } = await import('node:fs/promises')
    await symlink(folder, join(folder, 'b', 'loop'))
    await symlink(join(folder, 'a.JPEG'), join(folder, 'link.jpg'))
    expect((await indexFiles(folder, createIssueCollector(), new AbortController().signal)).paths).toEqual(['a.JPEG', 'b/2.png', 'b/c/4.tif', 'link.jpg'])
  })
})

describe('file-name patterns', () => {
  const index = createFileIndex(['12_left.jpg', '12_right.jpg', '1_left.jpg', 'p12/scan_007.png', 'p1/scan_001.png', 'p1/scan_002.png'])
  it.each([
    ['{id}_left.jpg', '12', '12_left.jpg'], ['{id}_left', '1', '1_left.jpg'], ['{id}_r*.jpg', '12', '12_right.jpg'], ['*_left*', '12', null], ['p{id}/scan_*', '12', 'p12/scan_007.png'],
    ['*{id}_left.jpg', '2', '12_left.jpg'], ['{id}_*t', '1', '1_left.jpg'],
  ])('%s for %s is %s', (pattern, id, path) => {
    const found = createPatternFinder(pattern, index, [id, '99'])(id)
    expect(found).toEqual(path === null ? expect.objectContaining({ kind: expect.any(String) }) : { kind: 'found', path })
  })
  it('refuses to choose among several', () => expect(createPatternFinder('p{id}/scan_*', index, ['1'])('1')).toEqual({ kind: 'ambiguous', count: 2 }))
})

describe('inspection', () => {
  it('measures after EXIF rotation and hashes the bytes', async () => {
    const folder = await makeFolder()
    const turned = await picture(1, 40, 20).jpeg().withMetadata({ orientation: 6 }).toBuffer()
    const deep = await sharp(new Uint16Array(64).map((_, i) => i * 1000), { raw: { width: 8, height: 8, channels: 1 } }).toColourspace('grey16').png().toBuffer()
    const palette = await picture(2).png({ palette: true, colours: 8 }).toBuffer()
    await writeFiles(folder, { 'turned.jpg': turned, 'deep.png': deep, 'palette.png': palette })
    const look = (name: string) => inspectImage(join(folder, name), folder, 'full')
    expect(await look('turned.jpg')).toMatchObject({ kind: 'usable', widthPx: 20, heightPx: 40, byteSize: turned.length })
    expect(await look('deep.png')).toMatchObject({ kind: 'usable', widthPx: 8, heightPx: 8 })
    expect(await look('palette.png')).toMatchObject({ kind: 'usable', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) })
    expect(await readFile(join(folder, 'turned.jpg'))).toEqual(turned)
  })

  it('does not take even areas for damage', async () => {
    const folder = await makeFolder()
    const black = sharp({ create: { width: 1200, height: 900, channels: 3, background: 'black' } })
    const files = { 'plain.jpg': await black.clone().jpeg({ optimiseCoding: false }).toBuffer(), 'optimised.jpg': await black.clone().jpeg().toBuffer(), 'progressive.jpg': await black.clone().jpeg({ progressive: true }).toBuffer() }
    await writeFiles(folder, files)
    for (const name of Object.keys(files)) expect(await inspectImage(join(folder, name), folder, 'full'), name).toMatchObject({ kind: 'usable' })
    const appended = Buffer.concat([files['plain.jpg'], Buffer.alloc(4096)])
    await writeFiles(folder, { 'padded.jpg': appended })
    expect(await inspectImage(join(folder, 'padded.jpg'), folder, 'full')).toMatchObject({ kind: 'usable' })
  })

  it('finds every cut of a file', async () => {
    const folder = await makeFolder()
    const whole = { 'a.jpg': await jpeg(3, 64, 64), 'b.png': await png(3, 64, 64) }
    for (const [name, bytes] of Object.entries(whole)) {
      for (const share of [0.05, 0.3, 0.6, 0.9]) {
        await writeFiles(folder, { [name]: bytes.subarray(0, Math.floor(bytes.length * share)) })
        expect(await inspectImage(join(folder, name), folder, 'full'), `${name} cut at ${share}`).toMatchObject({ kind: 'unusable', code: 'IMAGE_DAMAGED' })
      }
    }
  })

  it('throws when the folder goes away and shrugs at a single lost file', async () => {
    const folder = await makeFolder()
    await writeFiles(folder, { 'a/1.jpg': await jpeg(1) })
    expect(await inspectImage(join(folder, 'a', '2.jpg'), folder, 'full')).toMatchObject({ kind: 'missing' })
    await expect(inspectImage(join(folder, 'gone', '2.jpg'), join(folder, 'gone'), 'full')).rejects.toMatchObject({ code: 'IMPORT_FOLDER_MISSING' })
    await expect(inspectImage(join(folder, 'b', '2.jpg'), folder, 'full')).rejects.toMatchObject({ code: 'IMPORT_FOLDER_MISSING' })
  })
})

describe('rendering', () => {
  it('draws upright, small, without metadata, 16 bit scaled', async () => {
    const folder = await makeFolder()
    const deep = new Uint16Array(32 * 16).fill(0x8000)
    await writeFiles(folder, {
      'turned.jpg': await picture(1, 400, 200).withMetadata({ orientation: 6 }).withExif({ IFD0: { Artist: 'Somebody Secret' } }).jpeg().toBuffer(),
      'deep.png': await sharp(deep, { raw: { width: 32, height: 16, channels: 1 } }).toColourspace('grey16').png().toBuffer(),
    })
    const outFile = join(folder, 'cache', 'thumb.jpg')
    expect(await renderImage({ path: join(folder, 'turned.jpg'), maxEdgePx: 100, outFile }, createContext())).toEqual({ widthPx: 50, heightPx: 100 })
    const drawn = await readFile(outFile)
    expect(drawn.includes('Somebody Secret')).toBe(false)
    expect((await sharp(drawn).metadata()).exif).toBeUndefined()
    const deepOut = join(folder, 'cache', 'deep.png')
    expect(await renderImage({ path: join(folder, 'deep.png'), maxEdgePx: 100, outFile: deepOut }, createContext())).toEqual({ widthPx: 32, heightPx: 16 })
    expect((await sharp(deepOut).raw().toBuffer())[0]).toBe(128)
  })

  it('draws no file that is not the one of the import, and keeps no picture of it', async () => {
    const folder = await makeFolder()
    await writeFiles(folder, { 'p1.jpg': await jpeg(1), 'p2.jpg': await jpeg(2) })
    const sha256 = createHash('sha256').update(await readFile(join(folder, 'p1.jpg'))).digest('hex')
    const outFile = join(folder, 'cache', 'page.jpg')
    await expect(renderImage({ path: join(folder, 'p2.jpg'), original: { sha256, frame: 0 }, maxEdgePx: 100, outFile }, createContext())).rejects.toMatchObject({ code: 'RUN_FILE_CHANGED' })
    await expect(renderImage({ path: join(folder, 'p2.jpg'), original: { sha256, frame: 0 }, maxEdgePx: 100, outFile, window: { center: 1, width: 2 } }, createContext())).rejects.toMatchObject({ code: 'RUN_FILE_CHANGED' })
    await expect(readFile(outFile)).rejects.toMatchObject({ code: 'ENOENT' })
    await renderImage({ path: join(folder, 'p1.jpg'), original: { sha256, frame: 0 }, maxEdgePx: 100, outFile }, createContext())
    expect((await readFile(outFile)).length).toBeGreaterThan(100)
  })

  it('refuses damaged originals and unwritable places without leaving pieces', async () => {
    const folder = await makeFolder()
    await writeFiles(folder, { 'bad.jpg': (await jpeg(1)).subarray(0, 300), 'good.jpg': await jpeg(1), 'file': 'x' })
    await expect(renderImage({ path: join(folder, 'bad.jpg'), maxEdgePx: 100, outFile: join(folder, 'o.jpg') }, createContext())).rejects.toMatchObject({ code: 'IMAGE_DAMAGED' })
    await expect(renderImage({ path: join(folder, 'good.jpg'), maxEdgePx: 100, outFile: join(folder, 'file', 'o.jpg') }, createContext())).rejects.toMatchObject({ code: 'EXPORT_FAILED' })
  })
})
