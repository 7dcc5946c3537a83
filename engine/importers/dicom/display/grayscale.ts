/**
 * Stored grey values -> display values, in the order of PS3.3 C.11 and PS3.4 N.2: modality LUT or rescale, then VOI LUT or
 * window, then 0..255 rounded half up, then the inversion of MONOCHROME1. Doubles throughout, formulas in the order in which
 * the standard writes them: another order moves values that sit on a half by one level.
 */

/** A lookup table: entry i belongs to the value `first + i`; values outside take the nearest entry. */
export interface LookupTable {
  first: number
  entries: Uint16Array
  /** Bits of an entry: the largest is 2^bits - 1. */
  bits: number
}

/** Stored value -> value in the units of the modality (Hounsfield, optical density). */
export type ModalityTransform = { kind: 'none' } | { kind: 'rescale'; slope: number; intercept: number } | { kind: 'lut'; table: LookupTable }

export type WindowFunction = 'LINEAR' | 'LINEAR_EXACT' | 'SIGMOID'

/** Which modality values are shown between black and white. */
export interface DisplayWindow {
  center: number
  width: number
  function: WindowFunction
  /** What the writer of the file calls it, e.g. BONE; null when it has no name. */
  name: string | null
}

/** What is shown: a window, a VOI LUT, or everything between two modality values. */
export type VoiTransform = { kind: 'window'; window: DisplayWindow } | { kind: 'lut'; table: LookupTable } | { kind: 'range'; low: number; high: number }

/** The value of the modality for a stored value. */
export function modalityValue(stored: number, transform: ModalityTransform): number {
  if (transform.kind === 'none') return stored
  return transform.kind === 'rescale' ? stored * transform.slope + transform.intercept : lookUp(stored, transform.table)
}

/** PS3.3 C.11.2.1.2.1 with an output of 0..255, unrounded. */
export function linearWindow(x: number, c: number, w: number): number {
  if (x <= c - 0.5 - (w - 1) / 2) return 0
  if (x > c - 0.5 + (w - 1) / 2) return 255
  return ((x - (c - 0.5)) / (w - 1) + 0.5) * 255
}

/** PS3.3 C.11.2.1.3.2 with an output of 0..255, unrounded. */
export function linearExactWindow(x: number, c: number, w: number): number {
  if (x <= c - w / 2) return 0
  if (x > c + w / 2) return 255
  return ((x - c) / w + 0.5) * 255
}

/** PS3.3 C.11.2.1.3.1 with an output of 0..255, unrounded. */
export function sigmoidWindow(x: number, c: number, w: number): number {
  return 255 / (1 + Math.exp((-4 * (x - c)) / w))
}

/** Display value 0..255 of a modality value, unrounded. */
export function voiValue(x: number, transform: VoiTransform): number {
  if (transform.kind === 'lut') return (lookUp(x, transform.table) * 255) / (2 ** transform.table.bits - 1)
  if (transform.kind === 'range') return transform.high > transform.low ? ((x - transform.low) / (transform.high - transform.low)) * 255 : 0
  const { center, width, function: kind } = transform.window
  if (kind === 'SIGMOID') return sigmoidWindow(x, center, width)
  return kind === 'LINEAR_EXACT' ? linearExactWindow(x, center, width) : linearWindow(x, center, width)
}

/** Rounded half up, clipped, inverted last. */
export function displayByte(value: number, isInverted: boolean): number {
  const byte = Math.min(255, Math.max(0, Math.floor(value + 0.5)))
  return isInverted ? 255 - byte : byte
}

function lookUp(value: number, { first, entries }: LookupTable): number {
  const index = Math.trunc(value) - first
  return entries[Math.min(entries.length - 1, Math.max(0, index))] ?? 0
}
