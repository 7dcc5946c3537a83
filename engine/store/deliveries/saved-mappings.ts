import { AppError } from '../../domain/errors.ts'
import { found, type StoreContext } from '../context.ts'
import { isUniqueViolation } from '../sqlite-errors.ts'

/** A mapping under its name. `content` is the text of a `savedMappingContentSchema`, sealed on disk. */
export interface StoredMapping {
  mappingId: number
  name: string
  content: string
  createdAt: string
  usedAt: string | null
}

export interface SavedMappingRepository {
  /** @throws AppError STORE_NAME_TAKEN */
  save: (name: string, content: string) => number
  list: () => StoredMapping[]
  get: (mappingId: number) => StoredMapping
  /** @throws AppError STORE_NAME_TAKEN */
  rename: (mappingId: number, name: string) => void
  markUsed: (mappingId: number) => void
  remove: (mappingId: number) => void
}

/** Mappings kept for the next delivery. */
export function createSavedMappingRepository({ db, now, audit }: StoreContext): SavedMappingRepository {
  const columns = 'id AS mappingId, name, content, created_at AS createdAt, used_at AS usedAt'
  const insert = db.prepare('INSERT INTO saved_mappings (name, content, created_at) VALUES (:name, :content, :now)')
  const selectAll = db.prepare<[], StoredMapping>(`SELECT ${columns} FROM saved_mappings ORDER BY name COLLATE NOCASE`)
  const select = db.prepare<{ mappingId: number }, StoredMapping>(`SELECT ${columns} FROM saved_mappings WHERE id = :mappingId`)
  const updateName = db.prepare('UPDATE saved_mappings SET name = :name WHERE id = :mappingId')
  const updateUsed = db.prepare('UPDATE saved_mappings SET used_at = :now WHERE id = :mappingId')
  const deleteOne = db.prepare('DELETE FROM saved_mappings WHERE id = :mappingId')
  const rowOf = (mappingId: number) => found(select.get({ mappingId }), 'saved mapping', mappingId)

  function nameTaken<T>(name: string, write: () => T): T {
    try {
      return write()
    } catch (error) {
      if (isUniqueViolation(error)) throw new AppError('STORE_NAME_TAKEN', `There is already a mapping named "${name}".`, { cause: error })
      throw error
    }
  }

  const save = db.transaction((name: string, content: string): number => {
    const mappingId = nameTaken(name, () => Number(insert.run({ name, content, now: now() }).lastInsertRowid))
    audit('mapping.saved', { mappingId })
    return mappingId
  })
  const remove = db.transaction((mappingId: number): void => {
    rowOf(mappingId)
    deleteOne.run({ mappingId })
    audit('mapping.removed', { mappingId })
  })

  return {
    save: (name, content) => save.immediate(name.trim(), content),
    list: () => selectAll.all(),
    get: rowOf,
    rename: (mappingId, name) => {
      rowOf(mappingId)
      nameTaken(name.trim(), () => updateName.run({ mappingId, name: name.trim() }))
    },
    markUsed: (mappingId) => void updateUsed.run({ mappingId, now: now() }),
    remove: (mappingId) => remove.immediate(mappingId),
  }
}
