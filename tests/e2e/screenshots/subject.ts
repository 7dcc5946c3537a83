import Database from 'better-sqlite3'
import { copyFileSync, existsSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Page } from 'playwright-core'
import { readPseudonymKey } from '../../../engine/jobs/pseudonym-key.ts'
import { openStore } from '../../../engine/store/open.ts'
import { sealStore } from '../../../engine/store/sealed-store.ts'

/** What of the store is photographed. */
export interface Subject { cohortId: number; runId: number | null; combinationRunId: number | null; completeOnlyRunId: number | null; completeStudyId: number | null; incompleteStudyId: number | null }

async function ask<T>(page: Page, channel: string, request: object): Promise<T> {
  const outcome = await page.evaluate<{ ok: boolean; value: T; error: { message: string } }>(`window.api.call('${channel}', ${JSON.stringify(request)})`)
  if (!outcome.ok) throw new Error(`${channel}: ${outcome.error.message}`)
  return outcome.value
}

/** The first complete cohort, its first finished run, and two of its test patients: one complete, one that lacks an image. */
export async function findSubject(page: Page): Promise<Subject> {
  const cohorts = await ask<{ cohortId: number; status: string; slots: { slotId: string; modality: string }[] }[]>(page, 'cohorts:list', {})
  const cohort = cohorts.find(({ status }) => status === 'ready')
  if (!cohort) throw new Error('The store has no complete cohort.')
  const runs = await ask<{ runId: number; status: string; config: { adapter: string; trainOn: string } }[]>(page, 'runs:list', { cohortId: cohort.cohortId })
  const finished = runs.filter(({ status }) => status === 'finished')
  const runId = (finished.find(({ config }) => config.adapter === 'mora') ?? finished[0])?.runId ?? null
  // A method with own parameters for each combination: here a fallback may have answered.
  const combinationRunId = finished.find(({ config }) => ['ssf', 'dedicated', 'late-fusion'].includes(config.adapter))?.runId ?? null
  // Trained on complete patients alone: it never saw any other combination.
  const completeOnlyRunId = finished.find(({ config }) => config.trainOn === 'complete')?.runId ?? null
  const filter = { cohortId: cohort.cohortId, ...(runId === null ? {} : { runId, split: 'test' }), limit: 200 }
  const { rows } = await ask<{ rows: { studyId: number; pattern: string }[] }>(page, 'patients:list', filter)
  const images = cohort.slots.filter(({ modality }) => modality === 'image').map(({ slotId }) => slotId)
  const presentIn = (pattern: string) => cohort.slots.filter(({ slotId }) => pattern.split('+').includes(slotId)).length
  const complete = rows.find(({ pattern }) => presentIn(pattern) === cohort.slots.length)
  const incomplete = rows.find(({ pattern }) => images.some((slotId) => !pattern.split('+').includes(slotId)) && images.some((slotId) => pattern.split('+').includes(slotId)))
    ?? rows.find(({ pattern }) => presentIn(pattern) < cohort.slots.length)
  return { cohortId: cohort.cohortId, runId, combinationRunId, completeOnlyRunId, completeStudyId: complete?.studyId ?? null, incompleteStudyId: incomplete?.studyId ?? null }
}

/** A copy of the store with its key in `dir`, and where the first cohort's originals are, for the wizard. */
export async function copyStore(storeFile: string, dir: string): Promise<{ chooseFolder?: string; chooseTable?: string }> {
  const copy = join(dir, 'lacuna.db')
  const original = new Database(storeFile, { readonly: true, fileMustExist: true })
  await original.backup(copy).finally(() => original.close())
  if (existsSync(`${storeFile}.key`)) copyFileSync(`${storeFile}.key`, `${copy}.key`)
  // Looking reads their sizes only; they may be too large to copy.
  const backbonesDir = join(dirname(storeFile), 'backbones')
  if (existsSync(backbonesDir)) symlinkSync(backbonesDir, join(dir, 'backbones'), 'dir')
  // Paths are sealed in the file, so they are read as the app reads them.
  const store = sealStore(openStore(copy, { appVersion: 'screenshots' }), readPseudonymKey(copy))
  const source = store.cohorts.list()[0]
  store.close()
  return source && existsSync(source.sourceDir) && existsSync(source.tableFile) ? { chooseFolder: source.sourceDir, chooseTable: source.tableFile } : {}
}
