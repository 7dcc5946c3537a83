import type { Locator, Page } from 'playwright-core'
import { expect } from 'vitest'

/** What a user does, in words of the screens; every step waits for what the user would see. */

export const slowMs = 240_000

/** Goes to a screen by its address. */
export async function open(page: Page, hash: string): Promise<void> {
  await page.evaluate(`void (location.hash = '${hash}')`)
}

export async function openWizard(page: Page): Promise<void> {
  await page.getByRole('link', { name: 'Import your data' }).click()
}

/** Chooses folder and table of the wizard; the dialogs answer as `launchApp` was told. */
export async function chooseSource(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Choose: Image folder' }).click()
  await page.getByRole('button', { name: 'Choose: Table' }).click()
  await page.getByRole('heading', { name: 'Columns of the table' }).waitFor({ timeout: slowMs })
}

/** The same without a table: what the headers of the files say is the table. */
export async function chooseHeaders(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Choose: Image folder' }).click()
  await page.getByRole('button', { name: 'No table: read DICOM or XML files' }).click()
  await page.getByRole('heading', { name: 'Columns of the table' }).waitFor({ timeout: slowMs })
}

export async function goOn(page: Page, to: 'columns' | 'privacy' | 'check' | 'import'): Promise<void> {
  await page.getByRole('button', { name: `Continue to ${to}` }).click({ timeout: slowMs })
}

/** The steps from the table's columns to the page that imports. What the check found stands between the two calls of a test that looks at it. */
export async function goToCheck(page: Page): Promise<void> {
  for (const step of ['columns', 'privacy', 'check'] as const) await goOn(page, step)
}

/** The check has ended and lets the import begin. */
export async function checkEnds(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Continue to import' }).and(page.locator(':enabled')).waitFor({ timeout: slowMs })
}

export async function goBack(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Back', exact: true }).click()
}

/** From the first start to the page that imports, as somebody does who believes every suggestion. */
export async function goToImport(page: Page): Promise<void> {
  await openWizard(page)
  await chooseSource(page)
  await goToCheck(page)
  await goOn(page, 'import')
}

/** From the check page to the report of the finished import. */
export async function nameAndImport(page: Page, name: string): Promise<void> {
  await startImport(page, name)
  await page.getByText('Import complete').waitFor({ timeout: slowMs })
}

/** From the report of an import to the cohort's page. */
export async function openImported(page: Page, name: string): Promise<void> {
  await page.getByRole('link', { name: 'Open cohort' }).click()
  await page.getByRole('heading', { name, level: 1 }).waitFor()
}

export async function startImport(page: Page, name: string): Promise<void> {
  const field = page.getByLabel('Name of the cohort')
  await field.fill(name)
  await page.getByRole('button', { name: 'Start import' }).click()
}

/** Opens the run page of a new run with few epochs. `adjust` changes the form before it is sent. */
export async function startRun(page: Page, epochs: number, adjust: () => Promise<void> = async () => {}): Promise<void> {
  await page.getByRole('link', { name: 'New run' }).first().click()
  await page.getByRole('heading', { name: 'New run', level: 1 }).waitFor()
  await page.getByText('Advanced settings').click()
  await page.getByLabel('Epochs').fill(String(epochs))
  await adjust()
  await page.getByText('Trained parameters').first().waitFor({ timeout: slowMs })
  await page.getByRole('button', { name: 'Start training' }).click()
  await page.getByLabel('Run status: Training').or(page.getByText('Training', { exact: true })).first().waitFor({ timeout: slowMs })
}

export async function runEnds(page: Page): Promise<void> {
  await page.getByRole('status').filter({ hasText: 'Finished' }).waitFor({ timeout: slowMs })
}

/** The three numbers of "N rows in = A accepted + R rejected". */
export async function rowSum(page: Page): Promise<{ rowsIn: number; accepted: number; rejected: number }> {
  const text = await page.getByText(/rows in = .* accepted \+ .* rejected/).first().innerText()
  const [rowsIn, accepted, rejected] = [...text.matchAll(/[\d,]+/g)].map(([number]) => Number(number.replaceAll(',', '')))
  const sum = { rowsIn: rowsIn!, accepted: accepted!, rejected: rejected! }
  expect(sum.rowsIn).toBe(sum.accepted + sum.rejected)
  return sum
}

/** From the report of an import of `studyCount` studies to the images of the first patient; returns their panes. */
export async function openFirstPatient(page: Page, studyCount: number): Promise<Locator> {
  await page.getByRole('link', { name: 'Open cohort' }).click()
  await page.getByRole('link', { name: /Patients/ }).first().click()
  await page.getByText(`${studyCount} studies`).first().waitFor()
  await page.getByRole('row').nth(1).click()
  const panes = page.locator('.pane .frame')
  if (await panes.count() === 0) await page.keyboard.press('Enter')
  await panes.first().waitFor({ timeout: slowMs })
  return panes
}
