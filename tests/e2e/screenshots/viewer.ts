import { rmSync } from 'node:fs'
import { launchApp, temporaryFolder } from '../harness/launch.ts'
import { chooseHeaders, goOn, goToCheck, nameAndImport } from '../harness/steps.ts'
import { writeChest } from '../sources/chests.ts'
import { themes, type Camera } from './camera.ts'

/** The viewer on synthetic DICOM files: two views as the model sees them, turned and windowed, and with the focus on a picture. */
export async function photographViewer(camera: Camera): Promise<void> {
  const folder = temporaryFolder()
  try {
    for (const patient of ['7001', '7002']) writeChest(folder, patient)
    const app = await launchApp({ dialogs: { chooseFolder: folder } })
    const { page } = app
    for (const theme of themes) {
      await camera.choose(app, theme)
      await camera.open(app, '/import')
      await chooseHeaders(page)
      await camera.photograph(app, theme, '19-viewer-1-headers')
      await goToCheck(page)
      await goOn(page, 'import')
      await nameAndImport(page, `Chest X-rays ${theme}`)
      const studyId = await page.evaluate<number>(`(async () => {
        const { value: cohorts } = await window.api.call('cohorts:list', {})
        return (await window.api.call('patients:list', { cohortId: cohorts[0].cohortId, limit: 1 })).value.rows[0].studyId
      })()`)
      await camera.open(app, `/patients/${studyId}`)
      await page.locator('.pane .mark').first().waitFor()
      await camera.photograph(app, theme, '19-viewer-2-plain')
      await page.getByText(/^Frame \d+ of/).first().waitFor()
      for (const key of ['h', 'r', 'i', '+', 'PageDown']) await page.keyboard.press(key)
      await page.locator('.pane .frame').first().focus()
      await camera.photograph(app, theme, '19-viewer-3-turned')
    }
    await app.close()
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}
