import { resolve } from 'node:path'
import type { Delivery, OriginalsFolder } from '../domain/deliveries.ts'
import { AppError } from '../domain/errors.ts'
import { undoDelivery } from '../jobs/deliveries.ts'
import { checkOriginals, relinkOriginals } from '../jobs/originals.ts'
import { exportMapping, importMapping, listMappings, mappingNamed, saveMapping } from '../jobs/saved-mappings.ts'
import type { Workspace } from '../jobs/workspace.ts'
import { cohortNamed } from './import-command.ts'
import { required, wholeNumber, type CliOptions } from './options.ts'
import type { CliOutput } from './output.ts'

/** `lacuna deliveries list|undo`: what was imported into a cohort, and taking the last delivery back. */
export async function deliveriesCommand(workspace: Workspace, action: string, options: CliOptions, output: CliOutput): Promise<void> {
  const { cohortId, name } = cohortNamed(workspace, required(options, 'cohort'))
  const deliveries = workspace.store.deliveries.list(cohortId)
  if (action === 'list') return output.result(deliveries, deliveries.map(deliveryLine).join('\n'))
  if (action !== 'undo') throw new AppError('CLI_USAGE', `"deliveries" knows list and undo, not "${action}".`)
  const last = deliveries.findLast(({ status }) => status !== 'undone')!
  if (last.deliveryId === null) throw new AppError('IMPORT_UNDO_ORDER', `"${name}" has no further delivery. Its first import is undone by removing the cohort in the app.`)
  await undoDelivery(workspace, last.deliveryId)
  output.result({ undone: last.number }, `Delivery ${last.number} of "${name}" is taken back. Originals were not touched.`)
}

function deliveryLine({ number, status, createdAt, counts, runNames }: Delivery): string {
  const changed = counts.kept.studies + counts.keptUsed.studies + counts.replaced.studies
  return `${number}  ${status}  ${createdAt.slice(0, 10)}  ${counts.rowsIn} rows: ${counts.added.studies} studies added, ${counts.unchanged.studies} known, ${changed} changed (${counts.replaced.studies} replaced), ${counts.rowsRejected} rows rejected${runNames.length > 0 ? `; used by ${runNames.length} runs` : ''}`
}

/** `lacuna check-originals`: ends with code 3 when a file is not as it was imported. */
export async function checkOriginalsCommand(workspace: Workspace, options: CliOptions, output: CliOutput, onInterrupt: (cancel: () => void) => void): Promise<void> {
  const { cohortId } = cohortNamed(workspace, required(options, 'cohort'))
  const running = options.moved === undefined
    ? checkOriginals(workspace, { cohortId, depth: options.quick ? 'size' : 'content' }, output.progress)
    : relinkOriginals(workspace, cohortId, deliveryIdOf(workspace, cohortId, options), resolve(options.moved), output.progress)
  onInterrupt(running.cancel)
  const folders = await running.folders
  if (folders === null) {
    process.exitCode = 130
    return
  }
  output.result(folders, [...(options.moved === undefined ? [] : ['The folder was taken: every file in it was compared by content.']), ...folders.flatMap(folderLines)].join('\n'))
  if (folders.some(({ isThere, missing, changed, unreadable }) => !isThere || missing + changed + unreadable > 0)) process.exitCode = 3
}

function deliveryIdOf(workspace: Workspace, cohortId: number, options: CliOptions): number | null {
  const number = options.delivery === undefined ? 1 : wholeNumber(options, 'delivery')
  const folder = workspace.store.originals.folders(cohortId).find((candidate) => candidate.number === number)
  if (folder === undefined) throw new AppError('STORE_NOT_FOUND', `The cohort has no delivery ${number}.`)
  return folder.deliveryId
}

function folderLines({ number, isThere, fileCount, there, missing, changed, unreadable, depth, affected }: OriginalsFolder): string[] {
  if (!isThere) return [`${number}  the folder is not there: the drive is unplugged, or the folder was renamed or moved (--moved DIR takes the new place)`]
  return [
    `${number}  ${fileCount} files, ${depth === 'size' ? 'sizes compared' : 'contents compared'}: ${there} as imported, ${missing} missing, ${changed} changed, ${unreadable} unreadable`,
    ...affected.slice(0, 20).map(({ patientKey, slotId, state }) => `   ${patientKey} ${slotId}: ${state}`),
    ...(affected.length > 20 ? [`   and ${affected.length - 20} more`] : []),
  ]
}

/** `lacuna mappings …`: mappings kept under a name. */
export async function mappingsCommand(workspace: Workspace, action: string, options: CliOptions, output: CliOutput): Promise<void> {
  const { store } = workspace
  switch (action) {
    case 'list': {
      const mappings = listMappings(workspace)
      return output.result(mappings, mappings.map(({ name, slotTitles, usedAt }) => `${name}  (${slotTitles.join(', ')})${usedAt === null ? '' : `, last used ${usedAt.slice(0, 10)}`}`).join('\n') || 'No saved mappings yet.')
    }
    case 'save': {
      // Of a cohort, with the table it was imported from.
      const { cohortId, name } = cohortNamed(workspace, required(options, 'cohort'))
      const { source, mapping } = store.cohorts.importRequest(cohortId)
      const mappingId = await saveMapping(workspace, options.name ?? name, source, mapping)
      return output.result({ mappingId }, `Saved as "${options.name ?? name}".`)
    }
    case 'show': {
      const { name, content } = mappingNamed(workspace, required(options, 'mapping'))
      return output.result({ name, ...content }, JSON.stringify(content.mapping, null, 2))
    }
    case 'export': {
      const { mappingId, name } = mappingNamed(workspace, required(options, 'mapping'))
      exportMapping(workspace, mappingId, resolve(required(options, 'out')))
      return output.result({ mappingId }, `"${name}" is written. The own words of its privacy rules are left out.`)
    }
    case 'import': {
      const mappingId = importMapping(workspace, resolve(required(options, 'from')), options.name)
      return output.result({ mappingId }, `Saved as "${store.savedMappings.get(mappingId).name}".`)
    }
    case 'rename': {
      const { mappingId } = mappingNamed(workspace, required(options, 'mapping'))
      store.savedMappings.rename(mappingId, required(options, 'name'))
      return output.result({ mappingId }, 'Renamed.')
    }
    case 'remove': {
      const { mappingId, name } = mappingNamed(workspace, required(options, 'mapping'))
      store.savedMappings.remove(mappingId)
      return output.result({ mappingId }, `"${name}" is deleted.`)
    }
    default: throw new AppError('CLI_USAGE', `"mappings" knows list, save, show, export, import, rename and remove, not "${action}".`)
  }
}
