import { dirname, join } from 'node:path'
import { AppError } from '../../engine/domain/errors.ts'
import type { ImportReport } from '../../engine/domain/import.ts'
import { demoCohortName, makeDemoSource } from '../../engine/jobs/demo-cohort.ts'
import { resumeImport, startDelivery, startImport, type ImportRequest, type RunningImport } from '../../engine/jobs/import-cohort.ts'
import { shippedRules } from '../../engine/labeller/rules.ts'
import type { Progress } from '../../engine/protocol.ts'
import type { Job } from '../contract/contract.ts'
import type { JobHandle } from '../services/job-board.ts'
import type { HandlerContext } from './context.ts'
import type { Handlers } from './answer.ts'

type ImportCalls = 'deliveries:start' | 'import:choose-folder' | 'import:choose-table' | 'import:inspect' | 'import:preview' | 'import:label-rules' | 'import:check' | 'import:start' | 'import:resume' | 'import:report' | 'import:demo'

const previewRows = 50

export function importHandlers(context: HandlerContext): Handlers<ImportCalls> {
  const { workspace, jobs, pictures, publish, dialogs } = context
  const { store, reader, files, pseudonymKey } = workspace
  /** Speed of the imports that ended since the start; the store keeps what was imported, not how fast. */
  const speeds = new Map<number, Pick<ImportReport, 'elapsedMs' | 'imagesPerSecond'>>()

  function follow(kind: Job['kind'], title: string, begin: (onProgress: (progress: Progress) => void) => RunningImport): { cohortId: number; jobKey: string } {
    let handle: JobHandle | null = null
    const running = begin((progress) => handle?.progress(progress))
    const jobKey = `import-${running.cohortId}-${Date.now()}`
    const started = jobs.start({ jobKey, kind, title, cohortId: running.cohortId, runId: null }, running.cancel)
    handle = started
    running.report.then(
      (report) => {
        speeds.set(running.cohortId, { elapsedMs: report.elapsedMs, imagesPerSecond: report.imagesPerSecond })
        started.end(report.status === 'complete' ? 'done' : 'cancelled')
      },
      (error: unknown) => started.fail(error),
    ).finally(() => publish('cohorts:changed', { cohortId: running.cohortId }))
    publish('cohorts:changed', { cohortId: running.cohortId })
    return { cohortId: running.cohortId, jobKey }
  }

  /** The files of the demo cohort; null when the user cancelled. */
  async function drawDemo(): Promise<ImportRequest | null> {
    let handle: JobHandle | null = null
    const drawing = makeDemoSource(workspace, join(dirname(workspace.paths.storeFile), 'demo'), (progress) => handle?.progress(progress))
    handle = jobs.start({ jobKey: `demo-${Date.now()}`, kind: 'demo', title: demoCohortName, cohortId: null, runId: null }, drawing.cancel)
    try {
      const request = await drawing.request
      handle.end(request ? 'done' : 'cancelled')
      return request
    } catch (error) {
      handle.fail(error)
      throw error
    }
  }

  return {
    'import:choose-folder': async () => ({ path: await dialogs.chooseFolder() }),
    'import:choose-table': async ({ folder }) => ({ path: await dialogs.chooseTable(folder) }),
    'import:inspect': async (request) => {
      const inspection = await files.run('table:inspect', request)
      if (!inspection) throw new AppError('ENGINE_UNAVAILABLE', 'The table could not be read because the engine stopped.')
      return inspection
    },
    'import:preview': async ({ source, mapping }) => {
      const preview = await files.run('import:preview', { source, mapping, pseudonymKey, limit: previewRows })
      return {
        derived: preview?.derived ?? null,
        rows: (preview?.rows ?? []).map((row) => ({
          ...row,
          images: row.images.map(({ slotId, path, frame, frameCount }) => ({ slotId, url: path === null ? null : pictures.previewUrl(path, frame), frame, frameCount })),
        })),
      }
    },
    'import:label-rules': () => shippedRules(),
    'import:check': async ({ jobKey, source, mapping, into }) => {
      let handle: JobHandle | null = null
      const knownLabels = into && { names: store.cohorts.get(into.cohortId).labels.map(({ name }) => name), leaveOutNew: into.leaveOutNewLabels }
      const job = files.start('import:check', { source, mapping, pseudonymKey, knownLabels, withKeys: into !== undefined }, { onProgress: (progress) => handle?.progress(progress) })
      handle = jobs.start({ jobKey, kind: 'check', title: 'Check of the source', cohortId: null, runId: null }, job.cancel)
      try {
        const outcome = await job.outcome
        handle.end(outcome.status)
        if (outcome.status !== 'done') return null
        const { keys, ...check } = outcome.value
        return { ...check, forecast: into && keys ? await reader.read('deliveries:forecast', { cohortId: into.cohortId, keys }) : null }
      } catch (error) {
        handle.fail(error)
        throw error
      }
    },
    'import:start': (request) => follow('import', request.cohortName, (onProgress) => startImport(workspace, request, onProgress)),
    'deliveries:start': (request) => {
      if (jobs.isImporting(request.cohortId)) throw new AppError('ENGINE_BUSY', 'An import into this cohort is going on already.')
      return { jobKey: follow('import', store.cohorts.get(request.cohortId).name, (onProgress) => startDelivery(workspace, request, onProgress)).jobKey }
    },
    'import:resume': ({ cohortId }) => {
      if (jobs.isImporting(cohortId)) throw new AppError('ENGINE_BUSY', 'This import is going on already.')
      return { jobKey: follow('import', store.cohorts.get(cohortId).name, (onProgress) => resumeImport(workspace, cohortId, onProgress)).jobKey }
    },
    'import:report': async ({ cohortId }) => ({ ...await reader.read('imports:report', { cohortId }), ...(speeds.get(cohortId) ?? { elapsedMs: 0, imagesPerSecond: 0 }) }),
    'import:demo': async () => {
      const request = await drawDemo()
      return request && follow('demo', request.cohortName, (onProgress) => startImport(workspace, request, onProgress))
    },
  }
}
