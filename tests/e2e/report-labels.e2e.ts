import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { useApp } from './harness/one-app.ts'
import { makeReportSource, reportPatients } from './sources/reports.ts'
import { chooseSource, goOn, nameAndImport, open, openImported, openWizard, rowSum, slowMs } from './harness/steps.ts'

/** Reports from files and labels from their words, through the wizard to the patient page and the warning of a run. */

const { folder, launch } = useApp()

test('reads report files, makes labels by rules that were changed, shows the sentence, warns of the text', async () => {
  const chooseTable = await makeReportSource(folder)
  const app = await launch({ dialogs: { chooseFolder: folder, chooseTable } })
  const { page } = app
  await openWizard(page)
  await chooseSource(page)
  await page.getByText('30 report files lie in the folder').first().waitFor()
  await goOn(page, 'columns')
  await page.getByRole('checkbox', { name: 'Make labels from a report' }).check()
  // Counts and sentences of the first reports come by themselves.
  const read = page.getByRole('region', { name: 'What the rules read' }).first()
  await read.getByRole('row', { name: /^Pleural effusion 10/ }).waitFor({ timeout: slowMs })
  // A rule is changed: what the reports call "PICC" is no device here.
  await page.getByRole('button', { name: 'Read and change the rules' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Rules of').selectOption({ label: 'Support devices' })
  await dialog.getByRole('checkbox', { name: 'picc', exact: true }).uncheck()
  await dialog.getByRole('button', { name: 'Done' }).click()
  await page.getByText('1 phrase changed').waitFor()
  await read.getByRole('row', { name: /^Support devices 0/ }).waitFor({ timeout: slowMs })
  for (const step of ['privacy', 'check'] as const) await goOn(page, step)
  await page.getByText('Report files without text that can be read').first().waitFor({ timeout: slowMs })
  await page.getByText('Pleural effusion (derived)').first().waitFor()
  await goOn(page, 'import')
  await nameAndImport(page, 'Chest')
  expect(await rowSum(page)).toEqual({ rowsIn: reportPatients, accepted: reportPatients, rejected: 0 })

  await openImported(page, 'Chest')
  await page.getByText('Pleural effusion (derived)').first().waitFor()
  await page.getByRole('link', { name: 'New run' }).first().click()
  await page.getByRole('heading', { name: 'New run', level: 1 }).waitFor()
  const report = page.getByRole('checkbox', { name: /^\w? ?Report$/ })
  await report.waitFor()
  // The text that gives the labels away stays out unless it is chosen, and then it is told.
  expect(await report.isChecked()).toBe(false)
  await report.check()
  await page.getByText(/derived from this very text by rules/).first().waitFor({ timeout: slowMs })

  const { studyId } = await page.evaluate<{ studyId: number }>(`(async () => {
    const { value: { rows } } = await window.api.call('patients:list', { cohortId: 1, limit: 100 })
    return rows.find(({ referenceLabels }) => referenceLabels.includes('Pleural effusion (derived)'))
  })()`)
  await open(page, `/patients/${studyId}`)
  const derived = page.getByRole('region', { name: 'Labels from the report' })
  await derived.getByRole('row', { name: /Pleural effusion \(derived\) present/ }).waitFor()
  expect(await derived.locator('mark').allInnerTexts()).toContain('pleural effusion')
  // The name that stood in every report stands nowhere on disk.
  for (const file of ['lacuna.db', 'lacuna.db-wal']) {
    const bytes = readFileSync(join(app.dir, file), 'latin1')
    expect(bytes.includes('Jane Miller')).toBe(false)
    expect(bytes.includes('RX4101')).toBe(false)
  }
})
