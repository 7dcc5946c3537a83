/**
 * The number that a text stands for, NaN for anything else. A decimal point only: "1,000" is a thousand to some readers
 * and one to others, and a guess would be a wrong number that looks right.
 */
export function numberOfText(text: string): number {
  const trimmed = text.trim()
  return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(trimmed) ? Number(trimmed) : Number.NaN
}

/** The text of a number for a field; NaN, which stands for an empty or unreadable field, gives an empty one. */
export function textOfNumber(value: number): string {
  if (Number.isNaN(value)) return ''
  return Math.abs(value) > 0 && Math.abs(value) < 1e-6 ? value.toExponential() : String(value)
}
