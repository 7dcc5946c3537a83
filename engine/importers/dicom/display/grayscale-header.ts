/** Modality and VOI transforms of a frame, read from the header: top level first, then the frame's functional groups, then the shared ones. */
import type { DicomDataSet } from '../data-set.ts'
import type { DisplayWindow, LookupTable, ModalityTransform, VoiTransform, WindowFunction } from './grayscale.ts'

const modalityLut = '0028,3000'
const voiLut = '0028,3010'
const windowFunctions: readonly WindowFunction[] = ['LINEAR', 'LINEAR_EXACT', 'SIGMOID']

/** The data sets that may describe a frame, nearest to the image first. PS3.3 C.7.6.16. */
export function frameScopes(dataSet: DicomDataSet, frame: number): DicomDataSet[] {
  const groups = [dataSet.items('5200,9230')[frame], dataSet.items('5200,9229')[0]].filter((group) => group !== undefined)
  return [dataSet, ...groups]
}

/** Modality LUT, else slope and intercept, else nothing. */
export function readModality(scopes: readonly DicomDataSet[], isSigned: boolean): ModalityTransform {
  for (const scope of withMacro(scopes, '0028,9145')) {
    const table = readTable(scope.items(modalityLut)[0], isSigned)
    if (table !== null) return { kind: 'lut', table }
    const slope = scope.decimals('0028,1053')[0]
    if (slope !== undefined) return { kind: 'rescale', slope, intercept: scope.decimals('0028,1052')[0] ?? 0 }
    const intercept = scope.decimals('0028,1052')[0]
    if (intercept !== undefined) return { kind: 'rescale', slope: 1, intercept }
  }
  return { kind: 'none' }
}

/** What the file offers for display: its VOI LUT first, then its windows in their order. Empty when it says nothing. */
export function readPresets(scopes: readonly DicomDataSet[], isSigned: boolean): VoiTransform[] {
  for (const scope of withMacro(scopes, '0028,9132')) {
    const tables = scope.items(voiLut).map((item) => readTable(item, isSigned, hasNegative(scopes, isSigned))).filter((table) => table !== null)
    const presets: VoiTransform[] = [...tables.map((table) => ({ kind: 'lut' as const, table })), ...readWindows(scope).map((window) => ({ kind: 'window' as const, window }))]
    if (presets.length > 0) return presets
  }
  return []
}

/** Do values below zero come out of the modality transform? Then the first value of a VOI LUT may be one (PS3.3 C.11.2.1.1). */
function hasNegative(scopes: readonly DicomDataSet[], isSigned: boolean): boolean {
  const modality = readModality(scopes, isSigned)
  return modality.kind === 'rescale' && (modality.intercept < 0 || modality.slope < 0)
}

/** Functional groups hold their values one level deeper, in a macro sequence of their own. */
function withMacro([top, ...groups]: readonly DicomDataSet[], macro: string): DicomDataSet[] {
  return [...(top === undefined ? [] : [top]), ...groups.flatMap((group) => group.items(macro).slice(0, 1))]
}

function readWindows(scope: DicomDataSet): DisplayWindow[] {
  const centers = scope.decimals('0028,1050')
  const widths = scope.decimals('0028,1051')
  const names = scope.texts('0028,1055')
  const stated = scope.text('0028,1056')?.toUpperCase()
  const windowFunction = windowFunctions.find((one) => one === stated) ?? 'LINEAR'
  return centers.flatMap((center, i) => {
    const width = widths[i]
    // A width of nothing shows nothing; some writers use it for "not set".
    return width === undefined || width <= 0 ? [] : [{ center, width, function: windowFunction, name: names[i] || null }]
  })
}

/** Descriptor (entries, first value, bits) and data of a LUT item. PS3.3 C.11.1.1: 0 entries means 65,536. */
function readTable(item: DicomDataSet | undefined, isSigned: boolean, mayBeNegative = false): LookupTable | null {
  if (item === undefined) return null
  const [count, , bits] = item.words('0028,3002')
  const vr = item.vr('0028,3002')
  const first = item.words('0028,3002', isSigned || vr === 'SS' || (mayBeNegative && vr !== 'US'))[1]
  if (count === undefined || first === undefined || bits === undefined || bits < 1 || bits > 16) return null
  const entries = readEntries(item, '0028,3006', count === 0 ? 65_536 : count)
  return entries === null ? null : { first, entries, bits }
}

/** Table entries; 8-bit ones may be packed two in a word. Null when there are fewer than promised. */
export function readEntries(scope: DicomDataSet, tag: string, count: number): Uint16Array | null {
  const bytes = scope.bytes(tag)
  if (bytes === null) return null
  const words = scope.words(tag)
  if (words.length >= count) return Uint16Array.from(words.slice(0, count))
  return bytes.length >= count ? Uint16Array.from(bytes.subarray(0, count)) : null
}
