import Database from 'better-sqlite3'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { useApp } from './harness/one-app.ts'
import { goToImport, nameAndImport, open, slowMs } from './harness/steps.ts'
import { writePictures } from './sources/alarms.ts'

/** An alarm from its finding to its remedy, its undo and the log, in the real app. */

const { folder, launch } = useApp()

test('a text that gives labels away: the alarm names the rule, masking quietens it, undoing brings it back, the log has both', async () => {
  const images = join(folder, 'images')
  mkdirSync(images)
  const rows = await writePictures(images, 80)
  const table = join(folder, 'table.csv')
  writeFileSync(table, ['ID,Image,Notes,Cataract,Glaucoma', ...rows].join('\n'))
  const app = await launch({ dialogs: { chooseFolder: images, chooseTable: table } })
  const { page } = app
  await goToImport(page)
  await nameAndImport(page, 'Leaking notes')
  await page.getByRole('link', { name: 'Open cohort' }).click()
  await page.getByText('Nobody has looked for alarms').waitFor()
  await page.getByRole('link', { name: 'Alarms and decisions' }).click()
  await page.getByRole('heading', { name: 'Alarms before training', level: 1 }).waitFor()
  await page.getByRole('button', { name: 'Look for alarms' }).click()

  const alarm = page.getByRole('article', { name: /words of Notes give .*away/ })
  await alarm.waitFor({ timeout: slowMs })
  expect(await alarm.innerText()).toContain('Cataract is present where the text contains "clouded"')
  await alarm.getByRole('button', { name: /^Mask \d+ words?/ }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText(/^Masks \d+ words? at \d+ places? in \d+ texts of Notes/).waitFor()
  await dialog.getByRole('button', { name: 'Decide' }).click()
  await page.getByText('In force', { exact: false }).first().waitFor({ timeout: slowMs })
  await page.getByText('No word, short rule or bag of words of Notes gives a label away.').waitFor({ timeout: slowMs })
  expect(await alarm.count()).toBe(0)

  // What the model reads stands on the patient page, the masked word struck through.
  await open(page, '/patients?cohort=1')
  await page.getByRole('row').nth(1).getByRole('button').first().click()
  await page.locator('del').first().waitFor()
  await open(page, '/cohorts/1/alarms')

  await page.getByRole('button', { name: /^Undo Mask/ }).click()
  await page.getByRole('button', { name: 'Undo the decision' }).click()
  await alarm.waitFor({ timeout: slowMs })
  await page.getByText(/Undone .* by /).waitFor()
  await open(page, '/workstation')
  await page.getByText('Decision over a cohort undone').waitFor()
  await page.getByText('Decision over a cohort', { exact: true }).waitFor()

  const store = new Database(app.storeFile, { readonly: true })
  const events = store.prepare(`SELECT event FROM audit_log WHERE event LIKE 'curation.%' ORDER BY sequence`).pluck().all()
  store.close()
  expect(events).toEqual(['curation.decided', 'curation.undone'])
})
