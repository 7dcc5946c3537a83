/**
 * A reader for the part of Python's pickle format that plain tensors need, and nothing else. A pickle is a program; this machine knows only the
 * instructions that build containers, numbers, texts and tensor descriptions. Any other name or instruction is refused, never run.
 */
import { AppError } from '../../domain/errors.ts'
import { type PickleBytes, pickleBytes } from './pickle-bytes.ts'
import { type Global, type StorageRef, TensorRef, globalNamed, rebuildTensor, storageFrom } from './pickle-tensors.ts'

/** A Python dict or OrderedDict. */
export type PickleDict = Map<unknown, unknown>

export interface Unpickled {
  value: unknown
  /** Place of the first byte after the pickle. */
  end: number
}

const MARK = Symbol('mark')
type Step = (machine: Machine) => void

interface Machine {
  bytes: PickleBytes
  stack: unknown[]
  memo: Map<number, unknown>
  path: string
  /** Containers that may still be made. */
  room: number
}

/**
 * One byte of a pickle makes a container of some two hundred, and one call copies a list of any length, so a file of megabytes could fill the
 * memory. A tensor takes about 40 instructions, 7 containers and 10 stored values: these limits have room for 20,000 tensors.
 */
const INSTRUCTIONS_LIMIT = 1_000_000
const CONTAINERS_LIMIT = 150_000
const STORED_LIMIT = 250_000

function spend(machine: Machine, containers: number): void {
  machine.room -= containers
  if (machine.room < 0) throw tooMany(machine.path)
}

const tooMany = (path: string): AppError => new AppError('WEIGHTS_CLAIM_TOO_LARGE', `The pickled part of ${path} builds more than the tensors of any model need.`)

export function refused(path: string, what: string): AppError {
  return new AppError('WEIGHTS_PICKLE_REFUSED', `${path} holds ${what}; only plain tensors are read.`)
}

/** Reads one pickle; throws WEIGHTS_PICKLE_REFUSED for anything but plain data and tensors, WEIGHTS_FILE_INVALID when it is damaged. */
export function readPickle(data: Uint8Array, begin: number, path: string): Unpickled {
  const machine: Machine = { bytes: pickleBytes(data, begin, path), stack: [], memo: new Map(), path, room: CONTAINERS_LIMIT }
  const { bytes, stack } = machine
  for (let instructions = 0; ; instructions++) {
    if (instructions > INSTRUCTIONS_LIMIT) throw tooMany(path)
    const code = bytes.byte()
    if (code === 0x2e) {
      if (stack.length !== 1) throw bytes.damaged('it ends in the middle of a value')
      return { value: stack[0], end: bytes.position() }
    }
    const step = steps.get(code)
    if (step === undefined) throw refused(path, `a pickle instruction 0x${code.toString(16).padStart(2, '0')}`)
    step(machine)
  }
}

function pop(machine: Machine): unknown {
  const { stack, bytes } = machine
  if (stack.length === 0 || stack.at(-1) === MARK) throw bytes.damaged('its instructions do not fit together')
  return stack.pop()
}

function popToMark({ stack, bytes }: Machine): unknown[] {
  const mark = stack.lastIndexOf(MARK)
  if (mark < 0) throw bytes.damaged('its instructions do not fit together')
  const items = stack.splice(mark)
  return items.slice(1)
}

function recall(machine: Machine, index: number): void {
  if (!machine.memo.has(index)) throw machine.bytes.damaged('it refers to a value it does not hold')
  machine.stack.push(machine.memo.get(index))
}

function memoize(machine: Machine, index: number): void {
  if (machine.memo.size > STORED_LIMIT) throw tooMany(machine.path)
  const value = pop(machine)
  machine.memo.set(index, value)
  machine.stack.push(value)
}

function setItems(machine: Machine, items: readonly unknown[]): void {
  const dict = machine.stack.at(-1)
  if (!(dict instanceof Map) || items.length % 2 !== 0) throw machine.bytes.damaged('it puts items into something that is no dict')
  for (let i = 0; i < items.length; i += 2) dict.set(items[i], items[i + 1])
}

function append(machine: Machine, items: readonly unknown[]): void {
  const list = machine.stack.at(-1)
  if (!Array.isArray(list)) throw machine.bytes.damaged('it appends to something that is no list')
  for (const item of items) list.push(item)
}

function pushGlobal(machine: Machine, module: string, name: string): void {
  const found = globalNamed(`${module}.${name}`)
  if (found === null) throw refused(machine.path, `the Python object ${`${module}.${name}`.slice(0, 120)}`)
  machine.stack.push(found)
}

/** Only texts are names: writing out a nested value could take for ever. */
function stackGlobal(machine: Machine): void {
  const [name, module] = [pop(machine), pop(machine)]
  if (typeof name !== 'string' || typeof module !== 'string') throw machine.bytes.damaged('the name of an object is no text')
  pushGlobal(machine, module, name)
}

function reduce(machine: Machine): void {
  const parameters = pop(machine)
  const target = pop(machine) as Global | undefined
  if (!Array.isArray(parameters) || typeof target !== 'object' || !('kind' in target)) throw machine.bytes.damaged('it calls something that is no function')
  if (target.kind === 'storage') throw refused(machine.path, 'a storage that is built by code')
  spend(machine, 1)
  machine.stack.push(target.kind === 'ordered-dict' ? orderedDict(parameters, machine) : rebuildTensor(parameters, machine.path))
}

function orderedDict(parameters: readonly unknown[], machine: Machine): PickleDict {
  const pairs = parameters[0] ?? []
  if (!Array.isArray(pairs) || !pairs.every((pair) => Array.isArray(pair) && pair.length === 2)) throw machine.bytes.damaged('an ordered dict is not made of pairs')
  spend(machine, pairs.length)
  return new Map(pairs as [unknown, unknown][])
}

/** State beside the items of an ordered dict (PyTorch keeps version numbers there): read and dropped. */
function build(machine: Machine): void {
  pop(machine)
  if (!(machine.stack.at(-1) instanceof Map)) throw refused(machine.path, 'an object with state of its own')
}

function persistent(machine: Machine): void {
  spend(machine, 1)
  const storage: StorageRef = storageFrom(pop(machine), machine.path)
  machine.stack.push(storage)
}

const push = (make: (machine: Machine) => unknown): Step => (machine) => void machine.stack.push(make(machine))
const container = (make: (machine: Machine) => unknown): Step => (machine) => {
  spend(machine, 1)
  machine.stack.push(make(machine))
}
const tuple = (length: number): Step => (machine) => {
  spend(machine, 1)
  const items = Array.from({ length }, () => pop(machine)).reverse()
  machine.stack.push(items)
}

/** Instructions by their code (Python's pickletools names them); protocols 0 to 4. */
const steps: ReadonlyMap<number, Step> = new Map<number, Step>([
  [0x80, ({ bytes }) => { if (bytes.byte() > 5) throw bytes.damaged('it is of an unknown protocol') }], // PROTO
  [0x95, ({ bytes }) => void bytes.take(8)], // FRAME
  [0x28, ({ stack }) => void stack.push(MARK)], // MARK
  [0x30, (machine) => void pop(machine)], // POP
  [0x31, (machine) => void popToMark(machine)], // POP_MARK
  [0x32, (machine) => { const value = pop(machine); machine.stack.push(value, value) }], // DUP
  [0x7d, container(() => new Map())], // EMPTY_DICT
  [0x5d, container(() => [])], // EMPTY_LIST
  [0x29, container(() => [])], // EMPTY_TUPLE
  [0x85, tuple(1)], [0x86, tuple(2)], [0x87, tuple(3)], // TUPLE1..3
  [0x74, container(popToMark)], // TUPLE
  [0x6c, container(popToMark)], // LIST
  [0x64, (machine) => { spend(machine, 1); const items = popToMark(machine); machine.stack.push(new Map()); setItems(machine, items) }], // DICT
  [0x73, (machine) => { const value = pop(machine); const key = pop(machine); setItems(machine, [key, value]) }], // SETITEM
  [0x75, (machine) => setItems(machine, popToMark(machine))], // SETITEMS
  [0x61, (machine) => append(machine, [pop(machine)])], // APPEND
  [0x65, (machine) => append(machine, popToMark(machine))], // APPENDS
  [0x4e, push(() => null)], [0x88, push(() => true)], [0x89, push(() => false)], // NONE, NEWTRUE, NEWFALSE
  [0x4b, push(({ bytes }) => bytes.byte())], // BININT1
  [0x4d, push(({ bytes }) => bytes.unsigned(2))], // BININT2
  [0x4a, push(({ bytes }) => bytes.unsigned(4) | 0)], // BININT
  [0x8a, push(({ bytes }) => bytes.long(bytes.byte()))], // LONG1
  [0x47, push(({ bytes }) => bytes.double())], // BINFLOAT
  [0x49, push(({ bytes }) => bytes.decimal())], [0x4c, push(({ bytes }) => bytes.decimal())], [0x46, push(({ bytes }) => bytes.decimal())], // INT, LONG, FLOAT
  [0x8c, push(({ bytes }) => bytes.text(bytes.byte()))], // SHORT_BINUNICODE
  [0x58, push(({ bytes }) => bytes.text(bytes.unsigned(4)))], // BINUNICODE
  [0x8d, push(({ bytes }) => bytes.text(bytes.unsigned(8)))], // BINUNICODE8
  [0x55, push(({ bytes }) => bytes.text(bytes.byte()))], [0x54, push(({ bytes }) => bytes.text(bytes.unsigned(4)))], // SHORT_BINSTRING, BINSTRING
  [0x43, container(({ bytes }) => bytes.take(bytes.byte()))], [0x42, container(({ bytes }) => bytes.take(bytes.unsigned(4)))], // SHORT_BINBYTES, BINBYTES
  [0x71, (machine) => memoize(machine, machine.bytes.byte())], // BINPUT
  [0x72, (machine) => memoize(machine, machine.bytes.unsigned(4))], // LONG_BINPUT
  [0x94, (machine) => memoize(machine, machine.memo.size)], // MEMOIZE
  [0x68, (machine) => recall(machine, machine.bytes.byte())], // BINGET
  [0x6a, (machine) => recall(machine, machine.bytes.unsigned(4))], // LONG_BINGET
  [0x63, (machine) => { const module = machine.bytes.line(); pushGlobal(machine, module, machine.bytes.line()) }], // GLOBAL
  [0x93, stackGlobal], // STACK_GLOBAL
  [0x52, reduce], // REDUCE
  [0x62, build], // BUILD
  [0x51, persistent], // BINPERSID
])

/**
 * The named tensors of what a weights file holds: a state dict, or a checkpoint that keeps one under `state_dict` or `model`.
 * Throws WEIGHTS_FILE_INVALID when there is none.
 */
export function tensorsOf(value: unknown, bytes: { damaged: (what: string) => AppError }): Map<string, TensorRef> {
  const named = (dict: unknown): Map<string, TensorRef> =>
    new Map(dict instanceof Map ? [...dict].filter((entry): entry is [string, TensorRef] => typeof entry[0] === 'string' && entry[1] instanceof TensorRef) : [])
  const inner = value instanceof Map ? ['state_dict', 'model'].map((key) => named(value.get(key))).find((found) => found.size > 0) : undefined
  const tensors = inner ?? named(value)
  if (tensors.size === 0) throw bytes.damaged('it holds no named tensors')
  return tensors
}
