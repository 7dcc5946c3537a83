import { renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { writeDeliveries } from '../../sources/deliveries.ts'
import { launchApp, temporaryFolder, type LaunchedApp } from '../../harness/launch.ts'
import { checkEnds, chooseSource, goOn, nameAndImport, openWizard } from '../../harness/steps.ts'
import { themes, type Camera, type Theme } from '../camera.ts'

/** The next delivery of a synthetic hospital: saved mappings, the wizard with a cohort to go into, its report, the imports of the cohort, and the originals unplugged. */
export async function photographDeliveries(camera: Camera): Promise<void> {
  for (const theme of themes) {
    const folder = temporaryFolder()
    try {
      await writeDeliveries(folder)
      await photographFirst(camera, folder, theme)
      await photographSecond(camera, folder, theme)
    } finally {
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
    }
  }
}

const launch = (folder: string, delivery: string): Promise<LaunchedApp> => launchApp({ dir: join(folder, 'store'), dialogs: { chooseFolder: join(folder, delivery), chooseTable: join(folder, delivery, 'annotations.csv') } })

async function toImport({ page }: LaunchedApp): Promise<void> {
  for (const step of ['privacy', 'check'] as const) await goOn(page, step)
  await checkEnds(page)
}

async function photographFirst(camera: Camera, folder: string, theme: Theme): Promise<void> {
  const app = await launch(folder, 'first')
  const { page } = app
  await camera.choose(app, theme)
  await openWizard(page)
  await chooseSource(page)
  await goOn(page, 'columns')
  await page.getByRole('button', { name: 'Saved mappings' }).click()
  for (const name of ['Eye ward, yearly export', 'Eye ward before 2024']) {
    await page.getByLabel('Save the mapping as it stands').fill(name)
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await page.getByRole('button', { name: `Use: ${name}` }).waitFor()
  }
  await camera.photograph(app, theme, '17-deliveries-1-saved-mappings')
  await page.getByRole('button', { name: 'Use: Eye ward, yearly export' }).click()
  await page.getByText('was compared with this table').waitFor()
  await camera.photograph(app, theme, '17-deliveries-2-mapping-compared')
  await toImport(app)
  await goOn(page, 'import')
  await nameAndImport(page, 'Eye ward')
  await app.close()
}

async function photographSecond(camera: Camera, folder: string, theme: Theme): Promise<void> {
  const app = await launch(folder, 'second')
  const { page } = app
  await camera.choose(app, theme)
  await page.getByRole('navigation', { name: 'Places' }).getByRole('link', { name: 'Cohorts' }).click()
  await page.getByRole('link', { name: 'Eye ward' }).first().click()
  await page.getByRole('link', { name: 'Add a delivery' }).first().click()
  await page.getByText('Delivery for “Eye ward”').waitFor()
  await camera.photograph(app, theme, '17-deliveries-3-source')
  await chooseSource(page)
  await goOn(page, 'columns')
  await camera.photograph(app, theme, '17-deliveries-4-columns')
  await toImport(app)
  await camera.photograph(app, theme, '17-deliveries-5-check')
  await goOn(page, 'import')
  await camera.photograph(app, theme, '17-deliveries-6-import')
  await page.getByRole('button', { name: 'Add the delivery' }).click()
  await page.getByText('Import complete').waitFor({ timeout: 120_000 })
  await camera.photograph(app, theme, '17-deliveries-7-report')
  await page.getByRole('link', { name: 'Open cohort' }).click()
  await page.getByRole('tab', { name: /Deliveries/ }).click()
  await page.getByRole('button', { name: 'Check contents' }).click()
  await page.getByText('All 16 files are there').waitFor({ timeout: 120_000 })
  await camera.photograph(app, theme, '17-deliveries-8-cohort')
  rmSync(join(folder, 'second', '10_left.jpg'))
  renameSync(join(folder, 'first'), join(folder, 'elsewhere'))
  await page.getByRole('button', { name: 'Check presence and size' }).click()
  await page.getByText('The folder is not there').waitFor({ timeout: 120_000 })
  await camera.photograph(app, theme, '17-deliveries-9-originals-gone')
  await page.getByRole('button', { name: 'Undo import 2' }).click()
  await camera.photograph(app, theme, '17-deliveries-undo')
  await page.keyboard.press('Escape')
  await app.close()
}
