import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { generateDemoCohort } from '../../engine/demo/generate.ts'
import { randomTensors, viltConfig, viltShapes, writeFolder } from '../unit/backbones/import/tiny-folders.ts'
import { photographFailures } from './harness/failures.ts'
import { launchApp, temporaryFolder, type LaunchedApp } from './harness/launch.ts'
import { chooseSource, goOn, goToCheck, nameAndImport, runEnds, slowMs, startRun } from './harness/steps.ts'

/** A backbone brought from outside, and a run of another method on it with simulated losses: from the screen to the patient page. */

const folder = temporaryFolder()
let app: LaunchedApp
photographFailures(() => app)

beforeAll(async () => {
  const { sourceDir, tableFile } = await generateDemoCohort({ outDir: join(folder, 'source'), patientCount: 60, seed: 11 })
  const backbone = writeFolder(join(folder, 'tiny-vilt'), viltConfig, randomTensors(viltShapes))
  app = await launchApp({ dialogs: { chooseFolder: sourceDir, chooseTable: tableFile, chooseBackbone: backbone } })
})
afterAll(async () => {
  try {
    await app?.close()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test('a backbone is added from a folder, described, verified, and not added twice', async () => {
  const { page } = app
  await page.getByRole('navigation', { name: 'Places' }).getByRole('link', { name: 'Backbones' }).click()
  const choose = async () => {
    await page.getByRole('button', { name: 'Add backbone' }).click()
    await page.getByRole('button', { name: 'Choose folder' }).click()
  }
  await choose()
  const card = page.getByRole('article', { name: 'tiny-vilt' })
  await card.getByText('ViLT', { exact: true }).waitFor({ timeout: slowMs })
  await card.getByText('110,304').first().waitFor()
  await card.getByText(/^Parameter table/).click()
  await card.getByText('embeddings.cls_token').waitFor()
  await card.getByRole('button', { name: 'Edit' }).click()
  await page.getByLabel('Licence').fill('made up for a test')
  await page.getByRole('button', { name: 'Save' }).click()
  await card.getByText('made up for a test').waitFor()
  await card.getByRole('button', { name: 'Verify files' }).click()
  await card.getByText(/files are what was added/).waitFor({ timeout: slowMs })
  await choose()
  await page.getByRole('main').getByText('BACKBONE_ALREADY_ADDED').waitFor({ timeout: slowMs })
})

test('a method with sets for each combination trains on it with simulated losses that were told before', async () => {
  const { page } = app
  await page.getByRole('navigation', { name: 'Places' }).getByRole('link', { name: 'Cohorts' }).click()
  await page.getByRole('link', { name: /Import/ }).first().click()
  await chooseSource(page)
  await goToCheck(page)
  await goOn(page, 'import')
  await nameAndImport(page, 'Sixty patients')
  await page.getByRole('link', { name: 'Open cohort' }).click()
  await startRun(page, 2, async () => {
    await page.getByRole('radio', { name: /^SSF per combination/ }).click()
    await page.getByRole('heading', { name: 'Settings of SSF per combination' }).waitFor()
    expect(await page.getByLabel('Rank').count()).toBe(0)
    expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('SSF per combination on Sixty patients')
    // A refused value is told in words, and nothing can be started with it.
    await page.getByLabel('Base phase').fill('2')
    await page.getByText('A number from 0.1 to 0.9.').waitFor()
    expect(await page.getByRole('button', { name: 'Start training' }).isDisabled()).toBe(true)
    await page.getByLabel('Base phase').fill('0.5')
    await page.getByLabel('Backbone').selectOption({ label: 'tiny-vilt' })
    await page.getByLabel('Text length').fill('12')
    await page.getByText('With simulated losses').first().click()
    await page.getByText(/hidden completely at random; asked for in 30 % of the studies that have it/).first().waitFor({ timeout: slowMs })
  })
  await runEnds(page)
  await page.getByText('tiny-vilt').or(page.getByText(/vilt-[0-9a-f]{12}/)).first().waitFor()
  await page.getByRole('link', { name: 'Open results' }).click()
  await page.getByRole('heading', { name: 'What each pattern tells, in bits' }).waitFor({ timeout: slowMs })
})

test('its predictions are on the patient page', async () => {
  const { page } = app
  await page.getByRole('button', { name: 'Open the patients of: All test patients', exact: true }).click()
  await page.getByText('12 of 60 studies').first().waitFor()
  await page.getByRole('row').nth(1).click()
  const predictions = page.getByRole('region', { name: 'Predictions' })
  if (await predictions.count() === 0) await page.keyboard.press('Enter')
  await predictions.getByRole('table').waitFor({ timeout: slowMs })
})
