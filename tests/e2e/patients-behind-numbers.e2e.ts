import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { useApp } from './harness/one-app.ts'
import { makeLargeStore } from './harness/large-store.ts'
import { slowMs } from './harness/steps.ts'

/** Every number of the fingerprint opens as many patients as it says; one of them is excluded, marked, left out, and counts again. */

const { folder, launch } = useApp()
const studyCount = 300

interface Listed { studies: number; patients: number }
/** What the list says it shows: "12 studies of 10 patients", or "12 of 300 studies, 10 patients". */
async function listed(page: Page): Promise<Listed> {
  const text = await page.getByRole('status').filter({ hasText: /patients?$/ }).first().innerText({ timeout: slowMs })
  const [, studies, patients] = /^([\d,]+) (?:studies|study|of [\d,]+ studies),? (?:of )?([\d,]+) patients?$/.exec(text.trim()) ?? []
  return { studies: Number(studies?.replaceAll(',', '')), patients: Number(patients?.replaceAll(',', '')) }
}
const goTo = async (page: Page, hash: string): Promise<void> => page.evaluate(`void (location.hash = ${JSON.stringify(hash)})`)

test('numbers of the fingerprint open exactly their patients, and a decision about one of them is seen everywhere', async () => {
  const dir = join(folder, 'store')
  const { cohortId, runId } = makeLargeStore(dir, studyCount)
  const app = await launch({ dir })
  const { page } = app
  await page.getByRole('heading', { name: 'Cohorts', level: 1 }).waitFor()
  const openFingerprint = async (): Promise<void> => {
    await goTo(page, `/cohorts/${cohortId}/fingerprint`)
    await page.getByRole('heading', { name: 'Fingerprint: Large' }).waitFor({ timeout: slowMs })
    await page.locator('svg [data-count]').first().waitFor({ timeout: slowMs })
  }
  const mismatches: string[] = []
  const compare = async (what: string, count: number, unit: string): Promise<void> => {
    const is = (found: Listed): boolean => (unit === 'patients' ? found.patients : found.studies) === count
    await page.getByRole('heading', { name: /^Patients of Large/ }).waitFor({ timeout: slowMs })
    await expect.poll(async () => is(await listed(page)), { timeout: 10_000 }).toBe(true).catch(async () => mismatches.push(`${what}: ${count} ${unit}, listed ${JSON.stringify(await listed(page))}`))
  }
  const compareAll = async (): Promise<void> => {
    await openFingerprint()
    await page.locator('details summary').first().click()
    const links = await page.locator('a[data-count]').evaluateAll((all) => all.map((link) => ({ href: link.getAttribute('href')!, count: Number(link.getAttribute('data-count')), unit: link.getAttribute('data-unit')!, name: link.getAttribute('aria-label') ?? '' })))
    expect(links.length).toBeGreaterThan(50)
    for (const { href, count, unit, name } of links) {
      await goTo(page, href.slice(href.indexOf('#') + 1))
      await compare(name, count, unit)
    }
    // Shapes of plots: bars of presence, ages, and cells beside the diagonal.
    for (const shape of ['svg [data-pattern][data-count]', 'g.bar[data-count]', 'g.cell.is-open:not(.self)[data-count]']) {
      for (const at of [0, 1, 2]) {
        await openFingerprint()
        const element = page.locator(shape).nth(at)
        const [count, unit, name] = [Number(await element.getAttribute('data-count')), (await element.getAttribute('data-unit'))!, (await element.getAttribute('aria-label')) ?? shape]
        await element.focus()
        await page.keyboard.press('Enter')
        await compare(name, count, unit)
      }
    }
  }
  await compareAll()
  expect(mismatches).toEqual([])

  // Somebody withdraws: out from the list, with a reason.
  await goTo(page, `/patients?cohort=${cohortId}&run=${runId}`)
  await page.getByRole('row').nth(3).click()
  const exclude = page.getByRole('button', { name: /^Exclude P-/ })
  const key = /P-[0-9A-F]+/.exec(await exclude.innerText())![0]
  await exclude.click()
  const dialog = page.getByRole('dialog', { name: `Exclude patient ${key}` })
  await dialog.getByText(`Excludes 1 study of 1 patient; ${studyCount - 1} remain.`).waitFor({ timeout: slowMs })
  await dialog.getByLabel('Why').fill('Withdrew consent')
  await dialog.getByRole('button', { name: 'Decide' }).click()
  await dialog.waitFor({ state: 'hidden', timeout: slowMs })
  await goTo(page, `/patients?cohort=${cohortId}&run=${runId}&excluded=only`)
  await expect.poll(() => listed(page)).toEqual({ studies: 1, patients: 1 })
  await page.getByRole('row', { name: new RegExp(key) }).getByText('excluded', { exact: true }).waitFor()
  await page.getByRole('button', { name: key, exact: true }).click()
  const note = page.getByText('The run shown here was made before that decision')
  await note.waitFor({ timeout: slowMs })
  await page.getByText('“Withdrew consent”').waitFor()
  // Numbers of the run stay, and it says that it is older.
  await goTo(page, `/runs/${runId}/results`)
  await page.getByText('Made before a decision over the cohort').waitFor({ timeout: slowMs })
  await page.getByText(/: Excludes 1 study of 1 patient/).waitFor()
  // A run that is set up now says how many it leaves out.
  await goTo(page, `/cohorts/${cohortId}/runs/new`)
  await page.getByText('1 study of 1 patient is excluded by decisions: neither trained on nor counted.').waitFor({ timeout: slowMs })
  // The numbers of the fingerprint go on agreeing with their lists.
  await openFingerprint()
  await page.getByText(String(studyCount - 1), { exact: true }).first().waitFor()
  await compareAll()
  expect(mismatches).toEqual([])

  await goTo(page, `/patients?cohort=${cohortId}&run=none&excluded=only`)
  await page.getByRole('row', { name: new RegExp(key) }).click()
  await page.getByRole('button', { name: `Include ${key} again…` }).click()
  await page.getByRole('dialog').getByLabel('Why').fill('A mistake')
  await page.getByRole('dialog').getByRole('button', { name: 'Include again' }).click()
  await page.getByText('No patient fits these filters').waitFor({ timeout: slowMs })
  await goTo(page, '/workstation')
  await page.getByText('curation.undone').or(page.getByText(/undone/i)).first().waitFor({ timeout: slowMs })
  // The store names pictures that nobody drew; that they are missing is no finding here.
  app.problems.length = 0
}, slowMs * 20)
