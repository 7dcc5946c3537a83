import type { StoreContext } from '../context.ts'

export interface MetaRepository {
  get: (key: string) => string | null
  set: (key: string, value: string) => void
  remove: (key: string) => void
}

/** Small facts about the database itself, as text. */
export function createMetaRepository({ db }: Pick<StoreContext, 'db'>): MetaRepository {
  const select = db.prepare<{ key: string }, { value: string }>('SELECT value FROM meta WHERE key = :key')
  const upsert = db.prepare<{ key: string; value: string }>('INSERT INTO meta (key, value) VALUES (:key, :value) ON CONFLICT (key) DO UPDATE SET value = excluded.value')
  const remove = db.prepare<{ key: string }>('DELETE FROM meta WHERE key = :key')
  return {
    get: (key) => select.get({ key })?.value ?? null,
    set: (key, value) => void upsert.run({ key, value }),
    remove: (key) => void remove.run({ key }),
  }
}
