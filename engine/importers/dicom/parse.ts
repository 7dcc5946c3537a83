/**
 * Bytes of a DICOM file -> data set and place of its pixels. Element by element with dicom-parser, so that a file that is cut
 * short or wrong somewhere still gives what comes before; whether that is enough is decided by whoever needs a value.
 * Taken as they come: no preamble, no or partial meta header, a transfer syntax that does not say how the data set is written.
 */
import { constants, inflateRawSync, inflateSync } from 'node:zlib'
import dicomParser, { type ByteStream, type DataSet, type Element } from 'dicom-parser'
import { AppError } from '../../domain/errors.ts'
import { createDataSet, type DicomDataSet } from './data-set.ts'
import { findTransferSyntax, type TransferSyntax } from './transfer-syntax.ts'

/** Where the pixels lie in `content`; `length` is null when they are in fragments of their own lengths. */
export interface PixelElement {
  content: Uint8Array
  offset: number
  length: number | null
  /** `OW` means that 8-bit samples of a big-endian file are swapped in pairs. */
  isWords: boolean
}

export interface DicomFile {
  dataSet: DicomDataSet
  /** Null when the file does not name one. */
  transferSyntax: TransferSyntax | null
  isBigEndian: boolean
  pixels: PixelElement | null
  /** Pixels are there as floating-point numbers (PS3.5 section 8). */
  isFloat: boolean
  /** The file ends, or stops making sense, before its elements do. */
  isCutShort: boolean
}

const maxInflatedBytes = 512 * 1024 * 1024
const groupLength = 2
const longLengthVrs = new Set(['OV', 'SV', 'UV'])
const knownVrs = new Set('AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN UR US UT UV'.split(' '))
const pixelTags = new Set(['x7fe00010', 'x7fe00008', 'x7fe00009'])

/** Do the bytes start like a DICOM file, with or without the preamble? Judged by content, since hospital exports often have no extension. */
export function isDicom(bytes: Uint8Array): boolean {
  if (hasText(bytes, 'DICM', 128) || hasText(bytes, 'DICM', 0)) return true
  if (bytes.length < 16) return false
  const group = bytes[0]! | (bytes[1]! << 8)
  const element = bytes[2]! | (bytes[3]! << 8)
  // Without a preamble: the first element is the meta header's or one of the identifying group, as it is in every such file.
  if (group !== 2 && group !== 8) return false
  if (knownVrs.has(readVr(bytes, 0))) return true
  if (element > 0x20) return false
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true)
  const next = 8 + length
  if (length > 128 || next + 4 > bytes.length) return false
  const nextGroup = bytes[next]! | (bytes[next + 1]! << 8)
  return nextGroup === group || nextGroup === 8
}

/**
 * Reads all elements up to the pixels.
 * @throws AppError DICOM_UNREADABLE when nothing in the file is a data set
 */
export function parseDicom(bytes: Uint8Array): DicomFile {
  let start = 0
  if (hasText(bytes, 'DICM', 128)) start = 132
  else if (hasText(bytes, 'DICM', 0)) start = 4
  const meta = readMeta(bytes, start)
  const uid = createDataSet(meta.dataSet).text('0002,0010')
  const transferSyntax = uid === null ? null : findTransferSyntax(uid)
  const content = transferSyntax?.isDeflated === true ? inflate(bytes.subarray(meta.end)) : bytes
  const from = content === bytes ? meta.end : 0
  const layout = sniffLayout(content, from, transferSyntax)
  const dataSet = emptyDataSet(content, layout.isBigEndian)
  const outcome = readElements(dataSet, from, layout.isExplicit)
  const elementCount = Object.keys(dataSet.elements).length
  if (elementCount === 0 && outcome.pixels === null && uid === null) throw new AppError('DICOM_UNREADABLE', 'The file is not a DICOM file: it holds no readable element.')
  return { dataSet: createDataSet(dataSet), transferSyntax, isBigEndian: layout.isBigEndian, ...outcome }
}

function hasText(bytes: Uint8Array, text: string, offset: number): boolean {
  return bytes.length >= offset + text.length && [...text].every((character, i) => bytes[offset + i] === character.charCodeAt(0))
}

function readVr(bytes: Uint8Array, offset: number): string {
  return String.fromCharCode(bytes[offset + 4] ?? 0, bytes[offset + 5] ?? 0)
}

function emptyDataSet(byteArray: Uint8Array, isBigEndian: boolean): DataSet {
  const parser = isBigEndian ? dicomParser.bigEndianByteArrayParser : dicomParser.littleEndianByteArrayParser
  // The class is not in the package's types, and a bare parse needs its elements filled by us.
  const { DataSet: Constructor } = dicomParser as unknown as { DataSet: new (...parts: unknown[]) => DataSet }
  return new Constructor(parser, byteArray, {})
}

/** Group 2, always little endian; its stated length is not believed, it ends where another group begins. */
function readMeta(bytes: Uint8Array, start: number): { dataSet: DataSet; end: number } {
  const dataSet = emptyDataSet(bytes, false)
  let end = start
  try {
    const stream = new dicomParser.ByteStream(dicomParser.littleEndianByteArrayParser, bytes, start)
    while (stream.position + 8 <= bytes.length && bytes[stream.position] === groupLength && bytes[stream.position + 1] === 0) {
      const isExplicit = knownVrs.has(readVr(bytes, stream.position))
      const element = isExplicit ? dicomParser.readDicomElementExplicit(stream, []) : dicomParser.readDicomElementImplicit(stream)
      dataSet.elements[element.tag] = element
      end = stream.position
    }
  } catch {
    // dicom-parser throws texts for what does not add up; the data set itself may still follow.
  }
  return { dataSet, end }
}

function inflate(bytes: Uint8Array): Uint8Array {
  const options = { maxOutputLength: maxInflatedBytes, finishFlush: constants.Z_SYNC_FLUSH }
  try {
    return inflateRawSync(bytes, options)
  } catch (cause) {
    try {
      // Against the standard some writers keep the zlib header.
      return inflateSync(bytes, options)
    } catch {
      throw new AppError('DICOM_UNREADABLE', 'The file is compressed as a whole and cannot be unpacked; it is damaged.', { cause })
    }
  }
}

/** How the elements are written. What stands there counts for more than what the transfer syntax promises. */
function sniffLayout(bytes: Uint8Array, from: number, syntax: TransferSyntax | null): { isExplicit: boolean; isBigEndian: boolean } {
  const little = (bytes[from] ?? 0) | ((bytes[from + 1] ?? 0) << 8)
  const big = ((bytes[from] ?? 0) << 8) | (bytes[from + 1] ?? 0)
  const isExplicit = knownVrs.has(readVr(bytes, from))
  const isBigEndian = syntax?.isBigEndian === true ? big < little || little === 0 : isExplicit && big < little && big <= 0x7fe0 && little > 0x00ff
  return { isExplicit, isBigEndian }
}

function readElements(dataSet: DataSet, from: number, isExplicit: boolean): Pick<DicomFile, 'pixels' | 'isFloat' | 'isCutShort'> {
  const bytes = dataSet.byteArray
  try {
    const stream = new dicomParser.ByteStream(dataSet.byteArrayParser, bytes, from)
    while (stream.position + 8 <= bytes.length) {
      const at = stream.position
      const tag = dicomParser.readTag(stream)
      stream.seek(-4)
      // Zeros after the last element are padding of the medium.
      if (tag === 'x00000000') return { pixels: null, isFloat: false, isCutShort: false }
      if (pixelTags.has(tag)) return { pixels: readPixelElement(stream, tag, isExplicit), isFloat: tag !== 'x7fe00010', isCutShort: false }
      const element = isExplicit && longLengthVrs.has(readVr(bytes, at)) ? readLongElement(stream, tag) : readElement(stream, isExplicit)
      if (stream.position <= at) return { pixels: null, isFloat: false, isCutShort: true }
      dataSet.elements[element.tag] = element
    }
    return { pixels: null, isFloat: false, isCutShort: stream.position !== bytes.length }
  } catch {
    return { pixels: null, isFloat: false, isCutShort: true }
  }
}

function readElement(stream: ByteStream, isExplicit: boolean): Element {
  return isExplicit ? dicomParser.readDicomElementExplicit(stream, []) : dicomParser.readDicomElementImplicit(stream)
}

/** 64-bit value representations, which dicom-parser 1.8 takes for ones with a short length. */
function readLongElement(stream: ByteStream, tag: string): Element {
  stream.seek(8)
  const length = stream.readUint32()
  const dataOffset = stream.position
  stream.seek(length)
  return { tag, length, dataOffset }
}

function readPixelElement(stream: ByteStream, tag: string, isExplicit: boolean): PixelElement | null {
  const content = stream.byteArray
  const vr = isExplicit ? readVr(content, stream.position) : 'OW'
  const hasVr = knownVrs.has(vr)
  stream.seek(isExplicit && hasVr ? 8 : 4)
  const length = stream.readUint32()
  if (tag !== 'x7fe00010') return null
  return { content, offset: stream.position, length: length === 0xffffffff ? null : length, isWords: vr === 'OW' }
}
