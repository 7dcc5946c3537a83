import { rmSync, readdirSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import {
  type BackboneAddRequest, type BackboneCheck, type BackboneDetails, type BackboneLocation, type BackboneRecord, type BackboneTensor,
  backboneAddRequestSchema, backboneDetailsSchema, backboneIdsOf, embeddedBackboneId,
} from '../domain/backbones.ts'
import { PART_PREFIX } from '../backbones/import/import-folder.ts'
import { AppError } from '../domain/errors.ts'
import type { Progress } from '../protocol.ts'
import type { Workspace } from './workspace.ts'

/** Imported backbones lie in one folder each, named by their id, beside the database. */

export interface RunningAdd {
  /** The stored record, or null after a cancel; nothing is left on disk then. */
  done: Promise<BackboneRecord | null>
  cancel: () => void
}

/** Copies a backbone into the app's own folder, checks that it opens and computes, and stores it. See `importFolder` for what it throws. */
export function startAddBackbone(workspace: Workspace, input: BackboneAddRequest, onProgress?: (progress: Progress) => void): RunningAdd {
  const { store, paths } = workspace
  const request = backboneAddRequestSchema.parse(input)
  const from = resolve(request.from)
  const isFirst = !adding.has(store)
  if (isFirst) sweepUnfinished(workspace)
  const job = workspace.files.start('backbone:add', {
    from, backbonesDir: paths.backbonesDir, weightsDir: paths.weightsDir, knownIds: store.backbones.list().map(({ backboneId }) => backboneId),
  }, { onProgress })
  adding.add(store)
  const done = job.outcome.finally(() => isFirst && adding.delete(store)).then((outcome) => {
    if (outcome.status === 'cancelled') return null
    const found = outcome.value
    store.backbones.add(found, {
      name: request.name || basename(from).replace(/\.\w+$/, '').slice(0, 120) || found.backboneId,
      licence: request.licence || found.licence,
      source: request.source || found.source,
    })
    return store.backbones.get(found.backboneId)
  })
  return { done, cancel: job.cancel }
}

/** Stores with an add under way: its unfinished copy is not a leftover. */
const adding = new WeakSet<Workspace['store']>()

/** Copies that a crash cut off. */
function sweepUnfinished({ paths }: Workspace): void {
  for (const name of readdirSync(paths.backbonesDir)) {
    if (name.startsWith(PART_PREFIX)) rmSync(join(paths.backbonesDir, name), { recursive: true, force: true })
  }
}

/** Every imported backbone, in the order of adding; removed ones only when asked for. */
export function listImportedBackbones(workspace: Pick<Workspace, 'store'>, withRemoved = false): BackboneRecord[] {
  return workspace.store.backbones.list({ withRemoved })
}

/** The parameter table of one backbone, in the order of its weights file. */
export function backboneTensors(workspace: Pick<Workspace, 'store'>, backboneId: string): BackboneTensor[] {
  return workspace.store.backbones.tensors(backboneId)
}

/** Changes what a user may write; returns the record as it is then. */
export function setBackboneDetails(workspace: Pick<Workspace, 'store'>, backboneId: string, details: BackboneDetails): BackboneRecord {
  workspace.store.backbones.setDetails(backboneId, backboneDetailsSchema.parse(details))
  return workspace.store.backbones.get(backboneId)
}

/** Hashes the files of a backbone now; null when cancelled. */
export async function verifyImportedBackbone(workspace: Workspace, backboneId: string, onProgress?: (progress: Progress) => void): Promise<BackboneCheck | null> {
  const [location] = locationsOf(workspace, backboneId)
  if (location === undefined) throw new AppError('BACKBONE_NOT_FOUND', 'The embedded backbone is checked on the page "Backbones" and before every run.')
  return workspace.files.run('backbone:check', { backbone: location }, { onProgress })
}

/** Marks a backbone as removed and deletes its files. Throws BACKBONE_IN_USE while a run that is not over names it; finished runs keep its record. */
export function removeBackbone(workspace: Workspace, backboneId: string): void {
  const { store, paths } = workspace
  store.backbones.markRemoved(backboneId)
  rmSync(join(paths.backbonesDir, store.backbones.get(backboneId).backboneId), { recursive: true, force: true })
}

/** Where the engine finds the backbone (or both of a pair) that a run names; none for the embedded one. Throws BACKBONE_NOT_FOUND or BACKBONE_REMOVED. */
export function locationsOf({ store, paths }: Pick<Workspace, 'store' | 'paths'>, backbone: string): BackboneLocation[] {
  return backboneIdsOf(backbone).filter((backboneId) => backboneId !== embeddedBackboneId).map((backboneId) => {
    const { name, contentHash, files, removedAt } = store.backbones.get(backboneId)
    if (removedAt !== null) throw new AppError('BACKBONE_REMOVED', `The backbone "${name}" was removed on ${removedAt.slice(0, 10)}.`)
    return { backboneId, name, contentHash, files, dir: join(paths.backbonesDir, backboneId) }
  })
}
