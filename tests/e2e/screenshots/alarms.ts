import type { LaunchedApp } from '../harness/launch.ts'
import type { Camera, Theme } from './camera.ts'
import type { Subject } from './subject.ts'

/** Alarms before anybody looked, as found, with evidence, while deciding, decided and undone; decisions are made in the copy of the store. */
export async function photographAlarms(camera: Camera, app: LaunchedApp, theme: Theme, { cohortId }: Subject): Promise<void> {
  const { page } = app
  await camera.open(app, `/cohorts/${cohortId}/alarms`)
  const search = page.getByRole('button', { name: 'Look for alarms' })
  await search.or(page.getByText(/Looked for and not found|worst first/)).first().waitFor()
  if (await search.count() > 0) {
    await camera.photograph(app, theme, '16-alarms-1-not-searched')
    await search.click()
  }
  await page.getByText(/Looked for and not found|worst first/).first().waitFor({ timeout: 240_000 })
  await camera.photograph(app, theme, '16-alarms-2-found')
  const evidence = page.getByRole('button', { name: 'Show evidence' }).first()
  if (await evidence.count() > 0) {
    await evidence.click()
    await camera.photograph(app, theme, '16-alarms-3-evidence')
  }
  const remedy = page.locator('article').getByRole('button', { name: /^(Mask|Leave|Count|Exclude)/ }).first()
  if (await remedy.count() > 0) {
    await remedy.click()
    await page.getByRole('dialog').getByRole('button', { name: 'Decide' }).and(page.locator(':enabled')).waitFor()
    await camera.photograph(app, theme, '16-alarms-4-remedy')
    await page.getByRole('dialog').getByRole('button', { name: 'Decide' }).click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await page.getByText(/Looked for and not found|worst first/).first().waitFor({ timeout: 240_000 })
    await camera.photograph(app, theme, '16-alarms-5-decided')
    await camera.open(app, `/cohorts/${cohortId}`)
    await camera.photograph(app, theme, '16-alarms-6-cohort')
    await camera.open(app, `/cohorts/${cohortId}/alarms`)
    await page.getByRole('button', { name: /^Undo / }).first().click()
    await camera.photograph(app, theme, '16-alarms-7-undo')
    await page.getByRole('button', { name: 'Undo the decision' }).click()
    await page.getByText(/Undone /).first().waitFor()
    await camera.photograph(app, theme, '16-alarms-8-undone')
  }
  await camera.open(app, `/cohorts/${cohortId}/runs/new`)
  await camera.photograph(app, theme, '16-alarms-9-before-run')
}
