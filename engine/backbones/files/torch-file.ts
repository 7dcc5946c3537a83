/**
 * Reader for what `torch.save` writes (pytorch_model.bin, .pt, .ckpt): a zip archive of one pickle and raw storages, or the older stream of
 * pickles followed by raw storages. The pickle is read by a machine that knows tensors only; storages are read in ranges, one tensor at a time.
 */
import { AppError } from '../../domain/errors.ts'
import { pickleBytes } from './pickle-bytes.ts'
import { readPickle, tensorsOf } from './pickle.ts'
import type { StorageRef, TensorRef } from './pickle-tensors.ts'
import { type HostTensor, type RangedFile, type TensorFile, bytesPerElement, decodeFloats, elementCount, invalidWeights, openRangedFile } from './tensor-file.ts'
import { readZipDirectory } from './zip-directory.ts'

/** Real ones take some hundred bytes for each tensor. */
const PICKLE_LIMIT_BYTES = 16 * 1024 * 1024
/** First pickle of the older format, and the protocol after it. */
const LEGACY_MAGIC = 0x1950a86a20f9469cfc6cn
const LEGACY_PROTOCOL = 1001

interface Contents {
  value: unknown
  /** Place of the first byte of each storage. Throws when it is not there or of another length than its elements need. */
  beginOf(storage: StorageRef): number
}

/** Opens a PyTorch file; throws WEIGHTS_PICKLE_REFUSED, WEIGHTS_CLAIM_TOO_LARGE or WEIGHTS_FILE_INVALID. */
export function openTorchFile(path: string): TensorFile {
  const file = openRangedFile(path)
  try {
    const isZip = file.size >= 4 && new DataView(file.read(0, 4).buffer).getUint32(0, true) === 0x04034b50
    const contents = isZip ? readArchive(file) : readLegacy(file)
    const tensors = tensorsOf(contents.value, pickleBytes(new Uint8Array(), 0, path))
    // Every tensor's place is looked up now, so that a file that is cut short is refused before it is used.
    const begins = new Map([...tensors].map(([name, tensor]) => [name, contents.beginOf(tensor.storage)]))
    return {
      entries: new Map([...tensors].map(([name, tensor]) => [name, { name, storedType: tensor.storage.storedType, shape: tensor.shape }])),
      readFloats: (name) => {
        const tensor = tensors.get(name)
        if (tensor === undefined) throw new AppError('WEIGHTS_TENSOR_MISSING', `The weights file ${path} has no tensor "${name}".`)
        return readTensor(file, tensor, begins.get(name)!)
      },
      close: file.close,
    }
  } catch (error) {
    file.close()
    throw error
  }
}

function readArchive(file: RangedFile): Contents {
  const { path } = file
  const entries = readZipDirectory(file)
  // All entries lie under one folder, which may be named anything.
  const pickle = [...entries.values()].find(({ name }) => /^([^/]+\/)?data\.pkl$/.test(name))
  const folder = pickle?.name.slice(0, -'data.pkl'.length) ?? ''
  if (pickle === undefined) throw invalidWeights(path, 'it is an archive without PyTorch data')
  if (pickle.length > PICKLE_LIMIT_BYTES) throw new AppError('WEIGHTS_CLAIM_TOO_LARGE', `The pickled part of ${path} has ${pickle.length} bytes.`)
  const order = entries.get(`${folder}byteorder`)
  if (order !== undefined && order.length < 16 && new TextDecoder().decode(file.read(order.begin, order.length)).trim() !== 'little') throw invalidWeights(path, 'its numbers are big-endian')
  const { value } = readPickle(file.read(pickle.begin, pickle.length), 0, path)
  return {
    value,
    beginOf: (storage) => {
      const entry = entries.get(`${folder}data/${storage.key}`)
      if (entry === undefined) throw invalidWeights(path, `storage ${storage.key} is missing`)
      const needed = storage.count * bytesPerElement[storage.storedType]
      if (needed > file.size) throw new AppError('WEIGHTS_CLAIM_TOO_LARGE', `Storage ${storage.key.slice(0, 100)} of ${path} claims ${needed} bytes; the whole file has ${file.size}.`)
      if (entry.length !== needed) throw invalidWeights(path, `storage ${storage.key} has ${entry.length} bytes where its elements need ${needed}`)
      return entry.begin
    },
  }
}

function readLegacy(file: RangedFile): Contents {
  const { path } = file
  const bytes = file.read(0, Math.min(file.size, PICKLE_LIMIT_BYTES))
  const magic = readPickle(bytes, 0, path)
  if (magic.value !== LEGACY_MAGIC) throw invalidWeights(path, 'it is not a file of PyTorch')
  const protocol = readPickle(bytes, magic.end, path)
  if (protocol.value !== LEGACY_PROTOCOL) throw invalidWeights(path, 'it is of an unknown protocol')
  const system = readPickle(bytes, protocol.end, path)
  if (system.value instanceof Map && system.value.get('little_endian') === false) throw invalidWeights(path, 'its numbers are big-endian')
  const contents = readPickle(bytes, system.end, path)
  const keys = readPickle(bytes, contents.end, path)
  if (!Array.isArray(keys.value)) throw invalidWeights(path, 'it lists no storages')
  // Storages follow in the order of their keys, each with its element count in front; their types stand in the tensors.
  const widths = new Map([...tensorsOf(contents.value, pickleBytes(bytes, 0, path)).values()].map(({ storage }) => [storage.key, storage]))
  const begins = new Map<string, number>()
  let at = keys.end
  for (const key of keys.value as unknown[]) {
    const storage = typeof key === 'string' ? widths.get(key) : undefined
    if (storage === undefined) throw invalidWeights(path, `storage ${typeof key === 'string' ? key : 'without a name'} belongs to no tensor`)
    const stored = Number(new DataView(file.read(at, 8).buffer).getBigInt64(0, true))
    if (stored !== storage.count) throw invalidWeights(path, `storage ${storage.key} has ${stored} elements where its tensors need ${storage.count}`)
    begins.set(storage.key, at + 8)
    at += 8 + stored * bytesPerElement[storage.storedType]
    if (at > file.size) throw invalidWeights(path, 'it ends before its storages do, so it was probably cut short')
  }
  if (at !== file.size) throw invalidWeights(path, `${file.size - at} bytes follow its last storage`)
  return {
    value: contents.value,
    beginOf: (storage) => begins.get(storage.key) ?? (() => { throw invalidWeights(path, `storage ${storage.key} is missing`) })(),
  }
}

function readTensor(file: RangedFile, { storage, offset, shape, stride }: TensorRef, begin: number): HostTensor {
  const width = bytesPerElement[storage.storedType]
  const count = elementCount(shape)
  const span = count === 0 ? 0 : shape.reduce((last, n, axis) => last + (n - 1) * stride[axis]!, 1)
  const stored = decodeFloats(file.read(begin + offset * width, span * width), storage.storedType)
  const isContiguous = shape.every((n, axis) => n === 1 || stride[axis] === elementCount(shape.slice(axis + 1)))
  return { shape: [...shape], values: isContiguous ? stored : gather(stored, shape, stride) }
}

/** Values of a strided view in row-major order. */
function gather(stored: Float32Array, shape: readonly number[], stride: readonly number[]): Float32Array {
  const values = new Float32Array(elementCount(shape))
  const index = shape.map(() => 0)
  let from = 0
  for (let to = 0; to < values.length; to++) {
    values[to] = stored[from]!
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += stride[axis]!
      if (++index[axis]! < shape[axis]!) break
      from -= index[axis]! * stride[axis]!
      index[axis] = 0
    }
  }
  return values
}
