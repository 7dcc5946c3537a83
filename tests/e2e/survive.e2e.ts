import Database from 'better-sqlite3'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { generateDemoCohort } from '../../engine/demo/generate.ts'
import { generateLargeSource } from '../../engine/demo/large-source.ts'
import { engineProcesses, isRunning } from './harness/engine-processes.ts'
import { photographFailures } from './harness/failures.ts'
import { describeFreezes, watchFreezes, type Freezes } from './harness/freezes.ts'
import { launchApp, temporaryFolder, type LaunchedApp } from './harness/launch.ts'
import { chooseSource, goOn, goToImport, nameAndImport, openWizard, rowSum, runEnds, slowMs, startImport, startRun } from './harness/steps.ts'

/** What happens when something dies or runs out: nothing lost, everything said, everything resumable. */

const rowCount = 2500
const folder = temporaryFolder()
let large: { sourceDir: string; tableFile: string }
let app: LaunchedApp | undefined

beforeAll(async () => { large = await generateLargeSource({ outDir: join(folder, 'large'), rowCount, seed: 3 }) })
afterEach(async () => {
  // Only a test that failed half-way leaves one.
  await app?.kill()
  app = undefined
})
// After the one above, which vitest runs last.
photographFailures(() => app)
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }))

const dialogsOf = (source: { sourceDir: string; tableFile: string }) => ({ chooseFolder: source.sourceDir, chooseTable: source.tableFile })

/** Closes the app the proper way, which fails when its window had reported problems. */
async function closeApp(): Promise<void> {
  const closing = app
  app = undefined
  await closing?.close()
}

/** freezes.e2e.ts measures; this bound only catches work that is plainly in the wrong thread, on a machine that may be busy. */
function expectSmooth(during: string, freezes: Freezes): void {
  process.stderr.write(describeFreezes(during, freezes))
  expect(freezes.main.worstCpuMs).toBeLessThan(200)
  expect(freezes.page.worstCpuMs).toBeLessThan(200)
}

async function beginLargeImport(name: string): Promise<void> {
  const { page } = app!
  await goToImport(page)
  await startImport(page, name)
}

/** Counts of a closed store; what a page says is one thing, what is on disk another. */
function countsOf(storeFile: string): Record<string, number> {
  const db = new Database(storeFile, { readonly: true })
  try {
    expect(db.pragma('integrity_check', { simple: true })).toBe('ok')
    expect(db.pragma('foreign_key_check')).toEqual([])
    const count = (sql: string) => db.prepare(sql).pluck().get() as number
    return {
      patients: count('SELECT count(*) FROM patients'),
      patientKeys: count('SELECT count(DISTINCT patient_key) FROM patients'),
      studies: count('SELECT count(*) FROM studies'),
      images: count("SELECT count(*) FROM items WHERE is_present = 1 AND source_path IS NOT NULL"),
      files: count("SELECT count(DISTINCT source_path) FROM items WHERE is_present = 1 AND source_path IS NOT NULL"),
    }
  } finally {
    db.close()
  }
}
const complete = { patients: rowCount, patientKeys: rowCount, studies: rowCount, images: rowCount, files: rowCount }

test('the app killed in the middle of an import goes on where it stopped, and no row is lost or doubled', async () => {
  const dir = join(folder, 'killed')
  mkdirSync(dir)
  app = await launchApp({ dir, dialogs: dialogsOf(large) })
  await beginLargeImport('Killed')
  await expect.poll(() => importedSoFar(app!), { timeout: slowMs, interval: 50 }).toBeGreaterThan(200)
  const engines = engineProcesses(app.application.process().pid!)
  await app.kill()
  // The engine ends with its host; a training or an import left behind would write to nowhere for hours.
  await expect.poll(() => engines.some(isRunning), { timeout: 30_000 }).toBe(false)

  app = await launchApp({ dir, dialogs: dialogsOf(large) })
  const { page } = app
  const row = page.getByRole('row', { name: /Killed/ })
  const paused = await row.getByText(/paused.* [\d,]+ of 2,500/i).innerText()
  const kept = Number(/([\d,]+) of/.exec(paused)![1]!.replaceAll(',', ''))
  expect(kept).toBeGreaterThan(0)
  expect(kept).toBeLessThan(rowCount)
  const freezes = await watchFreezes(app)
  await row.getByRole('button', { name: 'Resume import' }).click()
  await page.getByText('Import complete').waitFor({ timeout: slowMs })
  expectSmooth(`the import of ${rowCount - kept} images`, await freezes())
  expect(await rowSum(page)).toEqual({ rowsIn: rowCount, accepted: rowCount, rejected: 0 })
  const { storeFile } = app
  await closeApp()
  expect(countsOf(storeFile)).toEqual(complete)
})

/** The first number of "Importing patients · N of M studies"; the stages before it store nothing yet. */
async function importedSoFar({ page }: LaunchedApp): Promise<number> {
  const text = await page.getByText(/Importing patients · [\d,]+ of [\d,]+ studies/).first().innerText({ timeout: 1000 }).catch(() => '0 of')
  return Number(/([\d,]+) of/.exec(text)![1]!.replaceAll(',', ''))
}

/** A disk of a size of our choosing; null with the reason when this machine does not let us have one. */
function mountSmallDisk(dir: string, size: string): string | null {
  if (process.platform !== 'linux') return 'only Linux has tmpfs'
  if (process.getuid?.() !== 0) return 'only root may mount a small disk'
  mkdirSync(dir, { recursive: true })
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', dir], { encoding: 'utf8' })
  return mounted.status === 0 ? null : `mount failed: ${mounted.stderr || mounted.error?.message}`
}

test('a full disk pauses an import, names the cause, and the import goes on once there is space', async ({ skip }) => {
  const disk = join(folder, 'disk')
  const refusal = mountSmallDisk(disk, '3m')
  if (refusal) skip(refusal)
  try {
    app = await launchApp({ dir: disk, profileDir: join(folder, 'disk-profile'), dialogs: dialogsOf(large) })
    await beginLargeImport('Full disk')
    const { page } = app
    const alert = page.getByRole('main').getByText(/disk is full|disk space/i).first()
    await alert.waitFor({ timeout: slowMs })
    await page.getByRole('main').getByText(/Free some disk space/).first().waitFor()
    await page.getByRole('main').getByRole('heading', { name: 'Import paused' }).first().waitFor()
    // The rest of the app still works on what is there.
    await page.getByRole('navigation', { name: 'Places' }).getByRole('link', { name: 'Cohorts' }).click()
    const row = page.getByRole('row', { name: /Full disk/ })
    await row.getByText(/paused|not begun/i).waitFor()
    execFileSync('mount', ['-o', 'remount,size=64m', disk])
    await row.getByRole('button', { name: 'Resume import' }).click()
    await page.getByText('Import complete').waitFor({ timeout: slowMs })
    expect(await rowSum(page)).toEqual({ rowsIn: rowCount, accepted: rowCount, rejected: 0 })
    const { storeFile } = app
    await closeApp()
    expect(countsOf(storeFile)).toEqual(complete)
  } finally {
    await app?.kill()
    app = undefined
    spawnSync('umount', [disk])
  }
})

describe.skipIf(process.platform !== 'linux')('the engine killed in the middle of a training', () => {
  test('leaves the app up, says what happened, and the run resumes and ends', async () => {
    const small = await generateDemoCohort({ outDir: join(folder, 'small'), patientCount: 60, seed: 5 })
    const dir = join(folder, 'training')
    mkdirSync(dir)
    app = await launchApp({ dir, dialogs: dialogsOf(small) })
    const { page, application } = app
    await openWizard(page)
    await chooseSource(page)
    for (const step of ['columns', 'privacy', 'check', 'import'] as const) await goOn(page, step)
    await nameAndImport(page, 'Training')
    await page.getByRole('link', { name: 'Open cohort' }).click()
    const freezes = await watchFreezes(app)
    await startRun(page, 8)
    await page.getByText(/Epoch [3-8] of 8/).first().waitFor({ timeout: slowMs })
    expectSmooth('training', await freezes())
    const [compute] = engineProcesses(application.process().pid!)
    process.kill(compute!, 'SIGKILL')
    await page.getByText('This run was interrupted').waitFor()
    await page.getByText(/The engine process ended unexpectedly \(signal SIGKILL\)/).first().waitFor()
    await page.getByText(/Resume the job/).first().waitFor()
    const db = new Database(app.storeFile, { readonly: true })
    const epochs = () => db.prepare('SELECT epoch, train_loss FROM epochs ORDER BY epoch').all() as { epoch: number; train_loss: number }[]
    const before = epochs()
    expect(before.length).toBeGreaterThanOrEqual(2)
    await page.getByRole('button', { name: 'Resume' }).click()
    await runEnds(page)
    const after = epochs()
    // At most the epoch under way is repeated: what was stored stays, and every epoch is there once.
    expect(after.slice(0, before.length)).toEqual(before)
    expect(after.map(({ epoch }) => epoch)).toEqual(after.map((_, index) => index))
    db.close()
    await closeApp()
  })
})
