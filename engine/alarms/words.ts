/** Numbers as alarms write them. */

export function decimal(value: number): string {
  return value.toFixed(2)
}

export function intervalInWords([low, high]: readonly [number, number]): string {
  return `${decimal(low)} to ${decimal(high)}`
}

export function pInWords(value: number): string {
  return value < 1e-4 ? `< 0.0001` : value.toFixed(4)
}

/** "398 of 400". */
export function share(count: number, total: number): string {
  return `${count} of ${total}`
}

/** "A, B and C", or "A, B and 6 more". */
export function listed(names: readonly string[], most: number): string {
  if (names.length === 1) return names[0]!
  const shown = names.slice(0, most)
  return names.length > most ? `${shown.join(', ')} and ${names.length - most} more` : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)!}`
}
