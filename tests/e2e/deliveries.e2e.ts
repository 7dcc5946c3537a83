import Database from 'better-sqlite3'
import { renameSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { beforeAll, expect, test } from 'vitest'
import { writeDeliveries } from './sources/deliveries.ts'
import type { LaunchedApp } from './harness/launch.ts'
import { useApp } from './harness/one-app.ts'
import { checkEnds, chooseSource, goOn, goToCheck, nameAndImport, openWizard, rowSum, slowMs } from './harness/steps.ts'

/** Two deliveries of one hospital: the second brings new patients, known ones, one with another label; it is added, told, undone. The drive is unplugged and comes back elsewhere. */

const { folder, launch } = useApp()
const store = join(folder, 'store')

beforeAll(() => writeDeliveries(folder))

const launchWith = (delivery: string): Promise<LaunchedApp> => launch({ dir: store, dialogs: { chooseFolder: join(folder, delivery), chooseTable: join(folder, delivery, 'annotations.csv'), chooseSaveFile: join(folder, 'mapping.json'), chooseMapping: join(folder, 'mapping.json') } })
async function openCohort(page: Page): Promise<void> {
  await page.getByRole('navigation', { name: 'Places' }).getByRole('link', { name: 'Cohorts' }).click()
  await page.getByRole('link', { name: 'Ward' }).first().click()
  await page.getByRole('heading', { name: 'Ward', level: 1 }).waitFor()
}
async function toImport(page: Page): Promise<void> {
  await goToCheck(page)
  await checkEnds(page)
}
function counts(): unknown {
  const db = new Database(join(store, 'lacuna.db'), { readonly: true })
  try {
    return db.prepare('SELECT (SELECT count(*) FROM patients) AS patients, (SELECT count(*) FROM studies) AS studies, (SELECT status FROM cohorts) AS status').get()
  } finally {
    db.close()
  }
}

test('a first import, and its mapping kept under a name and as a file', { timeout: 300_000 }, async () => {
  const app = await launchWith('first')
  const { page } = app
  await openWizard(page)
  await chooseSource(page)
  await goOn(page, 'columns')
  await page.getByRole('button', { name: 'Saved mappings' }).click()
  await page.getByLabel('Save the mapping as it stands').fill('Ward layout')
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByRole('button', { name: 'Use: Ward layout' }).waitFor()
  await page.getByRole('button', { name: 'Export: Ward layout' }).click()
  await page.getByRole('button', { name: 'Delete: Ward layout' }).click()
  await page.getByText('No mapping is saved yet.').waitFor()
  await page.getByRole('button', { name: 'Import a file' }).click()
  await page.getByRole('button', { name: 'Use: Ward layout' }).click()
  await page.getByText('“Ward layout” was compared with this table').waitFor()
  for (const step of ['privacy', 'check'] as const) await goOn(page, step)
  await checkEnds(page)
  await goOn(page, 'import')
  await nameAndImport(page, 'Ward')
  expect(await rowSum(page)).toEqual({ rowsIn: 8, accepted: 8, rejected: 0 })
})

test('the next delivery adds what is new, says what is known and what changed, and is undone', { timeout: 300_000 }, async () => {
  const app = await launchWith('second')
  const { page } = app
  await openCohort(page)
  await page.getByRole('link', { name: 'Add a delivery' }).first().click()
  await page.getByText('Delivery for “Ward”').waitFor()
  await chooseSource(page)
  await toImport(page)
  await page.getByText('New patients').waitFor()
  await goOn(page, 'import')
  await page.getByRole('radio', { name: /Keep what the cohort has/ }).waitFor()
  await page.getByRole('button', { name: 'Add the delivery' }).click()
  await page.getByText('Import complete').waitFor({ timeout: slowMs })
  await page.getByText('12 rows in = 4 added + 7 known + 1 changed + 0 rejected').waitFor()
  await page.getByText(/other labels/).first().waitFor()
  expect(counts()).toEqual({ patients: 12, studies: 12, status: 'ready' })

  await page.getByRole('link', { name: 'Open cohort' }).click()
  await page.getByRole('tab', { name: /Deliveries/ }).click()
  await page.getByRole('button', { name: 'Check contents' }).click()
  await page.getByText('All 16 files are there').waitFor({ timeout: slowMs })
  await page.getByText('All 8 files are there').waitFor({ timeout: slowMs })
  await page.getByRole('button', { name: 'Undo import 2' }).click()
  await page.getByRole('button', { name: 'Undo import', exact: true }).click()
  await page.getByText('taken back').first().waitFor({ timeout: slowMs })
  expect(counts()).toEqual({ patients: 8, studies: 8, status: 'ready' })
})

test('a folder that was moved is told, refused when it holds other files, and taken when it holds the same', { timeout: 300_000 }, async () => {
  renameSync(join(folder, 'first'), join(folder, 'moved'))
  let app = await launchWith('second')
  await openCohort(app.page)
  await app.page.getByRole('tab', { name: /Deliveries/ }).click()
  await app.page.getByRole('button', { name: 'Check presence and size' }).click()
  await app.page.getByText('The folder is not there').waitFor({ timeout: slowMs })
  await app.page.getByRole('button', { name: 'Choose where it lies now' }).click()
  await app.page.getByText(/None of the 16 files is in the chosen folder/).first().waitFor({ timeout: slowMs })
  await app.close()
  app = await launchWith('moved')
  await openCohort(app.page)
  await app.page.getByRole('tab', { name: /Deliveries/ }).click()
  await app.page.getByRole('button', { name: 'Check presence and size' }).click()
  await app.page.getByRole('button', { name: 'Choose where it lies now' }).click()
  await app.page.getByText('The folder was taken: all 16 files').waitFor({ timeout: slowMs })
})
