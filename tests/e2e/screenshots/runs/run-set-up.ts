import type { LaunchedApp } from '../../harness/launch.ts'
import { scrollTo, type Camera, type Theme } from '../camera.ts'
import type { Subject } from '../subject.ts'

/** The long form of a new run: methods with their settings, losses by chance and by a column of the table, and a value that is refused. */
export async function photographRunSetUp(camera: Camera, app: LaunchedApp, theme: Theme, { cohortId }: Subject): Promise<void> {
  const { page } = app
  await camera.open(app, `/cohorts/${cohortId}/runs/new`)
  await scrollTo(page, 'Method')
  await camera.photograph(app, theme, '06-run-set-up-methods')
  for (const [method, name] of [['Missing-aware prompts', 'prompt'], ['Late fusion (UME-MMA)', 'late-fusion'], ['SSF per combination', 'ssf']] as const) {
    await page.getByRole('radio').and(page.getByLabel(method)).first().click()
    await scrollTo(page, `Settings of ${method}`)
    await camera.photograph(app, theme, `06-run-set-up-${name}`)
  }
  await page.getByText('With simulated losses').first().click()
  await page.getByRole('button', { name: 'Add a loss' }).click()
  await page.getByLabel('Whom it strikes').last().selectOption({ index: 1 })
  await page.getByLabel('Losses of one patient').selectOption({ label: 'tend to fall together' })
  await scrollTo(page, 'What is missing')
  await page.waitForTimeout(1000)
  await camera.photograph(app, theme, '06-run-set-up-missingness')
  await page.getByLabel('How strongly').fill('x')
  await camera.photograph(app, theme, '06-run-set-up-problem')
}
