/**
 * Rows as CSV (RFC 4180) with a byte order mark, which spreadsheets need to read UTF-8.
 * Text that starts like a formula gets an apostrophe, because a spreadsheet would run it.
 */
export function csvOf(header: readonly string[], rows: readonly (readonly (string | number | boolean | null)[])[]): string {
  const cell = (value: string | number | boolean | null): string => {
    if (value === null) return ''
    if (typeof value !== 'string') return String(value)
    const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
  }
  return `\uFEFF${[header, ...rows].map((row) => row.map(cell).join(',')).join('\r\n')}\r\n`
}

/** A file name that every system takes: letters, digits, dot, dash. */
export function fileNameOf(...parts: string[]): string {
  return parts.map((part) => part.normalize('NFKD').replace(/[^\w.-]+/g, '-').replace(/^-+|-+$/g, '')).filter((part) => part !== '').join('-').slice(0, 120)
}
