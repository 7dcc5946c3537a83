import { AppError } from '../../domain/errors.ts'
import type { Mapping } from '../../domain/mapping.ts'
import { normaliseColumnName } from '../table/header.ts'
import { templateColumns } from './text-template.ts'

/** Finds a mapped column in the table; names are compared cleaned (trimmed, NFC). */
export type ColumnLookup = (name: string) => number

/**
 * Lookup of column positions by name.
 * The returned function throws AppError IMPORT_COLUMN_MISSING for a column that the table does not have.
 */
export function createColumnLookup(columns: readonly string[]): ColumnLookup {
  const positions = new Map(columns.map((name, index) => [name, index]))
  return (name) => {
    const position = positions.get(normaliseColumnName(name))
    if (position === undefined) throw new AppError('IMPORT_COLUMN_MISSING', `The table has no column named "${normaliseColumnName(name)}".`)
    return position
  }
}

/**
 * Checks a mapping against itself: slot ids and label names unique, templates that name a column, patterns with `{id}`.
 * @throws AppError IMPORT_MAPPING_INVALID
 */
export function assertMapping(mapping: Mapping): void {
  const slotIds = mapping.slots.map(({ slot }) => slot.slotId)
  if (new Set(slotIds).size !== slotIds.length) throw new AppError('IMPORT_MAPPING_INVALID', 'Two slots have the same name.')
  for (const { slot, source } of mapping.slots) {
    if (source.kind === 'template' && templateColumns(source.template).length === 0) {
      throw new AppError('IMPORT_MAPPING_INVALID', `The text of "${slot.title}" names no column in braces, so every patient would have the same text.`)
    }
    if (source.kind === 'report-files' && !source.pattern.includes('{id}')) {
      throw new AppError('IMPORT_MAPPING_INVALID', `The file-name pattern of "${slot.title}" lacks {id}, so every patient would have the same report.`)
    }
    if (source.kind === 'pattern' && !source.pattern.includes('{id}')) {
      throw new AppError('IMPORT_MAPPING_INVALID', `The file-name pattern of "${slot.title}" lacks {id}, so every patient would have the same image.`)
    }
  }
  if (mapping.labels.kind === 'one-hot') {
    const names = mapping.labels.columns.map(({ name }) => name)
    if (new Set(names).size !== names.length) throw new AppError('IMPORT_MAPPING_INVALID', 'Two label columns have the same label name.')
  }
}
