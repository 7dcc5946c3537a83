/** Transfer syntaxes: how a data set is written and how its pixels are packed. PS3.5 chapter 10 and PS3.6 table A-1. */

/** How the pixel data of a file are packed; `native` is uncompressed. */
export type PixelEncoding = 'native' | 'jpeg' | 'jpeg-ls' | 'jpeg-2000' | 'rle' | 'deflated-frame' | 'unsupported'

export interface TransferSyntax {
  uid: string
  /** Plain name for people. */
  name: string
  encoding: PixelEncoding
  isBigEndian: boolean
  /** The whole data set is one deflate stream. */
  isDeflated: boolean
  /** What compression may have changed: lossy pixels are not the ones that were measured. */
  isLossy: boolean
}

type Row = [name: string, encoding: PixelEncoding, isLossy?: 'lossy']

const table: Record<string, Row> = {
  '1.2.840.10008.1.2': ['uncompressed (implicit VR little endian)', 'native'],
  '1.2.840.10008.1.2.1': ['uncompressed (explicit VR little endian)', 'native'],
  '1.2.840.10008.1.2.1.98': ['encapsulated uncompressed', 'native'],
  '1.2.840.10008.1.2.1.99': ['deflated (explicit VR little endian)', 'native'],
  '1.2.840.10008.1.2.2': ['uncompressed (explicit VR big endian)', 'native'],
  '1.2.840.10008.1.2.4.50': ['JPEG baseline', 'jpeg', 'lossy'],
  '1.2.840.10008.1.2.4.51': ['JPEG extended', 'jpeg', 'lossy'],
  '1.2.840.10008.1.2.4.53': ['JPEG spectral selection', 'jpeg', 'lossy'],
  '1.2.840.10008.1.2.4.55': ['JPEG progressive', 'jpeg', 'lossy'],
  '1.2.840.10008.1.2.4.57': ['JPEG lossless', 'jpeg'],
  '1.2.840.10008.1.2.4.70': ['JPEG lossless, first-order prediction', 'jpeg'],
  '1.2.840.10008.1.2.4.80': ['JPEG-LS lossless', 'jpeg-ls'],
  '1.2.840.10008.1.2.4.81': ['JPEG-LS near-lossless', 'jpeg-ls', 'lossy'],
  '1.2.840.10008.1.2.4.90': ['JPEG 2000 lossless', 'jpeg-2000'],
  '1.2.840.10008.1.2.4.91': ['JPEG 2000', 'jpeg-2000', 'lossy'],
  '1.2.840.10008.1.2.4.201': ['high-throughput JPEG 2000 lossless', 'jpeg-2000'],
  '1.2.840.10008.1.2.4.202': ['high-throughput JPEG 2000 lossless (RPCL)', 'jpeg-2000'],
  '1.2.840.10008.1.2.4.203': ['high-throughput JPEG 2000', 'jpeg-2000', 'lossy'],
  '1.2.840.10008.1.2.5': ['RLE lossless', 'rle'],
  '1.2.840.10008.1.2.8.1': ['deflated image frames', 'deflated-frame'],
  '1.2.840.10008.1.2.4.92': ['JPEG 2000 multi-component lossless', 'unsupported'],
  '1.2.840.10008.1.2.4.93': ['JPEG 2000 multi-component', 'unsupported'],
  '1.2.840.10008.1.2.4.94': ['JPIP referenced', 'unsupported'],
  '1.2.840.10008.1.2.4.95': ['JPIP referenced, deflated', 'unsupported'],
  '1.2.840.10008.1.2.4.100': ['MPEG-2 video', 'unsupported', 'lossy'],
  '1.2.840.10008.1.2.4.101': ['MPEG-2 video', 'unsupported', 'lossy'],
  '1.2.840.10008.1.2.4.102': ['MPEG-4 video', 'unsupported', 'lossy'],
  '1.2.840.10008.1.2.4.103': ['MPEG-4 video', 'unsupported', 'lossy'],
  '1.2.840.10008.1.2.4.104': ['MPEG-4 video', 'unsupported', 'lossy'],
  '1.2.840.10008.1.2.4.105': ['MPEG-4 video', 'unsupported', 'lossy'],
  '1.2.840.10008.1.2.4.106': ['MPEG-4 video', 'unsupported', 'lossy'],
  '1.2.840.10008.1.2.4.107': ['HEVC video', 'unsupported', 'lossy'],
  '1.2.840.10008.1.2.4.108': ['HEVC video', 'unsupported', 'lossy'],
  '1.2.840.10008.1.2.4.110': ['JPEG XL lossless', 'unsupported'],
  '1.2.840.10008.1.2.4.111': ['JPEG XL from JPEG', 'unsupported', 'lossy'],
  '1.2.840.10008.1.2.4.112': ['JPEG XL', 'unsupported', 'lossy'],
}

/** The syntax of a UID; an unknown one counts as unsupported compression, never as raw pixels. */
export function findTransferSyntax(uid: string): TransferSyntax {
  const [name, encoding, lossy] = table[uid] ?? ['an unknown compression', 'unsupported']
  return {
    uid, name, encoding,
    isBigEndian: uid === '1.2.840.10008.1.2.2',
    isDeflated: uid === '1.2.840.10008.1.2.1.99' || uid === '1.2.840.10008.1.2.4.95',
    isLossy: lossy === 'lossy',
  }
}
