import { describe, expect, it } from 'vitest'
import { isDicom } from '../../../../engine/importers/dicom/parse.ts'
import { readDicom } from '../../../../engine/importers/dicom/read-dicom.ts'
import { encode, imageElements, makeValues, syntaxes, toBytes, writeDicom, writeElements, type Elements, type FileOptions } from './make-dicom.ts'

const shape = { rows: 3, columns: 4, bits: 12 }
const values = makeValues(shape)
const pixels = toBytes(values, 2)
const file = (options: FileOptions = {}, extra: Elements = {}): Buffer => writeDicom({ ...imageElements(shape), ...extra }, pixels, options)

describe('files as they come', () => {
  it.each<[string, Buffer]>([
    ['complete', file()],
    ['no preamble', file({ hasPreamble: false })],
    ['no meta header', file({ hasMeta: false })],
    ['nothing before the data set, explicit', file({ hasPreamble: false, hasMeta: false })],
    ['nothing before the data set, implicit', file({ hasPreamble: false, hasMeta: false, isImplicit: true })],
    ['nothing before the data set, big endian', writeDicom(imageElements(shape), Buffer.from(pixels).swap16(), { hasMeta: false, isBigEndian: true })],
    ['no transfer syntax', file({ syntax: null })],
    ['says explicit, is implicit', file({ syntax: syntaxes.explicit, isImplicit: true })],
    ['says implicit, is explicit', file({ syntax: syntaxes.implicit, isImplicit: false })],
    ['64-bit element before the pixels', file({}, { '7fe0,0001': ['OV', Buffer.alloc(8)] })],
    ['private sequence', file({}, { '0009,0010': ['LO', 'MAKER'], '0009,1001': ['SQ', [{ '0009,1002': ['LO', 'x'] }]] })],
    ['bytes after the pixels', Buffer.concat([file(), Buffer.from([0xfc, 0xff, 0xfc, 0xff, 0x4f, 0x42, 0, 0, 2, 0, 0, 0, 0, 0])])],
    ['zeros after the pixels', Buffer.concat([file(), Buffer.alloc(500)])],
  ])('%s', (_, bytes) => {
    expect(isDicom(bytes)).toBe(true)
    expect([...readDicom(bytes).readFrame(0).data]).toEqual([...values])
  })

  it('is not taken in by other files', () => {
    for (const text of ['patient_id,age\n1,2\n', '<html></html>', '%PDF-1.7', '\x89PNG\r\n\x1a\n', '\x08\x00', '']) expect(isDicom(Buffer.from(text, 'latin1'))).toBe(false)
    expect(isDicom(Buffer.alloc(1000))).toBe(false)
  })

  it('reads facts without identity', () => {
    const image = readDicom(file({}, {
      '0010,0010': ['PN', 'Doe^Jane'], '0008,0060': ['CS', 'DX'], '0020,0062': ['CS', 'L'], '0018,5101': ['CS', 'PA'], '0018,0015': ['CS', 'CHEST'],
      '0020,0020': ['CS', 'L\\F'], '0028,0034': ['IS', '2\\1'], '0028,0301': ['CS', 'YES'], '0028,2110': ['CS', '01'],
    }))
    expect(image.facts).toMatchObject({ dicomModality: 'DX', laterality: 'L', viewPosition: 'PA', bodyPart: 'CHEST', patientOrientation: ['L', 'F'], pixelAspect: 2, hasBurnedInText: true, isLossy: true, frameCount: 1 })
    expect(JSON.stringify(image.facts)).not.toContain('Doe')
  })

  it('finds laterality in the anatomy of a frame', () => {
    const anatomy: Elements = { '0020,9071': ['SQ', [{ '0020,9072': ['CS', 'R'] }]] }
    expect(readDicom(file({}, { '5200,9229': ['SQ', [anatomy]] })).facts.laterality).toBe('R')
  })
})

describe('refusals', () => {
  const without = (tag: string): Elements => Object.fromEntries(Object.entries(imageElements(shape)).filter(([one]) => one !== tag))
  const bomb = { ...imageElements(shape), '0028,0010': ['US', [65535]], '0028,0011': ['US', [65535]] } as Elements
  it.each<[string, string, Buffer]>([
    ['a size of 65535 x 65535 in some bytes', 'DICOM_PIXELS_SHORT', writeDicom(bomb, Buffer.alloc(100))],
    ['the same, compressed', 'IMAGE_TOO_LARGE', writeDicom(bomb, { table: [], fragments: [Buffer.alloc(100)] }, { syntax: syntaxes.jpegLs })],
    ['pixels cut short', 'DICOM_PIXELS_SHORT', file().subarray(0, file().length - 4)],
    ['more frames than pixels', 'DICOM_PIXELS_SHORT', file({}, { '0028,0008': ['IS', '2'] })],
    ['a frame count that is none', 'DICOM_HEADER_INCOMPLETE', file({}, { '0028,0008': ['IS', '-3'] })],
    ['a header cut short', 'DICOM_PIXELS_SHORT', file().subarray(0, 250)],
    ['no rows', 'DICOM_HEADER_INCOMPLETE', writeDicom(without('0028,0010'), pixels)],
    ['no photometric interpretation', 'DICOM_HEADER_INCOMPLETE', writeDicom(without('0028,0004'), pixels)],
    ['no word on the sign of 12 bits', 'DICOM_HEADER_INCOMPLETE', writeDicom(without('0028,0103'), pixels)],
    ['rows of zero', 'DICOM_HEADER_INCOMPLETE', file({}, { '0028,0010': ['US', [0]] })],
    ['more stored bits than allocated', 'DICOM_HEADER_INCOMPLETE', file({}, { '0028,0101': ['US', [17]] })],
    ['colour with one sample', 'DICOM_HEADER_INCOMPLETE', file({}, { '0028,0004': ['CS', 'RGB'] })],
    ['a colour space of print shops', 'DICOM_PHOTOMETRIC_UNSUPPORTED', file({}, { '0028,0004': ['CS', 'CMYK'] })],
    ['no pixels', 'DICOM_NO_IMAGE', writeDicom({ '0008,0060': ['CS', 'SR'] }, null)],
    ['floating-point pixels', 'DICOM_PHOTOMETRIC_UNSUPPORTED', writeDicom({ ...imageElements(shape), '7fe0,0008': ['OF', Buffer.alloc(64)] }, null)],
    ['a DICOMDIR', 'DICOM_NO_IMAGE', writeDicom({ '0004,1220': ['SQ', [{ '0004,1430': ['CS', 'PATIENT'] }]] }, null)],
    ['a video', 'DICOM_SYNTAX_UNSUPPORTED', writeDicom(imageElements(shape), { table: [], fragments: [Buffer.alloc(10)] }, { syntax: syntaxes.video })],
    ['an unknown compression', 'DICOM_SYNTAX_UNSUPPORTED', writeDicom(imageElements(shape), { table: [], fragments: [Buffer.alloc(10)] }, { syntax: '1.2.3.4' })],
    ['a deflated data set that is damaged', 'DICOM_UNREADABLE', Buffer.concat([file({ syntax: syntaxes.deflated }).subarray(0, 196), Buffer.alloc(40, 0xff)])],
    ['empty', 'DICOM_UNREADABLE', Buffer.alloc(0)],
    ['a preamble alone', 'DICOM_UNREADABLE', Buffer.concat([Buffer.alloc(128), Buffer.from('DICM')])],
  ])('%s: %s', (_, code, bytes) => {
    expect(() => readDicom(bytes).readFrame(0)).toThrow(expect.objectContaining({ code }))
  })

  it('says what is missing and where the numbers come from', () => {
    expect(() => readDicom(writeDicom(bomb, Buffer.alloc(100)))).toThrow(/promises 8589672450 bytes.*65535 x 65535.*100 are in the file/)
    expect(() => readDicom(writeDicom(without('0028,0010'), pixels))).toThrow('The header lacks Rows.')
  })

  it.each(['encodeJpeg', 'encodeJpegLs', 'encodeJpeg2000'] as const)('does not run %s data of another size or cut short', async (encoder) => {
    const large = { rows: 64, columns: 48, bits: 8 }
    const encoded = await encode(encoder, makeValues(large), large, { lossy: false })
    const syntax = { encodeJpeg: syntaxes.jpegLossless, encodeJpegLs: syntaxes.jpegLs, encodeJpeg2000: syntaxes.jpeg2000 }[encoder]
    const wrap = (bytes: Uint8Array, rows: number): Buffer => writeDicom(imageElements({ ...large, rows }), { table: [], fragments: [bytes] }, { syntax })
    expect(() => readDicom(wrap(encoded, 32)).readFrame(0)).toThrow(/48 x 64 pixels.*48 x 32/)
    expect(() => readDicom(wrap(encoded.subarray(0, encoded.length >> 1), 64)).readFrame(0)).toThrow(expect.objectContaining({ code: 'DICOM_FRAME_DAMAGED' }))
    // The codec is as good as new afterwards.
    expect([...readDicom(wrap(encoded, 64)).readFrame(0).data]).toEqual([...makeValues(large)])
  })

  it('keeps deeply nested sequences from exhausting the stack', () => {
    let nested: Elements = { '0008,0104': ['LO', 'x'] }
    for (let i = 0; i < 60; i++) nested = { '0008,1140': ['SQ', [nested]] }
    expect(() => readDicom(Buffer.concat([writeElements(nested)]))).toThrow(expect.objectContaining({ code: 'DICOM_NO_IMAGE' }))
  })
})
