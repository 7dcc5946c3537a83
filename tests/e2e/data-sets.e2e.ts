import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { useApp } from './harness/one-app.ts'
import { checkEnds, chooseHeaders, chooseSource, goOn, goToCheck, nameAndImport, openWizard, rowSum, slowMs } from './harness/steps.ts'

/** Every real data set through the wizard to the end of its import, with the counts of its README and each oddity told. Skipped where the data are not there. */

const dataRoot = process.env.LACUNA_TEST_DATA ?? join(import.meta.dirname, '..', '..', '..', 'shared', 'data')
const odirTable = 'ODIR-5K_Training_Annotations(Updated)_V2.xlsx'

interface DataSet {
  name: string
  folder: string
  images?: string
  /** Null: the reports or headers in the folder are the table. */
  table: string | null
  /** A second table, chosen by hand. */
  second?: string
  rows: [rowsIn: number, accepted: number, rejected: number]
  patients: number
  /** What the check page must tell. */
  told: (string | RegExp)[]
}

const dataSets: DataSet[] = [
  { name: 'ODIR, the Kaggle table with a row for each eye', folder: 'odir', images: 'images', table: 'full_df.csv', rows: [800, 800, 0], patients: 400, told: ['Ages that look like placeholders', /Words in the text that give a label away/] },
  { name: 'full-size ODIR', folder: 'odir_fullsize', images: 'images', table: odirTable, rows: [30, 30, 0], patients: 30, told: ['Images named in the table that are not in the folder'] },
  { name: 'Indiana reports with their projections', folder: 'iu_reports', table: 'indiana_reports.csv', rows: [400, 400, 0], patients: 400, told: [/Texts from which words were removed/, /Texts that repeat another one/, 'Images named in the table that are not in the folder'] },
  { name: 'Indiana XML reports', folder: 'iu_reports', table: null, rows: [400, 400, 0], patients: 400, told: [/Texts from which words were removed/, 'Images named in the table that are not in the folder'] },
  { name: 'COVID chest X-rays', folder: 'covid_cxr', table: 'metadata.csv', rows: [542, 542, 0], patients: 319, told: ['Cells with letters that were lost before this import', 'Column titles that had to be repaired', 'The same picture more than once', 'Images named in the table that are not in the folder', /Words in the text that give a label away/] },
  { name: 'DICOM files without a table', folder: 'dicom', table: null, rows: [60, 43, 17], patients: 25, told: ['Rows without a patient or study ID'] },
  { name: 'DICOM files with their index as second table', folder: 'dicom', table: null, second: 'INDEX.csv', rows: [60, 43, 17], patients: 25, told: ['Rows without a patient or study ID'] },
]

const { launch } = useApp()

describe.skipIf(!existsSync(dataRoot))('real data sets (skipped without ../shared/data)', () => {
  test.each(dataSets)('$name', { timeout: 10 * 60_000 }, async ({ folder, images, table, second, rows: [rowsIn, accepted, rejected], patients, told }) => {
    const dir = join(dataRoot, folder)
    const chooseTable = table === null ? second && join(dir, second) : join(dir, table)
    const app = await launch({ dialogs: { chooseFolder: images === undefined ? dir : join(dir, images), ...(chooseTable === undefined ? {} : { chooseTable }) } })
    const { page } = app
    await openWizard(page)
    if (table === null) await chooseHeaders(page)
    else await chooseSource(page)
    if (second !== undefined) {
      await page.getByRole('button', { name: 'Add a second table' }).click()
      await page.locator('option', { hasText: 'decode_check' }).first().waitFor({ state: 'attached', timeout: slowMs })
    }
    await goToCheck(page)
    await checkEnds(page)
    for (const line of told) await page.getByText(line).first().waitFor({ timeout: slowMs })
    await goOn(page, 'import')
    await nameAndImport(page, 'Set')
    expect(await rowSum(page)).toEqual({ rowsIn, accepted, rejected })
    await page.getByText(new RegExp(`They became ${patients} patients`)).waitFor()
  })
})
