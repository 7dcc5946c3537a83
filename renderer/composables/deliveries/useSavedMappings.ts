import { ref, shallowRef, type Ref, type ShallowRef } from 'vue'
import type { AppError } from '../../../engine/domain/errors.ts'
import type { ImportSource, Mapping } from '../../../engine/domain/mapping.ts'
import { renameColumn, type Recheck, type SavedMapping } from '../../../engine/domain/saved-mappings.ts'
import { call } from '../../api.ts'
import { useAction } from '../common/useAction.ts'

/** A saved mapping that was put to the table at hand, with what is different there. */
export interface AppliedMapping { name: string; mapping: Mapping; recheck: Recheck }

export interface SavedMappings {
  list: ShallowRef<SavedMapping[] | null>
  applied: ShallowRef<AppliedMapping | null>
  isBusy: Ref<boolean>
  error: ShallowRef<AppError | null>
  load: () => Promise<void>
  save: (name: string, source: ImportSource, mapping: Mapping) => Promise<boolean>
  apply: (saved: SavedMapping, source: ImportSource) => Promise<AppliedMapping | null>
  /** Takes another column in the place of one that is gone. */
  replaceColumn: (from: string, to: string) => AppliedMapping | null
  rename: (mappingId: number, name: string) => Promise<boolean>
  remove: (mappingId: number) => Promise<void>
  exportFile: (mappingId: number) => Promise<void>
  importFile: () => Promise<void>
}

/** The mappings kept under a name. */
export function useSavedMappings(): SavedMappings {
  const list = shallowRef<SavedMapping[] | null>(null)
  const applied = shallowRef<AppliedMapping | null>(null)
  const wasDone = ref(false)
  const { isBusy, error, act } = useAction()
  const read = async (): Promise<void> => { list.value = await call('mappings:list', {}) }
  async function done(work: () => Promise<unknown>): Promise<boolean> {
    wasDone.value = false
    await act(async () => {
      await work()
      await read()
      wasDone.value = true
    })
    return wasDone.value
  }
  return {
    list, applied, isBusy, error,
    load: async () => void await done(async () => {}),
    save: (name, source, mapping) => done(() => call('mappings:save', { name, source, mapping })),
    apply: async (saved, source) => {
      await done(async () => { applied.value = { name: saved.name, ...await call('mappings:apply', { mappingId: saved.mappingId, source }) } })
      return wasDone.value ? applied.value : null
    },
    replaceColumn: (from, to) => {
      if (applied.value === null) return null
      const { name, mapping, recheck } = applied.value
      applied.value = { name, mapping: renameColumn(mapping, from, to), recheck: { ...recheck, gone: recheck.gone.filter(({ column }) => column !== from), added: recheck.added.filter((column) => column !== to) } }
      return applied.value
    },
    rename: (mappingId, name) => done(() => call('mappings:rename', { mappingId, name })),
    remove: async (mappingId) => void await done(() => call('mappings:remove', { mappingId })),
    exportFile: async (mappingId) => void await done(() => call('mappings:export', { mappingId })),
    importFile: async () => void await done(() => call('mappings:import', {})),
  }
}
