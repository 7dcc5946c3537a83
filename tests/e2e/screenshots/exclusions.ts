import type { LaunchedApp } from '../harness/launch.ts'
import type { Camera, Theme } from './camera.ts'
import type { Subject } from './subject.ts'

/** The list that a number of the fingerprint opens, and a patient who is excluded: asked, marked on list and page, told by runs of before; included again at the end. */
export async function photographExclusions(camera: Camera, app: LaunchedApp, theme: Theme, { cohortId, runId }: Subject): Promise<void> {
  const { page } = app
  await camera.open(app, `/cohorts/${cohortId}/fingerprint`)
  const cell = page.locator('g.cell.is-open:not(.self)').first()
  await cell.waitFor({ timeout: 60_000 })
  await cell.scrollIntoViewIfNeeded()
  await cell.focus()
  await camera.photograph(app, theme, '21-exclusions-1-cell')
  await page.keyboard.press('Enter')
  await page.getByText('From the fingerprint').waitFor()
  await camera.photograph(app, theme, '21-exclusions-2-list-of-cell')
  await camera.open(app, `/patients?cohort=${cohortId}${runId === null ? '&run=none' : `&run=${runId}`}`)
  await page.getByRole('row').nth(2).click()
  const key = /P-[0-9A-Z]+/.exec(await page.getByRole('button', { name: /^Exclude P-/ }).innerText())![0]
  await page.getByRole('button', { name: /^Exclude P-/ }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText(/^Excludes /).waitFor()
  await dialog.getByLabel('Why').fill('Withdrew consent')
  await camera.photograph(app, theme, '21-exclusions-3-ask')
  await dialog.getByRole('button', { name: 'Decide' }).click()
  await dialog.waitFor({ state: 'detached' })
  await page.getByRole('button', { name: `Include ${key} again…` }).waitFor()
  await camera.photograph(app, theme, '21-exclusions-4-list')
  await page.getByRole('button', { name: key, exact: true }).click()
  await page.getByText('“Withdrew consent”').waitFor()
  await camera.photograph(app, theme, '21-exclusions-5-patient')
  if (runId !== null) {
    await camera.open(app, `/runs/${runId}/results`)
    await page.getByText(/^Made before /).waitFor()
    await camera.photograph(app, theme, '21-exclusions-6-results-of-before')
  }
  await camera.open(app, `/patients?cohort=${cohortId}&run=none&excluded=only`)
  await page.getByRole('row').nth(1).click()
  await page.getByRole('button', { name: `Include ${key} again…` }).click()
  await camera.photograph(app, theme, '21-exclusions-7-include')
  await page.getByRole('dialog').getByRole('button', { name: 'Include again' }).click()
  await page.getByText('No patient fits these filters').waitFor()
  await camera.photograph(app, theme, '21-exclusions-8-none')
}
