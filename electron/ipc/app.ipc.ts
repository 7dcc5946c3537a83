import { statfsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { readBackendChoice, storeBackendChoice } from '../../engine/jobs/environment.ts'
import { folderBytes } from '../../engine/jobs/folder-size.ts'
import type { DeviceVerdict } from '../../engine/domain/run.ts'
import { toErrorOutcome } from '../../engine/domain/errors.ts'
import type { HandlerContext } from './context.ts'
import type { Handlers } from './answer.ts'

type AppCalls = 'app:overview' | 'app:choose-backend' | 'jobs:list' | 'jobs:cancel' | 'storage:clear-cache' | 'audit:list' | 'audit:verify'

export function appHandlers({ workspace, jobs }: HandlerContext): Handlers<AppCalls> {
  const { store, reader, paths, versions } = workspace
  let verdict: Promise<DeviceVerdict> | null = null

  /** Asked once: opening the backend takes seconds and does not change while the app runs. */
  function deviceVerdict(): Promise<DeviceVerdict> {
    verdict ??= workspace.compute.run('device:verdict', { weightsDir: paths.weightsDir }).then(
      (value) => value ?? { backend: 'none', device: '', reason: 'The engine did not answer.', remedy: null },
      (error: unknown) => {
        verdict = null
        const outcome = toErrorOutcome(error, 'ENGINE_UNAVAILABLE')
        return { backend: 'none', device: '', reason: outcome.message, remedy: outcome.fix }
      },
    )
    return verdict
  }

  return {
    'app:overview': async () => {
      const cohorts = await reader.read('cohorts:list', {})
      const sizes = store.storageSizes()
      return {
        appVersion: versions.app,
        electronVersion: process.versions.electron ?? '',
        engineNode: process.env.LACUNA_NODE_VERSION ?? 'stock Node 24',
        verdict: await deviceVerdict(),
        backendChoice: readBackendChoice(paths.storeFile),
        storeFile: paths.storeFile,
        storage: [
          { what: 'database' as const, bytes: sizes.databaseBytes + sizes.walBytes },
          { what: 'prepared-inputs' as const, bytes: await folderBytes(paths.cacheDir) },
          { what: 'checkpoints' as const, bytes: await folderBytes(paths.runsDir) },
        ],
        freeBytes: freeBytes(dirname(paths.storeFile)),
        cohortCount: cohorts.length,
        hasDemoCohort: cohorts.some((cohort) => cohort.name.startsWith('Demo cohort')),
      }
    },
    'app:choose-backend': ({ choice }) => {
      storeBackendChoice(paths.storeFile, choice)
      return {}
    },
    'jobs:list': () => jobs.list(),
    'jobs:cancel': ({ jobKey }) => {
      jobs.cancel(jobKey)
      return {}
    },
    'storage:clear-cache': async () => {
      const before = await folderBytes(paths.cacheDir)
      await rm(paths.cacheDir, { recursive: true, force: true, maxRetries: 2 })
      store.audit.append('prepared-inputs.cleared', { bytes: before })
      return { freedBytes: before }
    },
    'audit:list': ({ limit }) => reader.read('audit:list', { limit }),
    'audit:verify': () => reader.read('audit:verify', {}),
  }
}

function freeBytes(dir: string): number {
  const stats = statfsSync(dir)
  return stats.bavail * stats.bsize
}
