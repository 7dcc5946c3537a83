import { renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { generateDemoCohort } from '../../../../engine/demo/generate.ts'
import { launchApp, temporaryFolder } from '../../harness/launch.ts'
import { goToImport, nameAndImport, openImported, runEnds, slowMs, startRun } from '../../harness/steps.ts'
import { inBothThemesOf, scrollTo, type Camera } from '../camera.ts'

const patientCount = 60
const runName = 'Both eyes and notes of the whole ward, three folds, as the protocol of the study asks for'

/** A short real run of three folds while it trains and cancelled; another one's fold means and worse inputs; one that failed; and lists without anything in them. */
export async function photographLiveRuns(camera: Camera): Promise<void> {
  const folder = temporaryFolder()
  try {
    const source = await generateDemoCohort({ outDir: join(folder, 'source'), patientCount, seed: 11 })
    const app = await launchApp({ dialogs: { chooseFolder: source.sourceDir, chooseTable: source.tableFile } })
    const { page } = app
    const inBothThemes = inBothThemesOf(camera, app)
    await goToImport(page)
    await nameAndImport(page, 'Sixty patients')
    for (const [name, hash] of [['runs', '/runs'], ['patients', '/patients']] as const) {
      await camera.open(app, hash)
      await inBothThemes(`20-live-1-empty-${name}`)
    }
    await camera.open(app, '/cohorts/1/import')
    await openImported(page, 'Sixty patients')
    const inThreeFolds = async (): Promise<void> => {
      await page.getByLabel('Name', { exact: true }).fill(runName)
      await page.getByRole('radio', { name: /^Cross-validation/ }).click()
      await page.getByLabel('Folds', { exact: true }).fill('3')
    }
    await startRun(page, 12, inThreeFolds)
    await page.getByText(/epoch \d+ of 12/i).first().waitFor({ timeout: slowMs })
    await inBothThemes('20-live-2-training')
    await page.getByRole('button', { name: 'Cancel and discard' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel and discard' }).click()
    await page.getByRole('status').filter({ hasText: 'Cancelled' }).waitFor({ timeout: slowMs })
    await inBothThemes('20-live-3-cancelled')
    await camera.open(app, '/cohorts/1')
    await startRun(page, 1, inThreeFolds)
    await runEnds(page)
    await page.getByRole('link', { name: 'Open results' }).click()
    await page.getByRole('heading', { name: 'Each fold by itself' }).waitFor({ timeout: slowMs })
    await inBothThemes('20-live-4-results')
    // Each level predicts all test patients anew: those of one split are enough to look at.
    await camera.open(app, '/cohorts/1')
    await startRun(page, 1)
    await runEnds(page)
    await page.getByRole('link', { name: 'Open results' }).click()
    await page.getByRole('heading', { name: 'On worse inputs' }).waitFor({ timeout: slowMs })
    for (const kind of ['Blurred images', 'Shorter texts']) {
      await page.getByRole('radio', { name: kind }).click()
      await page.getByRole('button', { name: /^Test \d levels?/ }).click()
      await page.getByRole('button', { name: /^Test \d levels?/ }).waitFor({ state: 'detached', timeout: slowMs })
    }
    await inBothThemes('20-live-5-worse-inputs', () => scrollTo(page, 'On worse inputs'))
    // The originals are gone: the next run says so and stops.
    renameSync(source.sourceDir, `${source.sourceDir}-unplugged`)
    await camera.open(app, '/cohorts/1')
    await startRun(page, 2)
    await page.getByRole('status').filter({ hasText: 'Failed' }).waitFor({ timeout: slowMs })
    await inBothThemes('20-live-6-failed')
    await camera.open(app, '/runs')
    await inBothThemes('20-live-7-runs')
    app.problems.length = 0
    await app.close()
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}
