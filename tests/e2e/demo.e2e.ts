import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { generateDemoCohort } from '../../engine/demo/generate.ts'
import { demoLabels } from '../../engine/demo/signal.ts'
import { photographFailures } from './harness/failures.ts'
import { launchApp, temporaryFolder, type LaunchedApp } from './harness/launch.ts'
import { chooseSource, goBack, goOn, nameAndImport, openImported, openWizard, rowSum, runEnds, slowMs, startRun } from './harness/steps.ts'

const patientCount = 60
const folder = temporaryFolder()
const exportFile = join(folder, 'predictions.csv')
let app: LaunchedApp
photographFailures(() => app)

beforeAll(async () => {
  const { sourceDir, tableFile } = await generateDemoCohort({ outDir: join(folder, 'source'), patientCount, seed: 11 })
  app = await launchApp({ dialogs: { chooseFolder: sourceDir, chooseTable: tableFile, chooseSaveFile: exportFile } })
})
afterAll(async () => {
  try {
    await app?.close()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test('the wizard maps the folder by itself and keeps every answer when going back and forward', async () => {
  const { page } = app
  await openWizard(page)
  await chooseSource(page)
  await page.getByText('Layout recognised').first().waitFor()
  await goOn(page, 'columns')
  // A hand-made change must survive the way there and back.
  const name = page.getByLabel(`Label name of column ${demoLabels[0]}`)
  await name.fill('Renamed label')
  await page.getByRole('img', { name: /Right eye of/ }).first().waitFor({ timeout: slowMs })
  await goOn(page, 'privacy')
  await page.getByRole('heading', { name: 'Patient IDs become pseudonyms' }).waitFor()
  expect(await page.getByText(/\bD00\d\d\b/).count()).toBe(0)
  await goBack(page)
  expect(await name.inputValue()).toBe('Renamed label')
  await goBack(page)
  await page.getByRole('heading', { name: 'Columns of the table' }).waitFor()
  await goOn(page, 'columns')
  expect(await name.inputValue()).toBe('Renamed label')
  await name.fill(demoLabels[0]!)
  await goOn(page, 'privacy')
  await goOn(page, 'check')
  await goOn(page, 'import')
  await goBack(page)
  // A valid check is not run again.
  await page.getByRole('button', { name: 'Continue to import' }).click({ timeout: 5000 })
  await nameAndImport(page, 'Sixty patients')
  expect(await rowSum(page)).toEqual({ rowsIn: patientCount, accepted: patientCount, rejected: 0 })
})

test('the cohort page counts what was imported', async () => {
  const { page } = app
  await openImported(page, 'Sixty patients')
  await page.getByRole('heading', { name: 'Presence patterns' }).waitFor()
  for (const label of demoLabels) await page.getByRole('table').getByText(label).first().waitFor()
})

/** Presence patterns as the table and the folder have them, in words, with their counts. */
function truePatterns(): Map<string, number> {
  const rows: Record<string, string>[] = parse(readFileSync(join(folder, 'source', 'patients.csv'), 'utf8'), { columns: true, bom: true })
  const hasFile = (name: string): boolean => name !== '' && existsSync(join(folder, 'source', 'images', name))
  const counts = new Map<string, number>()
  for (const row of rows) {
    const items: [string, boolean][] = [['Right eye', hasFile(row['right_image']!)], ['Left eye', hasFile(row['left_image']!)], ['Notes', row['note'] !== '']]
    const present = items.flatMap(([title, isPresent]) => (isPresent ? [title] : []))
    const key = present.length === 3 ? `Complete (${present.join(' + ')})` : present.join(' + ')
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return counts
}

test('the fingerprint shows the true counts before any training, and is printed', async () => {
  const { page } = app
  await page.getByRole('link', { name: 'Fingerprint', exact: true }).click()
  await page.getByRole('heading', { name: 'Fingerprint: Sixty patients' }).waitFor()
  const bars = page.locator('svg [data-pattern]')
  await bars.first().waitFor({ timeout: slowMs })
  const expected = truePatterns()
  expect(await bars.count()).toBe(expected.size)
  for (const [pattern, count] of expected) {
    const names = await bars.evaluateAll((elements) => elements.map((element) => element.getAttribute('aria-label') ?? ''))
    expect(names.some((name) => name.startsWith(pattern) && name.includes(`: ${count} studies of ${count} patients`))).toBe(true)
  }
  await page.getByRole('heading', { name: 'Is absence random?' }).waitFor()
  await page.getByText(`n = ${patientCount} studies, ${demoLabels.length} labels.`).waitFor()
  await page.getByText('No file occurs twice.').waitFor()
  // Pseudonyms only.
  expect(await page.locator('main').textContent()).not.toMatch(/\bD00\d\d\b/)
  await page.getByRole('button', { name: 'Save as PDF' }).click()
  await expect.poll(() => existsSync(exportFile) && readFileSync(exportFile).subarray(0, 5).toString(), { timeout: slowMs }).toBe('%PDF-')
  await page.getByRole('link', { name: 'Sixty patients', exact: true }).first().click()
  await page.getByRole('heading', { name: 'Sixty patients', level: 1 }).waitFor()
})

test('a run trains while the page follows it, and its results open', async () => {
  const { page } = app
  await startRun(page, 2)
  await page.getByText(/Epoch \d of 2/).first().waitFor({ timeout: slowMs })
  await runEnds(page)
  await page.getByText('No patient stands on two sides').waitFor()
  await page.getByRole('link', { name: 'Open results' }).click()
  await page.getByRole('heading', { name: 'Results', level: 1 }).waitFor()
  const table = page.getByRole('table').first()
  await table.getByText('All test patients').waitFor()
  expect(await table.getByRole('row').count()).toBeGreaterThan(2)
  // The numbers come first, their intervals when the resampling is done.
  await page.getByText(/95 % bootstrap intervals, 1,000 resamples of patients/).waitFor()
  for (const setting of ['Images only', 'Notes only', '35 % lose images, 35 % lose notes']) {
    await page.getByText(setting, { exact: true }).first().click()
    await page.getByRole('heading', { name: `By presence pattern: ${setting.toLowerCase()}` }).waitFor({ timeout: slowMs })
  }
})

test('predictions are exported under pseudonyms', async () => {
  const { page } = app
  await page.getByRole('button', { name: 'Export predictions' }).click()
  await page.getByText(/rows written to/).waitFor()
  const text = readFileSync(exportFile, 'utf8').replace(/^\uFEFF/, '')
  const rows: Record<string, string>[] = parse(text, { columns: true, comment: '#' })
  expect(Object.keys(rows[0]!)).toEqual(expect.arrayContaining(['label', 'probability', 'threshold', 'split', 'run']))
  expect(text).not.toMatch(/\bD00\d\d/)
  expect(new Set(rows.map((row) => row.label))).toEqual(new Set(demoLabels))
  for (const row of rows) {
    expect(Number(row.probability)).toBeGreaterThan(0)
    expect(Number(row.probability)).toBeLessThan(1)
  }
})

test('a patient is read and reviewed by keyboard alone', async () => {
  const { page } = app
  await page.getByRole('navigation', { name: 'Places' }).getByRole('link', { name: 'Patients' }).click()
  await page.getByRole('heading', { name: 'Patients of Sixty patients' }).waitFor()
  await page.getByText(`${patientCount} studies`).first().waitFor()
  await page.keyboard.press('Tab')
  await page.getByRole('row').nth(2).click()
  if (await page.getByRole('region', { name: 'Predictions' }).count() === 0) await page.keyboard.press('Enter')
  const key = page.getByRole('heading', { level: 1 })
  await page.getByRole('region', { name: 'Predictions' }).waitFor()
  const first = await key.innerText()
  await page.keyboard.press('j')
  await expect.poll(() => key.innerText()).not.toBe(first)
  await page.keyboard.press('k')
  await expect.poll(() => key.innerText()).toBe(first)
  for (const [digit, verdict] of [['3', 'Unsure'], ['2', 'Disagree'], ['1', 'Agree']] as const) {
    await page.keyboard.press(digit)
    await page.getByRole('button', { name: new RegExp(`^${verdict}`), pressed: true }).waitFor()
    await page.getByText(/^Saved/).waitFor()
  }
  await page.keyboard.press('c')
  await page.keyboard.type('Seen by keyboard, jk 123.')
  await page.keyboard.press('Control+Enter')
  await page.getByText(/^Saved/).waitFor()
  await page.keyboard.press('Escape')
  await page.keyboard.press('j')
  await expect.poll(() => key.innerText()).not.toBe(first)
  await page.keyboard.press('k')
  await expect.poll(() => key.innerText()).toBe(first)
  expect(await page.getByLabel('Comment').inputValue()).toBe('Seen by keyboard, jk 123.')
  await page.getByRole('button', { name: /^Agree/, pressed: true }).waitFor()
})

test('an image, the presence of every item and the what-ifs are on the patient page, a file name is not', async () => {
  const { page } = app
  const picture = page.getByRole('img', { name: /eye of patient/ }).first()
  const whatIf = page.getByText('A what-if withholds items from the model')
  await page.keyboard.press('w')
  // Patients stand in the order of their pseudonyms, which no two stores share: go to one with an image and something to withhold.
  for (let turn = 0; turn < patientCount && (await picture.count() === 0 || await whatIf.count() === 0); turn++) {
    await page.keyboard.press('j')
    await page.waitForTimeout(300)
  }
  await picture.waitFor()
  await expect.poll(() => page.evaluate<number>('[...document.images].filter((image) => image.naturalWidth > 0).length')).toBeGreaterThan(0)
  expect(await page.content()).not.toMatch(/D00\d\d(_|\b)|\.png|\.jpe?g/i)
  await whatIf.waitFor()
})
