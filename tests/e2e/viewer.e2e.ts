import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Locator } from 'playwright-core'
import { expect, test } from 'vitest'
import { useApp } from './harness/one-app.ts'
import { chooseHeaders, goOn, goToCheck, nameAndImport, openFirstPatient, openWizard } from './harness/steps.ts'
import { writeChest } from './sources/chests.ts'

/** The viewer on synthetic DICOM files: keys, markers that follow, window by drag, frames, two panes together. */

const { folder, launch } = useApp()
const filesDir = join(folder, 'files')

mkdirSync(filesDir)
for (const patient of ['7001', '7002']) writeChest(filesDir, patient)

test('keys, markers, window, frames and linked panes do what common viewers do', async () => {
  const app = await launch({ dialogs: { chooseFolder: filesDir } })
  const { page } = app
  const shots = process.env['LACUNA_E2E_SHOTS']
  const photograph = async (name: string): Promise<void> => { if (shots) await page.screenshot({ path: join(shots, `${name}.png`) }) }
  await openWizard(page)
  await chooseHeaders(page)
  await goToCheck(page)
  await goOn(page, 'import')
  await nameAndImport(page, 'Viewer')
  const panes = await openFirstPatient(page, 2)
  await expect.poll(() => panes.count()).toBe(2)
  const [frontal, lateral] = ['PA', 'LL'].map((view) => page.locator('.pane').filter({ has: page.locator('figcaption', { hasText: view }) }).locator('.frame')) as [Locator, Locator]
  const marks = (pane: Locator): Promise<string[]> => Promise.all(['top', 'right', 'bottom', 'left'].map((edge) => pane.locator(`.mark.${edge}`).innerText()))
  await expect.poll(() => marks(frontal), { timeout: 20_000 }).toEqual(['H', 'L', 'F', 'R'])
  await expect.poll(() => marks(lateral)).toEqual(['H', 'P', 'F', 'A'])
  await photograph('viewer-plain')

  // Keys work wherever the focus is; both panes follow, and each says that it is not as the model sees it.
  const differs = frontal.getByRole('status')
  await page.keyboard.press('h')
  await expect.poll(() => marks(frontal)).toEqual(['H', 'R', 'F', 'L'])
  await page.keyboard.press('r')
  await expect.poll(() => marks(frontal)).toEqual(['L', 'H', 'R', 'F'])
  await expect.poll(() => marks(lateral)).toEqual(['P', 'H', 'A', 'F'])
  await page.keyboard.press('i')
  await expect.poll(() => differs.innerText()).toBe('Not as the model sees it: inverted, mirrored, turned 90°')
  await photograph('viewer-turned')
  await page.keyboard.press('0')
  await expect.poll(() => marks(frontal)).toEqual(['H', 'L', 'F', 'R'])
  await page.keyboard.press('v')
  await expect.poll(() => marks(frontal)).toEqual(['F', 'L', 'H', 'R'])
  await frontal.click()
  await page.keyboard.press('l')
  await expect.poll(() => marks(frontal)).toEqual(['L', 'H', 'R', 'F'])
  await page.keyboard.press('Space')
  await expect.poll(() => differs.count()).toBe(0)

  // A drag to the right widens the window, a drag down raises its centre.
  const box = (await frontal.boundingBox())!
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2)
  await page.mouse.down()
  await page.mouse.move(box.x + box.width * 0.75, box.y + box.height * 0.6, { steps: 5 })
  await page.mouse.up()
  const [, centre, width] = /window (\d+) \/ (\d+)/.exec(await differs.innerText())!.map(Number)
  expect(centre).toBeGreaterThan(1800)
  expect(width).toBeGreaterThan(3000)
  await page.keyboard.press('0')

  await page.keyboard.press('+')
  await expect.poll(() => lateral.locator('.zoom').innerText()).toBe('125 %')
  await page.keyboard.press('0')

  // Frames: the file of five goes on, the single picture stays; the bar says which one the model saw.
  await page.keyboard.press('PageDown')
  await page.keyboard.press('PageDown')
  await page.getByText('Frame 3 of 5').waitFor()
  await expect.poll(() => lateral.getByRole('status').innerText()).toBe('Not as the model sees it: frame 3')
  expect(await differs.count()).toBe(0)
  await expect.poll(() => lateral.locator('img').getAttribute('src')).toContain('frame=2')
  await lateral.hover()
  await page.mouse.wheel(0, 100)
  await page.getByText('Frame 4 of 5').waitFor()
  await photograph('viewer-frames')
  await page.emulateMedia({ colorScheme: 'dark' })
  await page.setViewportSize({ width: 1280, height: 800 })
  await photograph('viewer-frames-dark-small')
})
