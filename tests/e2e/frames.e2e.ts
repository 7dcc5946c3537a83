import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { useApp } from './harness/one-app.ts'
import { checkEnds, chooseHeaders, goBack, goOn, nameAndImport, openFirstPatient, openWizard, slowMs } from './harness/steps.ts'
import { writeChest } from './sources/chests.ts'

/** A frame chosen in the wizard is the one that the report counts, the viewer opens on and the model sees. */

const { folder, launch } = useApp()
const filesDir = join(folder, 'files')

mkdirSync(filesDir)
for (const patient of ['7001', '7002']) writeChest(filesDir, patient)

const shots = process.env['LACUNA_E2E_SHOTS']
async function photograph(page: Page, name: string): Promise<void> {
  if (!shots) return
  const own = await page.evaluate<string>('document.documentElement.dataset.theme')
  for (const theme of ['light', 'dark', own]) {
    await page.evaluate(`void (document.documentElement.dataset.theme = '${theme}')`)
    for (const [width, height] of [[1280, 800], [1920, 1080]] as const) {
      await page.setViewportSize({ width, height })
      await page.screenshot({ path: join(shots, `${name}-${theme}-${width}.png`) })
    }
  }
}

test('the frame that is chosen is the frame that is seen', async () => {
  const app = await launch({ dialogs: { chooseFolder: filesDir } })
  const { page } = app
  await openWizard(page)
  await chooseHeaders(page)
  await goOn(page, 'columns')
  await page.getByRole('button', { name: /^Edit .*LL/ }).click()
  const choice = page.getByLabel('Frame to use')
  await page.getByText('the files of the first rows hold up to 5').waitFor({ timeout: slowMs })
  await page.getByText('frame 1/5').first().waitFor()

  // A frame that no file has: told by the check, with the way back to the choice.
  await choice.selectOption({ label: 'A number' })
  await page.getByText('Write the number of a frame, from 1.').waitFor()
  await page.getByLabel('Number', { exact: true }).fill('9')
  await goOn(page, 'privacy')
  await goOn(page, 'check')
  await checkEnds(page)
  await page.getByText('Files without the chosen frame').first().waitFor()
  await photograph(page, 'frames-check')
  await goBack(page)
  await goBack(page)

  await page.getByRole('button', { name: /^Edit .*LL/ }).click()
  expect(await page.getByLabel('Number', { exact: true }).inputValue()).toBe('9')
  await page.getByLabel('Number', { exact: true }).fill('4')
  await page.getByText('frame 4/5').first().waitFor({ timeout: slowMs })
  await choice.scrollIntoViewIfNeeded()
  await page.getByText('the files of the first rows hold up to 5').scrollIntoViewIfNeeded()
  await photograph(page, 'frames-wizard')
  await goOn(page, 'privacy')
  await goOn(page, 'check')
  await goOn(page, 'import')
  await nameAndImport(page, 'Frames')
  await page.getByText('2 images are one frame each of a file with several (frame 4).').waitFor()
  await photograph(page, 'frames-report')

  await openFirstPatient(page, 2)
  const lateral = page.locator('.pane').filter({ has: page.locator('figcaption', { hasText: 'LL' }) }).locator('.frame')
  // The model's frame needs no words, and no address of its own.
  await page.getByText('Frame 4 of 5').waitFor({ timeout: slowMs })
  await page.getByText('model: frame 4').waitFor()
  expect(await lateral.locator('img').getAttribute('src')).not.toContain('frame=')
  expect(await lateral.getByRole('status').count()).toBe(0)
  await photograph(page, 'frames-viewer')
  await page.keyboard.press('PageUp')
  await page.getByText('Frame 3 of 5').waitFor()
  await expect.poll(() => lateral.getByRole('status').innerText()).toBe('Not as the model sees it: frame 3')
  await expect.poll(() => lateral.locator('img').getAttribute('src')).toContain('frame=2')
  await photograph(page, 'frames-viewer-other')
  await page.keyboard.press('0')
  await page.getByText('Frame 4 of 5').waitFor()
})
