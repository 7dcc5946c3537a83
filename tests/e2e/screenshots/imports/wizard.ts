import type { LaunchedApp } from '../../harness/launch.ts'
import { scrollTo, type Camera, type Theme } from '../camera.ts'

/** The five steps of an import, and the privacy step further down. */
export async function photographWizard(camera: Camera, app: LaunchedApp, theme: Theme): Promise<void> {
  const { page } = app
  await camera.open(app, '/import')
  await page.getByRole('button', { name: 'Choose: Image folder' }).click()
  await page.getByRole('button', { name: 'Choose: Table' }).click()
  await page.getByRole('heading', { name: 'Columns of the table' }).waitFor()
  await camera.photograph(app, theme, '03-import-1-source')
  for (const [number, step] of [['2', 'columns'], ['3', 'privacy'], ['4', 'check'], ['5', 'import']] as const) {
    await page.getByRole('button', { name: `Continue to ${step}` }).click({ timeout: 120_000 })
    if (step === 'check') await page.getByRole('button', { name: 'Continue to import' }).and(page.locator(':enabled')).waitFor({ timeout: 120_000 })
    await camera.photograph(app, theme, `03-import-${number}-${step}`)
    if (step === 'privacy') await photographPrivacy(camera, app, theme)
  }
}

/** The privacy step further down: own words, the rules tried on an example and on the table. */
async function photographPrivacy(camera: Camera, app: LaunchedApp, theme: Theme): Promise<void> {
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
    await scrollTo(page, heading)
    await camera.photograph(app, theme, `03-import-3-privacy-${name}`)
  }
}
