import { stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { embeddedBackboneId, type BackboneArchitecture, type BackboneCheck, type BackboneRecord } from '../../engine/domain/backbones.ts'
import { listBackbones } from '../../engine/jobs/backbone-list.ts'
import { backboneTensors, listImportedBackbones, locationsOf, removeBackbone, setBackboneDetails, startAddBackbone } from '../../engine/jobs/backbones.ts'
import type { BackboneEntry } from '../contract/contract.ts'
import type { JobHandle } from '../services/job-board.ts'
import type { Handlers } from './answer.ts'
import type { HandlerContext } from './context.ts'

type BackboneCalls = 'backbones:list' | 'backbones:tensors' | 'backbones:choose' | 'backbones:add' | 'backbones:edit' | 'backbones:verify' | 'backbones:remove'
type FileState = BackboneEntry['files'][number]['state']

/** Transformer blocks of the embedded text encoder, beside which adapters are placed. */
const embeddedBlockCount = 6

const architectureNames: Record<BackboneArchitecture, string> = {
  mmbt: 'Multimodal bitransformer', vilt: 'ViLT', bert: 'BERT', vit: 'Vision Transformer (ViT)', deit: 'Data-efficient image transformer (DeiT)', clip: 'CLIP',
}

export function backboneHandlers({ workspace, jobs, publish, dialogs }: HandlerContext): Handlers<BackboneCalls> {
  const { store, paths } = workspace
  /** What the last check of this session found; before a run its files are hashed anew whatever stands here. */
  const checks = new Map<string, BackboneCheck>()

  async function importedEntry(record: BackboneRecord): Promise<BackboneEntry> {
    const files = await Promise.all(record.files.map(async (file) => ({ ...file, state: await fileState(record.backboneId, file) })))
    return {
      backboneId: record.backboneId, isEmbedded: false, title: record.name, architecture: architectureNames[record.architecture], reads: record.reads,
      sizes: record.sizes, blockCount: record.sizes.blocks, parameterCount: record.parameterCount, tensorCount: record.tensorCount,
      state: worstOf(files.map(({ state }) => state)), files, licence: record.licence, source: record.source, notes: record.notes, addedAt: record.addedAt,
    }
  }

  /** The size now and the last hash: a file that was cut or taken away shows at once, without reading gigabytes. */
  async function fileState(backboneId: string, { name, byteSize }: { name: string; byteSize: number }): Promise<FileState> {
    const size = await stat(join(paths.backbonesDir, backboneId, name)).then((found) => found.size, () => -1)
    if (size < byteSize) return 'incomplete'
    if (size > byteSize) return 'changed'
    const checked = checks.get(backboneId)?.files.find((file) => file.name === name)?.state
    if (checked === undefined) return 'unchecked'
    return checked === 'intact' || checked === 'changed' ? checked : 'unchecked'
  }

  return {
    'backbones:list': async () => {
      const embedded = (await listBackbones(paths.weightsDir)).map((entry): BackboneEntry => {
        const files = entry.files.map(({ isIntact, ...file }) => ({ ...file, state: isIntact === null ? 'incomplete' as const : isIntact ? 'intact' as const : 'changed' as const }))
        return { ...entry, isEmbedded: true, reads: 'joint', sizes: null, blockCount: embeddedBlockCount, tensorCount: 0, state: worstOf(files.map(({ state }) => state)), files, notes: [], addedAt: null }
      })
      return [...embedded, ...await Promise.all(listImportedBackbones(workspace).map(importedEntry))]
    },
    'backbones:tensors': ({ backboneId }) => (backboneId === embeddedBackboneId ? [] : backboneTensors(workspace, backboneId)),
    'backbones:choose': async ({ what }) => ({ path: await dialogs.chooseBackbone(what) }),
    'backbones:add': ({ from }) => {
      let handle: JobHandle | null = null
      const adding = startAddBackbone(workspace, { from, name: '', licence: '', source: '' }, (progress) => handle?.progress(progress))
      const jobKey = `backbone-${Date.now()}`
      const started = jobs.start({ jobKey, kind: 'backbone', title: basename(from), cohortId: null, runId: null }, adding.cancel)
      handle = started
      void adding.done.then(
        (record) => {
          // It was hashed while it was copied.
          if (record !== null) checks.set(record.backboneId, { backboneId: record.backboneId, isIntact: true, files: record.files.map(({ name }) => ({ name, state: 'intact', detail: '' })) })
          started.end(record === null ? 'cancelled' : 'done')
        },
        (error: unknown) => started.fail(error),
      ).finally(() => publish('backbones:changed', {}))
      return { jobKey }
    },
    'backbones:edit': ({ backboneId, details }) => {
      setBackboneDetails(workspace, backboneId, details)
      publish('backbones:changed', {})
      return {}
    },
    'backbones:verify': async ({ backboneId }) => {
      const { name } = store.backbones.get(backboneId)
      const [backbone] = locationsOf(workspace, backboneId)
      let handle: JobHandle | null = null
      const job = workspace.files.start('backbone:check', { backbone: backbone! }, { onProgress: (progress) => handle?.progress(progress) })
      handle = jobs.start({ jobKey: `backbone-check-${Date.now()}`, kind: 'backbone', title: `Files of ${name}`, cohortId: null, runId: null }, job.cancel)
      try {
        const outcome = await job.outcome
        if (outcome.status === 'done') checks.set(backboneId, outcome.value)
        handle.end(outcome.status)
        return outcome.status === 'done' ? outcome.value : null
      } catch (error) {
        handle.fail(error)
        throw error
      } finally {
        publish('backbones:changed', {})
      }
    },
    'backbones:remove': ({ backboneId }) => {
      removeBackbone(workspace, backboneId)
      checks.delete(backboneId)
      publish('backbones:changed', {})
      return {}
    },
  }
}

function worstOf(states: readonly FileState[]): FileState {
  return (['incomplete', 'changed', 'unchecked'] as const).find((state) => states.includes(state)) ?? 'intact'
}
