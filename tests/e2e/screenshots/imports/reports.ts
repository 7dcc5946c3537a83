import { rmSync } from 'node:fs'
import { launchApp, temporaryFolder } from '../../harness/launch.ts'
import { makeReportSource } from '../../sources/reports.ts'
import { chooseSource, goOn, nameAndImport, open } from '../../harness/steps.ts'
import { themes, type Camera } from '../camera.ts'

/** The wizard's columns with reports from files and labels from their words, the rules, and a patient page with sentences; from synthetic reports. */
export async function photographReports(camera: Camera): Promise<void> {
  const folder = temporaryFolder()
  try {
    const app = await launchApp({ dialogs: { chooseFolder: folder, chooseTable: await makeReportSource(folder) } })
    const { page } = app
    for (const theme of themes) {
      await camera.choose(app, theme)
      await open(page, '/import')
      await chooseSource(page)
      await goOn(page, 'columns')
      await page.getByRole('checkbox', { name: 'Make labels from a report' }).check()
      await page.getByRole('region', { name: 'What the rules read' }).first().getByRole('row', { name: /^Pleural effusion/ }).waitFor()
      await camera.photograph(app, theme, '03-import-6-sentences')
      await page.getByRole('button', { name: 'Read and change the rules' }).evaluate((element) => element.scrollIntoView({ block: 'nearest' }))
      await camera.photograph(app, theme, '03-import-7-report-labels')
      await page.getByRole('button', { name: 'Read and change the rules' }).click()
      await camera.photograph(app, theme, '03-import-8-rules')
      await page.getByRole('button', { name: 'Done' }).click()
      for (const step of ['privacy', 'check', 'import'] as const) await goOn(page, step)
      await nameAndImport(page, `Chest reports ${theme}`)
      const studyId = await page.evaluate<number>(`(async () => {
        const { value: cohorts } = await window.api.call('cohorts:list', {})
        const { value: { rows } } = await window.api.call('patients:list', { cohortId: cohorts[0].cohortId, limit: 100 })
        return rows.find(({ referenceLabels }) => referenceLabels.includes('Pleural effusion (derived)')).studyId
      })()`)
      await open(page, `/patients/${studyId}`)
      await page.getByRole('region', { name: 'Labels from the report' }).waitFor()
      await camera.photograph(app, theme, '11-patient-report-labels')
    }
    await app.close()
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}
