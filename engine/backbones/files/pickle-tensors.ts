/** The only Python objects that weights files may name: ordered dicts, storages and the function that lays a tensor over a storage. */
import { AppError } from '../../domain/errors.ts'
import { DIMENSIONS_LIMIT, type StoredType, elementCount, invalidWeights } from './tensor-file.ts'

export type Global = { kind: 'ordered-dict' } | { kind: 'rebuild-tensor' } | { kind: 'storage'; storedType: StoredType }

const globals: ReadonlyMap<string, Global> = new Map<string, Global>([
  ['collections.OrderedDict', { kind: 'ordered-dict' }],
  ['torch._utils._rebuild_tensor_v2', { kind: 'rebuild-tensor' }],
  ...Object.entries({
    DoubleStorage: 'F64', FloatStorage: 'F32', HalfStorage: 'F16', BFloat16Storage: 'BF16',
    LongStorage: 'I64', IntStorage: 'I32', ShortStorage: 'I16', CharStorage: 'I8', ByteStorage: 'U8', BoolStorage: 'BOOL',
  } as const).map(([name, storedType]): [string, Global] => [`torch.${name}`, { kind: 'storage', storedType }]),
])

/** The object of this full name, or null when weights have no business with it. */
export function globalNamed(name: string): Global | null {
  return globals.get(name) ?? null
}

/** A run of equal numbers in the file, by its key. */
export class StorageRef {
  readonly key: string
  readonly storedType: StoredType
  readonly count: number
  constructor(key: string, storedType: StoredType, count: number) {
    this.key = key
    this.storedType = storedType
    this.count = count
  }
}

/** A tensor as a view of a storage; `offset` and `stride` count elements. */
export class TensorRef {
  readonly storage: StorageRef
  readonly offset: number
  readonly shape: readonly number[]
  readonly stride: readonly number[]
  constructor(storage: StorageRef, offset: number, shape: readonly number[], stride: readonly number[]) {
    this.storage = storage
    this.offset = offset
    this.shape = shape
    this.stride = stride
  }
}

const isCount = (n: unknown): n is number => Number.isSafeInteger(n) && (n as number) >= 0
const isCounts = (list: unknown): list is number[] => Array.isArray(list) && list.length <= DIMENSIONS_LIMIT && list.every(isCount)

/** From the persistent id ('storage', type, key, device, count), with a view after it that must be absent. */
export function storageFrom(id: unknown, path: string): StorageRef {
  const [tag, type, key, , count, view] = Array.isArray(id) ? (id as unknown[]) : []
  if (tag !== 'storage' || typeof key !== 'string' || !isCount(count) || typeof type !== 'object' || type === null || !('storedType' in type)) {
    throw invalidWeights(path, 'a tensor storage is described in an unknown way')
  }
  if (view !== null && view !== undefined) throw invalidWeights(path, 'a tensor storage is a view of another one')
  return new StorageRef(key, type.storedType as StoredType, count)
}

/** From the arguments (storage, offset, size, stride, requires_grad, hooks). Throws when the tensor reaches beyond its storage. */
export function rebuildTensor(parameters: readonly unknown[], path: string): TensorRef {
  const [storage, offset, shape, stride] = parameters
  if (!(storage instanceof StorageRef) || !isCount(offset) || !isCounts(shape) || !isCounts(stride) || shape.length !== stride.length) {
    throw invalidWeights(path, 'a tensor is described in an unknown way')
  }
  const elements = elementCount(shape)
  // A stride of 0 would let a few bytes stand for gigabytes.
  if (elements > storage.count) throw new AppError('WEIGHTS_CLAIM_TOO_LARGE', `A tensor of ${path} claims ${elements} elements of a storage of ${storage.count}.`)
  const last = shape.reduce((place, n, axis) => place + (n - 1) * stride[axis]!, offset)
  if (elements > 0 && last >= storage.count) throw invalidWeights(path, 'a tensor reaches beyond its storage')
  return new TensorRef(storage, offset, shape, stride)
}
