/** What the command line says about privacy and dates of an import, put into its mapping. */
import { readFileSync } from 'node:fs'
import { AppError } from '../domain/errors.ts'
import { withPrivacy, type Mapping } from '../domain/mapping.ts'
import { privacyOptionsSchema, privacyRuleSchema, withOrderOfTable } from '../domain/privacy.ts'
import { dateOrderSchema, mappedDatesSchema, type MappedDates } from '../domain/visit-dates.ts'
import type { CliOptions } from './options.ts'

/** The mapping with what the command line says of privacy; what it does not name stays as the mapping has it, and without either every rule works. */
export function withPrivacyOptions(mapping: Mapping, options: CliOptions): Mapping {
  const base = withPrivacy(mapping).privacy!
  const list = options['privacy-list'] === undefined ? [] : readLines(options['privacy-list'])
  const shapes = list.filter((line) => line.startsWith('shape:')).map((line) => line.slice('shape:'.length))
  const parsed = privacyOptionsSchema.safeParse({
    ...base,
    off: options['privacy-off']?.split(',').map((rule) => rule.trim()) ?? base.off,
    dateOrder: options['date-order'] ?? base.dateOrder,
    dates: options.dates ?? base.dates,
    characteristics: options.characteristics ?? base.characteristics,
    burnedIn: options['burned-in'] ?? base.burnedIn,
    words: [...base.words, ...list.filter((line) => !line.startsWith('shape:'))], shapes: [...base.shapes, ...shapes],
  })
  // The words themselves may be names and are not repeated.
  if (!parsed.success) throw new AppError('CLI_USAGE', `The privacy options do not fit at ${parsed.error.issues[0]?.path.join(', ')}: ${choices}. Rules: ${privacyRuleSchema.options.join(', ')}.`)
  return { ...mapping, privacy: parsed.data }
}

const choices = '--dates shift|remove, --characteristics keep|remove, --burned-in review|exclude, --date-order month-first|day-first'

/** `--study-date COLUMN`, `--birth-date COLUMN`, and what comes first in them; "none" for a column that is not to be read. */
export function withDateOptions(mapping: Mapping, options: CliOptions): Mapping {
  const names = ['study-date', 'study-date-order', 'birth-date', 'birth-date-order'] as const
  if (names.every((name) => options[name] === undefined)) return mapping
  const base: MappedDates = mapping.dates ?? mappedDatesSchema.parse({})
  const column = (text: string | undefined, held: string | null): string | null => (text === undefined ? held : text === 'none' ? null : text)
  const order = (name: 'study-date-order' | 'birth-date-order', held: MappedDates['studyOrder']) => {
    const text = options[name]
    if (text === undefined) return held
    const parsed = dateOrderSchema.safeParse(text)
    if (!parsed.success) throw new AppError('CLI_USAGE', `--${name} is one of ${dateOrderSchema.options.join(', ')}; not "${text}".`)
    return parsed.data
  }
  // Another column may be written in another order: what was found out about the earlier one says nothing of it.
  const [study, birth] = [column(options['study-date'], base.study), column(options['birth-date'], base.birth)]
  const studyOrder = order('study-date-order', study === base.study ? base.studyOrder : null)
  return {
    ...mapping,
    ...(mapping.privacy && options['date-order'] === undefined ? { privacy: withOrderOfTable(mapping.privacy, studyOrder) } : {}),
    dates: { study, studyOrder, birth, birthOrder: order('birth-date-order', birth === base.birth ? base.birthOrder : null) },
  }
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split(/\r?\n/).map((line) => line.trim()).filter((line) => line !== '')
  } catch (error) {
    throw new AppError('CLI_USAGE', 'The list of --privacy-list cannot be read.', { cause: error })
  }
}
