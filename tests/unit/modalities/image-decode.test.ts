import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decodeImage } from '../../../engine/modalities/image-decode.ts'

const width = 64
const height = 40
const rgb = Buffer.from(Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * i + 7 * i) % 251))
const picture = () => sharp(rgb, { raw: { width, height, channels: 3 } })
const pixel = (image: { pixels: Uint8Array; width: number }, x: number, y: number) => [...image.pixels.subarray((y * image.width + x) * 3, (y * image.width + x) * 3 + 3)]

let folder = ''
beforeAll(async () => { folder = await mkdtemp(path.join(tmpdir(), 'decode-')) })
afterAll(async () => { await rm(folder, { recursive: true }) })

describe('decodeImage', () => {
  it('reads lossless formats byte for byte, from content and from a path', async () => {
    for (const format of ['png', 'tiff'] as const) {
      const content = await picture().toFormat(format, { compression: format === 'tiff' ? 'lzw' : undefined }).toBuffer()
      const image = await decodeImage(content)
      expect(image).toMatchObject({ width, height, format, bitsPerChannel: 8, orientation: 1, pageCount: 1 })
      expect(Buffer.compare(image.pixels, rgb)).toBe(0)
      const file = path.join(folder, `picture.${format}`)
      await writeFile(file, content)
      expect(Buffer.compare((await decodeImage(file)).pixels, rgb)).toBe(0)
    }
  })

  it('turns printing inks into colours as Pillow does, from TIFF and from JPEG with its inks upside down', async () => {
    // Made with Pillow 12.3.0: 3 x 2 pixels of chosen inks, and 8 x 8 pixels of the inks 40, 120, 200, 30; then its convert("RGB").
    const tiff = 'SUkqAAgAAAAKAAABBAABAAAAAwAAAAEBBAABAAAAAgAAAAIBAwAEAAAAhgAAAAMBAwABAAAAAQAAAAYBAwABAAAABQAAABEBBAABAAAAjgAAABUBAwABAAAABAAAABYBBAABAAAAAgAAABcBBAABAAAAGAAAABwBAwABAAAAAQAAAAAAAAAIAAgACAAIAAAAAAD/AAAACshaPAAAAP+58eGCAQID/g=='
    expect([...(await decodeImage(Buffer.from(tiff, 'base64'))).pixels]).toEqual([255, 255, 255, 0, 255, 255, 187, 42, 126, 0, 0, 0, 34, 7, 15, 1, 1, 1])
    const jpeg = '/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwABAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB/8AAFAgACAAIBEMRAE0RAFkRAEsRAP/EAB8AAAEFAQEBAQEBAAAAAAAAAAABAgMEBQYHCAkKC//EALUQAAIBAwMCBAMFBQQEAAABfQECAwAEEQUSITFBBhNRYQcicRQygZGhCCNCscEVUtHwJDNicoIJChYXGBkaJSYnKCkqNDU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6g4SFhoeIiYqSk5SVlpeYmZqio6Slpqeoqaqys7S1tre4ubrCw8TFxsfIycrS09TV1tfY2drh4uPk5ebn6Onq8fLz9PX29/j5+v/aAA4EQwBNAFkASwAAPwD+riu4r+bev7CK/9k='
    const image = await decodeImage(Buffer.from(jpeg, 'base64'))
    expect(pixel(image, 0, 0)).toEqual([190, 119, 49])
    expect(pixel(image, 7, 7)).toEqual([190, 119, 49])
  })

  it('repeats grey, drops alpha without compositing and looks up palettes', async () => {
    const grey = await decodeImage(await sharp(Buffer.from([0, 50, 200, 255]), { raw: { width: 2, height: 2, channels: 1 } }).png().toBuffer())
    expect([...grey.pixels]).toEqual([0, 0, 0, 50, 50, 50, 200, 200, 200, 255, 255, 255])
    const clear = Buffer.from([10, 20, 30, 0, 40, 50, 60, 128])
    const alpha = await decodeImage(await sharp(clear, { raw: { width: 2, height: 1, channels: 4 } }).png().toBuffer())
    expect([...alpha.pixels]).toEqual([10, 20, 30, 40, 50, 60])
    const flat = Buffer.from([255, 0, 0, 0, 0, 255])
    const palette = await decodeImage(await sharp(flat, { raw: { width: 2, height: 1, channels: 3 } }).png({ palette: true }).toBuffer())
    expect([...palette.pixels]).toEqual([...flat])
  })

  it('divides 16-bit values by 256 instead of clipping them', async () => {
    const values = Uint16Array.from([0, 255, 256, 0x1234, 0x80ff, 0xffff])
    const grey = await decodeImage(await sharp(values, { raw: { width: 6, height: 1, channels: 1 } }).toColourspace('grey16').png().toBuffer())
    expect(grey.bitsPerChannel).toBe(16)
    expect([0, 1, 2, 3, 4, 5].map((x) => pixel(grey, x, 0)[0])).toEqual([0, 0, 1, 0x12, 0x80, 0xff])
    const colour = await decodeImage(await sharp(values, { raw: { width: 2, height: 1, channels: 3 } }).toColourspace('rgb16').png().toBuffer())
    expect([...colour.pixels]).toEqual([0, 0, 1, 0x12, 0x80, 0xff])
  })

  it('applies every EXIF orientation', async () => {
    // Where the first pixel of the stored picture ends up.
    const corners: Record<number, [number, number]> = { 1: [0, 0], 2: [1, 0], 3: [1, 2], 4: [0, 2], 5: [0, 0], 6: [2, 0], 7: [2, 1], 8: [0, 1] }
    const stored = Buffer.alloc(2 * 3 * 3)
    stored[0] = 255
    for (const [orientation, [x, y]] of Object.entries(corners)) {
      const content = await sharp(stored, { raw: { width: 2, height: 3, channels: 3 } }).withMetadata({ orientation: Number(orientation) }).png().toBuffer()
      const image = await decodeImage(content)
      expect(image.orientation).toBe(Number(orientation))
      expect([image.width, image.height]).toEqual(Number(orientation) > 4 ? [3, 2] : [2, 3])
      expect(pixel(image, x, y)[0]).toBe(255)
    }
  })

  it('refuses every truncated file and never returns other pixels', async () => {
    const contents = [
      await picture().jpeg().toBuffer(), await picture().jpeg({ progressive: true }).toBuffer(), await picture().png().toBuffer(),
      await picture().webp().toBuffer(), await picture().gif().toBuffer(), await picture().tiff({ compression: 'lzw' }).toBuffer(),
    ]
    for (const content of contents) {
      const whole = await decodeImage(content)
      for (let part = 1; part < 24; part += 1) {
        const cut = content.subarray(0, Math.floor((content.length * part) / 24))
        const outcome = await decodeImage(cut, { name: 'eye.jpg' }).catch((error: unknown) => error)
        if (outcome instanceof Error) expect(outcome).toMatchObject({ code: 'IMAGE_DAMAGED', message: expect.stringContaining('eye.jpg') })
        else expect((outcome as typeof whole).pixels).toEqual(whole.pixels)
      }
    }
  })

  it('checks the size in the header before it allocates', async () => {
    const bomb = Buffer.from(await picture().png().toBuffer())
    bomb.writeUInt32BE(60_000, 16)
    bomb.writeUInt32BE(60_000, 20)
    await expect(decodeImage(bomb, { name: 'bomb.png' })).rejects.toMatchObject({ code: 'IMAGE_TOO_LARGE' })
    const small = await picture().png().toBuffer()
    await expect(decodeImage(small, { maxPixels: width * height - 1 })).rejects.toMatchObject({ code: 'IMAGE_TOO_LARGE' })
    await expect(decodeImage(small, { maxPixels: width * height })).resolves.toMatchObject({ width })
  })

  it.each([
    ['IMAGE_EMPTY', Buffer.alloc(0), 'a.png'],
    ['IMAGE_DAMAGED', Buffer.alloc(500), 'a.jpeg'],
    ['IMAGE_UNSUPPORTED', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'), 'a.svg'],
    ['DICOM_UNREADABLE', Buffer.concat([Buffer.alloc(128), Buffer.from('DICM')]), 'a.dcm'],
    ['IMAGE_UNSUPPORTED', Buffer.from('plain text'), 'notes.txt'],
  ])('says %s in words that name the file', async (code, content, name) => {
    await expect(decodeImage(content, { name })).rejects.toMatchObject({ code, message: expect.stringContaining(name) })
  })

  it('says which file is missing', async () => {
    await expect(decodeImage(path.join(folder, 'gone.jpg'))).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND', message: 'gone.jpg was not found.' })
    await expect(decodeImage(folder)).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' })
  })
})
