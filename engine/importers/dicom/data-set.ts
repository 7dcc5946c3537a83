/** Typed, tolerant access to the elements of a data set: a missing, empty or malformed value reads as null or nothing. */
import type { DataSet, Element } from 'dicom-parser'

/** Elements by tag, written `gggg,eeee` in lower-case hex. */
export interface DicomDataSet {
  has: (tag: string) => boolean
  /** The tags of all elements, private ones too, in the order of the file. */
  tags: () => string[]
  /** Two letters of an element's value representation; null where the file does not say (implicit) or lacks the element. */
  vr: (tag: string) => string | null
  /** First value of a text element, trimmed; null when absent or empty. Latin-1 unless the file names another character set. */
  text: (tag: string) => string | null
  /** All values of a text element. */
  texts: (tag: string) => string[]
  /** All numbers of a decimal or integer string (DS, IS); cells that are no numbers are left out. */
  decimals: (tag: string) => number[]
  /** All numbers of a binary 16-bit element (US, SS). */
  words: (tag: string, isSigned?: boolean) => number[]
  /** The items of a sequence. */
  items: (tag: string) => DicomDataSet[]
  /** The bytes of an element as they lie in the file; null when absent. */
  bytes: (tag: string) => Uint8Array | null
}

/** Character sets that TextDecoder knows by another name. PS3.3 C.12.1.1.2; code extensions as far as their main set goes. */
const characterSets: Record<string, string> = {
  'ISO_IR 101': 'iso-8859-2', 'ISO_IR 109': 'iso-8859-3', 'ISO_IR 110': 'iso-8859-4', 'ISO_IR 144': 'iso-8859-5', 'ISO_IR 127': 'iso-8859-6',
  'ISO_IR 126': 'iso-8859-7', 'ISO_IR 138': 'iso-8859-8', 'ISO_IR 148': 'windows-1254', 'ISO_IR 203': 'iso-8859-15', 'ISO_IR 13': 'shift_jis',
  'ISO_IR 166': 'windows-874', 'ISO_IR 192': 'utf-8', GB18030: 'gb18030', GBK: 'gbk',
  'ISO 2022 IR 13': 'iso-2022-jp', 'ISO 2022 IR 87': 'iso-2022-jp', 'ISO 2022 IR 159': 'iso-2022-jp', 'ISO 2022 IR 149': 'euc-kr', 'ISO 2022 IR 58': 'gbk',
}

/** The view of one data set. `inherited` is the character set of the data set around it. */
export function createDataSet(source: DataSet, inherited = 'latin1'): DicomDataSet {
  const find = (tag: string): Element | undefined => source.elements[`x${tag.replace(',', '')}`]
  const bytes = (tag: string): Uint8Array | null => {
    const element = find(tag)
    if (!element || element.items || element.length === 0xffffffff) return null
    // A length that points beyond the end is cut: what is there is used, and the reader of the value checks it.
    return source.byteArray.subarray(element.dataOffset, element.dataOffset + element.length)
  }
  const decode = (tag: string, label: string): string => {
    const content = bytes(tag)
    return content === null ? '' : new TextDecoder(label).decode(content)
  }
  const names = decode('0008,0005', 'latin1').split('\\').map((name) => name.trim())
  const characterSet = find('0008,0005') === undefined ? inherited : (names.map((name) => characterSets[name]).find((label) => label !== undefined) ?? 'latin1')
  const texts = (tag: string): string[] => {
    const content = decode(tag, characterSet)
    return content === '' ? [] : content.split('\\').map((value) => value.replace(/^[\s\0]+|[\s\0]+$/g, ''))
  }
  return {
    has: (tag) => find(tag) !== undefined,
    tags: () => Object.keys(source.elements).map((name) => `${name.slice(1, 5)},${name.slice(5)}`),
    vr: (tag) => find(tag)?.vr ?? null,
    texts,
    text: (tag) => texts(tag)[0] || null,
    decimals: (tag) => texts(tag).filter((value) => value !== '').map(Number).filter(Number.isFinite),
    words(tag, isSigned = false) {
      const content = bytes(tag)
      if (content === null) return []
      const read = isSigned ? source.byteArrayParser.readInt16 : source.byteArrayParser.readUint16
      return Array.from({ length: content.length >> 1 }, (_, i) => read(content, 2 * i))
    },
    items: (tag) => (find(tag)?.items ?? []).flatMap((item) => (item.dataSet ? [createDataSet(item.dataSet, characterSet)] : [])),
    bytes,
  }
}
