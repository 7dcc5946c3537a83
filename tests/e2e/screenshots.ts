import Database from 'better-sqlite3'
import type { Page } from 'playwright-core'
import { copyFileSync, existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { readPseudonymKey } from '../../engine/jobs/pseudonym-key.ts'
import { openStore } from '../../engine/store/open.ts'
import { sealStore } from '../../engine/store/sealed-store.ts'
import { launchApp, temporaryFolder, type LaunchedApp } from './launch.ts'
import { photographDeliveries } from './delivery-screens.ts'
import { photographReports } from './report-screens.ts'

/**
 * `npm run shots -- [--store FILE] [--out DIR] [--only NAMES]`: photographs every screen at two sizes, light and dark, from a copy of a store
 * (the demo's unless told otherwise), so that looking changes nothing. `--only 05,09` takes those whose names start so.
 */

const sizes = [{ width: 1280, height: 800 }, { width: 1920, height: 1080 }] as const
const themes = ['light', 'dark'] as const
type Theme = (typeof themes)[number]

const { values } = parseArgs({ options: { store: { type: 'string', default: 'demo-output/lacuna.db' }, out: { type: 'string', default: 'screenshots' }, only: { type: 'string' } } })
const storeFile = resolve(values.store)
const outDir = resolve(values.out)
const wanted = values.only?.split(',')
const isWanted = (name: string): boolean => wanted?.some((start) => name.startsWith(start)) ?? true
/** Whether any picture whose name starts so may be wanted; what nobody wants need not be clicked through. */
const mayBeWanted = (...starts: string[]): boolean => wanted?.some((start) => starts.some((own) => own.startsWith(start) || start.startsWith(own))) ?? true
let taken = 0

/** What of the store is photographed. */
interface Subject { cohortId: number; runId: number | null; combinationRunId: number | null; completeStudyId: number | null; incompleteStudyId: number | null }

/** Waits for a condition of the page. Not playwright's own waiting, which evaluates text inside the page: the policy forbids that. */
async function until(page: Page, condition: string, limitMs: number): Promise<boolean> {
  const endMs = performance.now() + limitMs
  while (performance.now() < endMs) {
    if (await page.evaluate<boolean>(condition)) return true
    await page.waitForTimeout(300)
  }
  return false
}

/** Done when nothing is loading, all pictures in view are there and the page has stopped changing. */
async function settle(page: Page): Promise<void> {
  await page.evaluate('void (window.lastShown = undefined)')
  const isDone = await until(page, `(() => {
    const shown = document.querySelector('main')
    if (!shown || shown.querySelector('.loading, [aria-busy="true"]') || [...document.images].some((image) => image.loading !== 'lazy' && !image.complete)) return false
    const isSame = window.lastShown === shown.innerHTML
    window.lastShown = shown.innerHTML
    return isSame
  })()`, 10_000)
  if (!isDone) process.stderr.write(`${page.url()} was still busy after 10 s; photographed as it is\n`)
}

async function photograph({ page, application }: LaunchedApp, theme: Theme, name: string): Promise<void> {
  if (!isWanted(name)) return
  for (const size of sizes) {
    await application.evaluate(({ BrowserWindow }, { width, height }) => BrowserWindow.getAllWindows()[0]!.setContentSize(width, height), size)
    if (!(await until(page, `innerWidth === ${size.width} && innerHeight === ${size.height}`, 10_000))) throw new Error(`The screen is too small for a window of ${size.width} by ${size.height}.`)
    // Away from every row and button, so that nothing looks hovered.
    await page.mouse.move(2, 2)
    await settle(page)
    await page.screenshot({ path: join(outDir, `${name}-${theme}-${size.width}x${size.height}.png`), animations: 'disabled' })
    taken++
  }
}

async function choose({ page }: LaunchedApp, theme: Theme): Promise<void> {
  await page.evaluate(`localStorage.setItem('lacuna.theme', '${theme}')`)
  await page.reload()
  await until(page, `document.documentElement.dataset.theme === '${theme}'`, 10_000)
}

async function open({ page }: LaunchedApp, hash: string): Promise<void> {
  await page.evaluate(`void (location.hash = '${hash}')`)
  await settle(page)
}

async function ask<T>(page: Page, channel: string, request: object): Promise<T> {
  const outcome = await page.evaluate<{ ok: boolean; value: T; error: { message: string } }>(`window.api.call('${channel}', ${JSON.stringify(request)})`)
  if (!outcome.ok) throw new Error(`${channel}: ${outcome.error.message}`)
  return outcome.value
}

/** The first complete cohort, its first finished run, and two of its test patients: one complete, one that lacks an image. */
async function findSubject(page: Page): Promise<Subject> {
  const cohorts = await ask<{ cohortId: number; status: string; slots: { slotId: string; modality: string }[] }[]>(page, 'cohorts:list', {})
  const cohort = cohorts.find(({ status }) => status === 'ready')
  if (!cohort) throw new Error('The store has no complete cohort.')
  const runs = await ask<{ runId: number; status: string; config: { adapter: string } }[]>(page, 'runs:list', { cohortId: cohort.cohortId })
  const finished = runs.filter(({ status }) => status === 'finished')
  const runId = (finished.find(({ config }) => config.adapter === 'mora') ?? finished[0])?.runId ?? null
  // A method with own parameters for each combination: here a fallback may have answered.
  const combinationRunId = finished.find(({ config }) => ['ssf', 'dedicated', 'late-fusion'].includes(config.adapter))?.runId ?? null
  const filter = { cohortId: cohort.cohortId, ...(runId === null ? {} : { runId, split: 'test' }), limit: 200 }
  const { rows } = await ask<{ rows: { studyId: number; pattern: string }[] }>(page, 'patients:list', filter)
  const images = cohort.slots.filter(({ modality }) => modality === 'image').map(({ slotId }) => slotId)
  const presentIn = (pattern: string) => cohort.slots.filter(({ slotId }) => pattern.split('+').includes(slotId)).length
  const complete = rows.find(({ pattern }) => presentIn(pattern) === cohort.slots.length)
  const incomplete = rows.find(({ pattern }) => images.some((slotId) => !pattern.split('+').includes(slotId)) && images.some((slotId) => pattern.split('+').includes(slotId)))
    ?? rows.find(({ pattern }) => presentIn(pattern) < cohort.slots.length)
  return { cohortId: cohort.cohortId, runId, combinationRunId, completeStudyId: complete?.studyId ?? null, incompleteStudyId: incomplete?.studyId ?? null }
}

/** The privacy step further down: own words, the rules tried on an example and on the table. */
async function photographPrivacy(app: LaunchedApp, theme: Theme): Promise<void> {
  const { page } = app
  const words = page.getByLabel('Words to remove besides')
  if (await words.count() === 0) return
  await words.fill('pneumonia\nWard 7 East')
  await words.blur()
  await page.getByLabel('Your example').fill('Seen by Dr Jane Miller on Ward 7 East on 14 March 2020, MRN 00481516.')
  await page.getByRole('button', { name: 'Try', exact: true }).click()
  await page.getByText(/texts would be changed/).waitFor({ timeout: 120_000 })
  await page.waitForTimeout(1500)
  for (const [name, heading] of [['words', 'What is removed from texts'], ['try', 'Try the rules'], ['profile', 'What is kept of DICOM headers']] as const) {
    await page.getByRole('heading', { name: heading, exact: true }).evaluate((element) => element.scrollIntoView())
    await photograph(app, theme, `03-import-3-privacy-${name}`)
  }
}

/** The images that may show text, open and decided. */
async function photographTextReview(app: LaunchedApp, theme: Theme, { cohortId }: Subject): Promise<void> {
  const { page } = app
  await open(app, `/cohorts/${cohortId}/text-in-images`)
  await page.getByRole('heading', { name: 'Text in images', level: 1 }).waitFor()
  await page.waitForTimeout(4000)
  await photograph(app, theme, '18-text-review-1-open')
  const keep = page.getByRole('button', { name: 'Keep', exact: true }).first()
  if (await keep.count() === 0) return
  await keep.click()
  await page.getByRole('button', { name: 'Leave out', exact: true }).nth(1).click()
  await page.getByRole('tab', { name: /^Left out/ }).click()
  await page.getByText('left out', { exact: true }).first().waitFor()
  await photograph(app, theme, '18-text-review-2-left-out')
}

async function photographWizard(app: LaunchedApp, theme: Theme): Promise<void> {
  const { page } = app
  await open(app, '/import')
  await page.getByRole('button', { name: 'Choose: Image folder' }).click()
  await page.getByRole('button', { name: 'Choose: Table' }).click()
  await page.getByRole('heading', { name: 'Columns of the table' }).waitFor()
  await photograph(app, theme, '03-import-1-source')
  for (const [number, step] of [['2', 'columns'], ['3', 'privacy'], ['4', 'check'], ['5', 'import']] as const) {
    await page.getByRole('button', { name: `Continue to ${step}` }).click({ timeout: 120_000 })
    if (step === 'check') await page.getByRole('button', { name: 'Continue to import' }).and(page.locator(':enabled')).waitFor({ timeout: 120_000 })
    await photograph(app, theme, `03-import-${number}-${step}`)
    if (step === 'privacy') await photographPrivacy(app, theme)
  }
}

/** Parts of long pages and states that only a click reaches. */
async function photographStates(app: LaunchedApp, theme: Theme, { cohortId, runId, combinationRunId, completeStudyId }: Subject): Promise<void> {
  const { page } = app
  await open(app, `/cohorts/${cohortId}/runs/new`)
  const scrollTo = (heading: string) => page.getByRole('heading', { name: heading, exact: true }).evaluate((element) => element.scrollIntoView())
  await scrollTo('Method')
  await photograph(app, theme, '06-run-set-up-methods')
  for (const [method, name] of [['Missing-aware prompts', 'prompt'], ['Late fusion (UME-MMA)', 'late-fusion'], ['SSF per combination', 'ssf']] as const) {
    await page.getByRole('radio').and(page.getByLabel(method)).first().click()
    await scrollTo(`Settings of ${method}`)
    await photograph(app, theme, `06-run-set-up-${name}`)
  }
  await page.getByText('With simulated losses').first().click()
  await page.getByRole('button', { name: 'Add a loss' }).click()
  await page.getByLabel('Whom it strikes').last().selectOption({ index: 1 })
  await page.getByLabel('Losses of one patient').selectOption({ label: 'tend to fall together' })
  await scrollTo('What is missing')
  await page.waitForTimeout(1000)
  await photograph(app, theme, '06-run-set-up-missingness')
  await page.getByLabel('How strongly').fill('x')
  await photograph(app, theme, '06-run-set-up-problem')
  if (runId !== null) {
    await open(app, `/runs/${runId}/results`)
    await scrollTo('What each pattern tells, in bits')
    await photograph(app, theme, '09-results-information')
  }
  if (combinationRunId !== null && completeStudyId !== null) {
    await open(app, `/patients/${completeStudyId}?cohort=${cohortId}&run=${combinationRunId}`)
    await page.keyboard.press('w')
    await page.getByText('A what-if withholds items').scrollIntoViewIfNeeded()
    await photograph(app, theme, '12-patient-combinations')
  }
  await open(app, '/backbones')
  await page.getByRole('button', { name: 'Add backbone' }).click()
  await photograph(app, theme, '13-backbones-add')
  await page.keyboard.press('Escape')
  const edit = page.getByRole('button', { name: 'Edit', exact: true }).first()
  if (await edit.count() > 0) {
    await edit.scrollIntoViewIfNeeded()
    await page.getByText(/^Parameter table/).first().click()
    await photograph(app, theme, '13-backbones-imported')
    await edit.click()
    await photograph(app, theme, '13-backbones-edit')
    await page.keyboard.press('Escape')
  }
}

/** The long page of a cohort's fingerprint, part by part. */
async function photographFingerprint(app: LaunchedApp, theme: Theme, { cohortId }: Subject): Promise<void> {
  const { page } = app
  await open(app, `/cohorts/${cohortId}/fingerprint`)
  await page.getByRole('heading', { name: 'Presence patterns', level: 2 }).waitFor()
  const parts = [['1-top', null], ['2-presence', 'Presence patterns'], ['3-missingness', 'Is absence random?'], ['4-labels', 'Labels'], ['5-images', 'Images'], ['6-text', 'Text'], ['7-duplicates', 'The same image twice']] as const
  for (const [name, heading] of parts) {
    if (heading !== null) await page.getByRole('heading', { name: heading, exact: true, level: 2 }).evaluate((element) => element.scrollIntoView())
    if (name === '3-missingness' && await page.locator('details:not([open]) > summary').count() > 0) await page.locator('details:not([open]) > summary').first().click()
    await photograph(app, theme, `15-fingerprint-${name}`)
  }
}

/** Alarms before anybody looked, as found, with evidence, while deciding, decided and undone; decisions are made in the copy of the store. */
async function photographAlarms(app: LaunchedApp, theme: Theme, { cohortId }: Subject): Promise<void> {
  const { page } = app
  await open(app, `/cohorts/${cohortId}/alarms`)
  const search = page.getByRole('button', { name: 'Look for alarms' })
  await search.or(page.getByText(/Looked for and not found|worst first/)).first().waitFor()
  if (await search.count() > 0) {
    await photograph(app, theme, '16-alarms-1-not-searched')
    await search.click()
  }
  await page.getByText(/Looked for and not found|worst first/).first().waitFor({ timeout: 240_000 })
  await photograph(app, theme, '16-alarms-2-found')
  const evidence = page.getByRole('button', { name: 'Show evidence' }).first()
  if (await evidence.count() > 0) {
    await evidence.click()
    await photograph(app, theme, '16-alarms-3-evidence')
  }
  const remedy = page.locator('article').getByRole('button', { name: /^(Mask|Leave|Count|Exclude)/ }).first()
  if (await remedy.count() > 0) {
    await remedy.click()
    await page.getByRole('dialog').getByRole('button', { name: 'Decide' }).and(page.locator(':enabled')).waitFor()
    await photograph(app, theme, '16-alarms-4-remedy')
    await page.getByRole('dialog').getByRole('button', { name: 'Decide' }).click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await page.getByText(/Looked for and not found|worst first/).first().waitFor({ timeout: 240_000 })
    await photograph(app, theme, '16-alarms-5-decided')
    await open(app, `/cohorts/${cohortId}`)
    await photograph(app, theme, '16-alarms-6-cohort')
    await open(app, `/cohorts/${cohortId}/alarms`)
    await page.getByRole('button', { name: /^Undo / }).first().click()
    await photograph(app, theme, '16-alarms-7-undo')
    await page.getByRole('button', { name: 'Undo the decision' }).click()
    await page.getByText(/Undone /).first().waitFor()
    await photograph(app, theme, '16-alarms-8-undone')
  }
  await open(app, `/cohorts/${cohortId}/runs/new`)
  await photograph(app, theme, '16-alarms-9-before-run')
}

function screensOf({ cohortId, runId, combinationRunId, completeStudyId, incompleteStudyId }: Subject): [name: string, hash: string][] {
  const list = `cohort=${cohortId}${runId === null ? '' : `&run=${runId}`}`
  return [
    ['02-cohorts', '/cohorts'],
    ['04-import-report', `/cohorts/${cohortId}/import`],
    ['05-cohort', `/cohorts/${cohortId}`],
    ['06-run-set-up', `/cohorts/${cohortId}/runs/new`],
    ['07-runs', '/runs'],
    ...(runId === null ? [] : [['08-run', `/runs/${runId}`], ['09-results', `/runs/${runId}/results`]] as [string, string][]),
    ['10-patients', `/patients?${list}`],
    ...(completeStudyId === null ? [] : [['11-patient-complete', `/patients/${completeStudyId}?${list}`]] as [string, string][]),
    ...(incompleteStudyId === null ? [] : [['12-patient-missing-image', `/patients/${incompleteStudyId}?${list}`]] as [string, string][]),
    ...(combinationRunId === null ? [] : [['08-run-combinations', `/runs/${combinationRunId}`], ['09-results-combinations', `/runs/${combinationRunId}/results`]] as [string, string][]),
    ['13-backbones', '/backbones'],
    ['14-workstation', '/workstation'],
  ]
}

async function photographFirstStart(): Promise<void> {
  const app = await launchApp()
  for (const theme of themes) {
    await choose(app, theme)
    await photograph(app, theme, '01-first-start')
  }
  await app.close()
}

/** A copy of the store with its key in `dir`, and where the first cohort's originals are, for the wizard. */
async function copyStore(dir: string): Promise<{ chooseFolder?: string; chooseTable?: string }> {
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

async function photographStore(): Promise<void> {
  const dir = temporaryFolder()
  try {
    const dialogs = await copyStore(dir)
    const app = await launchApp({ dir, dialogs })
    const subject = await findSubject(app.page)
    for (const theme of themes) {
      await choose(app, theme)
      for (const [name, hash] of screensOf(subject).filter(([screen]) => isWanted(screen))) {
        await open(app, hash)
        await photograph(app, theme, name)
      }
      if (mayBeWanted('15-')) await photographFingerprint(app, theme, subject)
      if (mayBeWanted('16-')) await photographAlarms(app, theme, subject)
      if (mayBeWanted('18-')) await photographTextReview(app, theme, subject)
      if (mayBeWanted('06-', '09-', '12-', '13-')) await photographStates(app, theme, subject)
      if (!mayBeWanted('03-')) continue
      if (dialogs.chooseFolder !== undefined) await photographWizard(app, theme)
      else process.stderr.write('The wizard is not photographed: the originals of the first cohort are not where they were.\n')
    }
    await app.close()
  } finally {
    rmSync(dir, { recursive: true, force: true, maxRetries: 3 })
  }
}

if (existsSync(storeFile)) {
  mkdirSync(outDir, { recursive: true })
  await photographFirstStart()
  await photographStore()
  if (wanted?.some((name) => /^(?:03-import-[678]|11-patient-report)/.test(name)) ?? true) await photographReports(themes, choose, photograph)
  if (wanted?.some((name) => '17-deliveries'.startsWith(name) || name.startsWith('17-')) ?? true) await photographDeliveries(themes, choose, photograph)
  process.stdout.write(`${taken} pictures of ${storeFile} in ${outDir}\n`)
} else {
  process.stderr.write(`There is no database at ${storeFile}. Run "npm run demo" first, or name one with --store.\n`)
  process.exitCode = 1
}
