/** Numbers and times as the screens show them. Whole words and units live in the locale. */

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
/** Halves to the even neighbour: 50.5 and 49.5 % of one whole must not come to 101. */
const wholePercent = new Intl.NumberFormat('en', { maximumFractionDigits: 0, roundingMode: 'halfEven' })
const oneDecimal = new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 })

export function formatCount(value: number): string {
  return whole.format(value)
}

/** A share in percent: whole from 10 %, one decimal below, and never "0 %" or "100 %" for what is not exactly that. */
export function formatShare(part: number, total: number): string {
  if (total === 0) return '–'
  const percent = (part / total) * 100
  if (percent === 0 || percent === 100) return `${percent} %`
  if (percent < 0.1) return '< 0.1 %'
  if (percent > 99.9) return '> 99.9 %'
  return percent < 9.95 || percent > 99 ? `${oneDecimal.format(percent)} %` : `${wholePercent.format(percent)} %`
}

const byteUnits = ['B', 'kB', 'MB', 'GB', 'TB']

/** Decimal units, as file managers and disk makers count. */
export function formatBytes(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < byteUnits.length - 1) {
    value /= 1000
    unit += 1
  }
  const digits = unit === 0 || value >= 9.95 ? whole.format(value) : oneDecimal.format(value)
  return `${digits} ${byteUnits[unit]}`
}

/** A span of time in its two largest units: "45 s", "3 min 20 s", "2 h 5 min". */
export function formatSeconds(seconds: number): string {
  if (seconds > 0 && seconds < 0.5) return 'under 1 s'
  const total = Math.max(0, Math.round(seconds))
  if (total < 60) return `${total} s`
  const minutes = Math.floor(total / 60)
  if (minutes < 10) return total % 60 === 0 ? `${minutes} min` : `${minutes} min ${total % 60} s`
  const rounded = Math.round(total / 60)
  if (rounded < 60) return `${rounded} min`
  const hours = Math.floor(rounded / 60)
  const rest = rounded % 60
  return rest === 0 ? `${hours} h` : `${hours} h ${rest} min`
}

const dateTime = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' })
const dateTimeSeconds = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit' })

/** A stored timestamp in the reader's time zone. */
export function formatDate(timestamp: string, withSeconds = false): string {
  return (withSeconds ? dateTimeSeconds : dateTime).format(new Date(timestamp))
}

const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' })

/** The day of a stored timestamp in the reader's time zone. */
export function formatDay(timestamp: string): string {
  return day.format(new Date(timestamp))
}

/** The first characters of a hash, enough to compare by eye. */
export function shortHash(hash: string): string {
  return hash.slice(0, 12)
}

/** Rows as a short list: "3, 7, 12 and 41 more". */
export function formatRows(rows: readonly number[], shown = 6): string {
  const head = rows.slice(0, shown).map(formatCount).join(', ')
  return rows.length > shown ? `${head} and ${formatCount(rows.length - shown)} more` : head
}

/** Last part of a path, whichever way its slashes lean. */
export function fileNameOf(path: string): string {
  return path.split(/[\\/]/).filter((part) => part !== '').at(-1) ?? path
}
