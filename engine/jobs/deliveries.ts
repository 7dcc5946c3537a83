import { existsSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { ImportReport } from '../domain/import.ts'
import type { Store } from '../store/open.ts'
import { inTurns } from './in-turns.ts'
import type { Workspace } from './workspace.ts'

/** The report of the last import of a cohort: of its last delivery, or of the import that made it. */
export function importReportOf(store: Store, cohortId: number): Omit<ImportReport, 'elapsedMs' | 'imagesPerSecond'> {
  const first = store.imports.report(cohortId)
  const last = store.deliveries.list(cohortId).findLast(({ status }) => status !== 'undone')!
  const { deliveryId, number, status, counts, onChanged } = last
  if (deliveryId === null) return first
  const dates = store.imports.deliveryDates(cohortId, deliveryId)
  return {
    cohortId, cohortName: first.cohortName, status: status === 'done' ? 'complete' : 'paused',
    rowsIn: counts.rowsIn, rowsAccepted: counts.rowsIn - counts.rowsRejected, rowsRejected: counts.rowsRejected,
    rejections: store.deliveries.rejections(deliveryId), patientCount: counts.newPatients, studyCount: counts.added.studies, itemCount: counts.added.studies * store.cohorts.get(cohortId).slots.length,
    absences: [],
    ...(dates === null ? {} : { dates }),
    delivery: { deliveryId, number, onChanged, counts, changed: store.deliveries.changed(deliveryId, 200) },
  }
}

/** Takes the last delivery of a cohort back, with what was prepared of its images. Originals stay where they are. */
export async function undoDelivery(workspace: Workspace, deliveryId: number): Promise<void> {
  const { store, reader } = workspace
  const hashes = store.originals.imageHashes({ deliveryId })
  const cohortId = store.deliveries.beginUndo(deliveryId)
  await inTurns(store.deliveries.undoSteps())
  store.imports.replaceLabelWords(cohortId, await reader.read('cohorts:find-words', { cohortId }))
  await forgetPrepared(workspace, hashes)
}

/**
 * Deletes thumbnails, pictures and prepared inputs of images that no cohort holds any more. They lie in folders by kind, below the first two
 * letters of the content hash. What a kill leaves lies under "This workstation", where everything prepared can be deleted.
 */
export async function forgetPrepared({ store, paths }: Pick<Workspace, 'store' | 'paths'>, hashes: readonly string[]): Promise<void> {
  const gone = new Map<string, Set<string>>()
  for (const sha256 of hashes) {
    if (store.originals.isHeld(sha256)) continue
    const start = sha256.slice(0, 2)
    gone.set(start, (gone.get(start) ?? new Set()).add(sha256))
  }
  if (gone.size === 0) return
  for (const kind of await preparedFolders(paths.cacheDir)) {
    for (const [start, removed] of gone) {
      const names = await readdir(join(kind, start)).catch(() => [])
      for (const name of names) if (removed.has(name.slice(0, 64))) await rm(join(kind, start, name), { force: true })
    }
  }
}

/** `pictures`, `grid-…`, `pixels-…`, and the same below a folder of degraded inputs. */
async function preparedFolders(cacheDir: string): Promise<string[]> {
  if (!existsSync(cacheDir)) return []
  const below = async (folder: string): Promise<string[]> => (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map((entry) => join(folder, entry.name))
  const kinds = await below(cacheDir)
  const deeper = await Promise.all(kinds.filter((kind) => kind.includes('degraded-')).map(below))
  return [...kinds, ...deeper.flat()]
}
