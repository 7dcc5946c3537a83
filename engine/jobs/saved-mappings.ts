import { readFileSync, writeFileSync } from 'node:fs'
import { AppError } from '../domain/errors.ts'
import { withPrivacy, type ImportSource, type Mapping } from '../domain/mapping.ts'
import { columnsOfMapping, mappingFileSchema, recheckMapping, savedMappingContentSchema, toMappingFile, type MappedValues, type Recheck, type SavedMapping, type SavedMappingContent } from '../domain/saved-mappings.ts'
import type { StoredMapping } from '../store/deliveries/saved-mappings.ts'
import { translateErrors } from '../store/sqlite-errors.ts'
import type { Workspace } from './workspace.ts'

const contentOf = (stored: StoredMapping): SavedMappingContent => savedMappingContentSchema.parse(JSON.parse(stored.content))

export function listMappings({ store }: Pick<Workspace, 'store'>): SavedMapping[] {
  return store.savedMappings.list().map((stored) => {
    const { mapping, columns } = contentOf(stored)
    return { mappingId: stored.mappingId, name: stored.name, slotTitles: mapping.slots.map(({ slot }) => slot.title), columnCount: columns.length, createdAt: stored.createdAt, usedAt: stored.usedAt }
  })
}

/** The saved mapping of that name (any case); throws STORE_NOT_FOUND. */
export function mappingNamed({ store }: Pick<Workspace, 'store'>, name: string): { mappingId: number; name: string; content: SavedMappingContent } {
  const stored = store.savedMappings.list().find((mapping) => mapping.name.toLowerCase() === name.trim().toLowerCase())
  if (stored === undefined) throw new AppError('STORE_NOT_FOUND', `There is no saved mapping "${name}".`)
  return { mappingId: stored.mappingId, name: stored.name, content: contentOf(stored) }
}

async function valuesOf({ files }: Pick<Workspace, 'files'>, source: ImportSource, mapping: Mapping): Promise<MappedValues> {
  const values = await files.run('mapping:values', { source, mapping })
  if (values === null) throw new AppError('ENGINE_UNAVAILABLE', 'The table could not be read because the engine stopped.')
  return values
}

/** Keeps a mapping under a name, with the titles and values of the table it was made for, where that is still there. Throws STORE_NAME_TAKEN. */
export async function saveMapping(workspace: Pick<Workspace, 'store' | 'files'>, name: string, source: ImportSource, mapping: Mapping): Promise<number> {
  const { columns, values } = await valuesOf(workspace, source, mapping).catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'IMPORT_TABLE_MISSING') return { columns: columnsOfMapping(mapping), values: null }
    throw error
  })
  return workspace.store.savedMappings.save(name, JSON.stringify({ mapping: withPrivacy(mapping), columns, values } satisfies SavedMappingContent))
}

/** A saved mapping for a table, and what is different in that table. The second table of the source at hand stays. */
export async function applyMapping(workspace: Pick<Workspace, 'store' | 'files'>, mappingId: number, source: ImportSource): Promise<{ mapping: Mapping; recheck: Recheck }> {
  const content = contentOf(workspace.store.savedMappings.get(mappingId))
  const recheck = recheckMapping(content, await valuesOf(workspace, source, content.mapping))
  workspace.store.savedMappings.markUsed(mappingId)
  return { mapping: content.mapping, recheck }
}

/** Writes a saved mapping as a JSON file, without the user's own privacy words. */
export function exportMapping({ store }: Pick<Workspace, 'store'>, mappingId: number, outFile: string): void {
  const stored = store.savedMappings.get(mappingId)
  translateErrors(() => writeFileSync(outFile, `${JSON.stringify(toMappingFile(stored.name, contentOf(stored)), null, 2)}\n`))
}

/** Takes a mapping in that was exported. Throws IMPORT_MAPPING_FILE for any other file, STORE_NAME_TAKEN. */
export function importMapping({ store }: Pick<Workspace, 'store'>, file: string, name?: string): number {
  let raw: unknown
  try {
    raw = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new AppError('IMPORT_MAPPING_FILE', 'The file cannot be read as JSON.', { cause: error })
  }
  const parsed = mappingFileSchema.safeParse(raw)
  if (!parsed.success) throw new AppError('IMPORT_MAPPING_FILE', `The file is no exported mapping: it does not fit at "${parsed.error.issues[0]?.path.join('.') ?? ''}".`)
  const { mapping, columns } = parsed.data
  return store.savedMappings.save(name ?? parsed.data.name, JSON.stringify({ mapping: withPrivacy(mapping), columns, values: null } satisfies SavedMappingContent))
}

/** What is different, in lines for a terminal. */
export function recheckLines({ gone, added, newValues, absentValues }: Recheck): string[] {
  return [
    ...gone.map(({ column, likely }) => `column "${column}" is gone${likely === null ? '' : `; probably "${likely}" now`}`),
    ...newValues.slice(0, 20).map(({ column, value, rows }) => `never seen before in "${column}": "${value}" (${rows} ${rows === 1 ? 'row' : 'rows'})`),
    ...(newValues.length > 20 ? [`and ${newValues.length - 20} more values never seen before`] : []),
    ...absentValues.slice(0, 5).map(({ column, value }) => `no longer in "${column}": "${value}"`),
    ...(added.length > 0 ? [`columns in addition: ${added.slice(0, 10).map((column) => `"${column}"`).join(', ')}`] : []),
  ]
}
