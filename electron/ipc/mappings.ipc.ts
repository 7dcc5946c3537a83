import { applyMapping, exportMapping, importMapping, listMappings, saveMapping } from '../../engine/jobs/saved-mappings.ts'
import type { Handlers } from './answer.ts'
import type { HandlerContext } from './context.ts'

type MappingCalls = 'mappings:list' | 'mappings:save' | 'mappings:apply' | 'mappings:rename' | 'mappings:remove' | 'mappings:export' | 'mappings:import'

export function mappingHandlers({ workspace, dialogs }: HandlerContext): Handlers<MappingCalls> {
  const { store } = workspace
  return {
    'mappings:list': () => listMappings(workspace),
    'mappings:save': async ({ name, source, mapping }) => ({ mappingId: await saveMapping(workspace, name, source, mapping) }),
    'mappings:apply': ({ mappingId, source }) => applyMapping(workspace, mappingId, source),
    'mappings:rename': ({ mappingId, name }) => {
      store.savedMappings.rename(mappingId, name)
      return {}
    },
    'mappings:remove': ({ mappingId }) => {
      store.savedMappings.remove(mappingId)
      return {}
    },
    'mappings:export': async ({ mappingId }) => {
      const { name } = store.savedMappings.get(mappingId)
      const path = await dialogs.chooseSaveFile(`${name.replace(/[^\p{L}\p{N} _-]+/gu, '').trim() || 'mapping'}.json`)
      if (path !== null) exportMapping(workspace, mappingId, path)
      return { isWritten: path !== null }
    },
    'mappings:import': async () => {
      const path = await dialogs.chooseMapping()
      return { mappingId: path === null ? null : importMapping(workspace, path) }
    },
  }
}
