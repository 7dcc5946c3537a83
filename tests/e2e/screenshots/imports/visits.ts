import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { launchApp, temporaryFolder } from '../../harness/launch.ts'
import { checkEnds, chooseSource, goOn, nameAndImport, openWizard } from '../../harness/steps.ts'
import { writeVisits } from '../../sources/visits.ts'
import { themes, type Camera, type Theme } from '../camera.ts'

/** Days of studies: asked for in the wizard, told by the check and the report, on the patient's page, the fingerprint and as an alarm. */
export async function photographVisits(camera: Camera): Promise<void> {
  for (const theme of themes) {
    const folder = temporaryFolder()
    try {
      await writeVisits(folder)
      await photograph(camera, folder, theme)
    } finally {
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
    }
  }
}

async function photograph(camera: Camera, folder: string, theme: Theme): Promise<void> {
  const app = await launchApp({ dir: join(folder, 'store'), dialogs: { chooseFolder: folder, chooseTable: join(folder, 'visits.csv') } })
  const { page } = app
  await camera.choose(app, theme)
  await openWizard(page)
  await chooseSource(page)
  await goOn(page, 'columns')
  const order = page.getByLabel('What comes first in the date of the study')
  // The smaller of the two sizes: what is in view there is in view in both.
  await app.application.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]!.setContentSize(1280, 800))
  await page.getByLabel('Date of birth').scrollIntoViewIfNeeded()
  await camera.photograph(app, theme, '22-dates-1-asked')
  await order.selectOption({ label: 'Day first (25/03/2020)' })
  await goOn(page, 'privacy')
  await goOn(page, 'check')
  await checkEnds(page)
  await page.getByText('Dates that cannot be true').scrollIntoViewIfNeeded()
  await camera.photograph(app, theme, '22-dates-2-check')
  await goOn(page, 'import')
  await nameAndImport(page, 'Chest visits')
  await camera.photograph(app, theme, '22-dates-3-report')
  await page.getByRole('link', { name: 'Decide about them' }).click()
  await page.getByRole('button', { name: 'Look for alarms' }).click()
  const card = page.getByRole('article', { name: /date that cannot be right/ })
  await card.getByRole('button', { name: 'Show evidence' }).click({ timeout: 120_000 })
  await card.scrollIntoViewIfNeeded()
  await camera.photograph(app, theme, '22-dates-4-alarm')
  await card.getByRole('region', { name: 'Studies' }).getByRole('link').nth(5).click()
  await page.getByRole('navigation', { name: 'Studies of this patient' }).waitFor({ timeout: 30_000 })
  await camera.photograph(app, theme, '22-dates-5-patient')
  await camera.open(app, '#/cohorts/1/fingerprint')
  await page.getByText('Patients followed over time').waitFor({ timeout: 60_000 })
  await camera.photograph(app, theme, '22-dates-6-fingerprint')
  await app.close()
}
