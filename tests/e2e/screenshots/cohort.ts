import type { LaunchedApp } from '../harness/launch.ts'
import type { Camera, Theme } from './camera.ts'
import type { Subject } from './subject.ts'

/** The long page of a cohort's fingerprint, part by part. */
export async function photographFingerprint(camera: Camera, app: LaunchedApp, theme: Theme, { cohortId }: Subject): Promise<void> {
  const { page } = app
  await camera.open(app, `/cohorts/${cohortId}/fingerprint`)
  await page.getByRole('heading', { name: 'Presence patterns', level: 2 }).waitFor()
  const parts = [['1-top', null], ['2-presence', 'Presence patterns'], ['3-missingness', 'Is absence random?'], ['4-labels', 'Labels'], ['5-images', 'Images'], ['6-text', 'Text'], ['7-duplicates', 'The same image twice']] as const
  for (const [name, heading] of parts) {
    const aim = async (): Promise<void> => { if (heading !== null) await page.getByRole('heading', { name: heading, exact: true, level: 2 }).evaluate((element) => element.scrollIntoView()) }
    await aim()
    if (name === '3-missingness' && await page.locator('details:not([open]) > summary').count() > 0) await page.locator('details:not([open]) > summary').first().click()
    await camera.photograph(app, theme, `15-fingerprint-${name}`, aim)
  }
}

/** The images that may show text, open and decided. */
export async function photographTextReview(camera: Camera, app: LaunchedApp, theme: Theme, { cohortId }: Subject): Promise<void> {
  const { page } = app
  await camera.open(app, `/cohorts/${cohortId}/text-in-images`)
  await page.getByRole('heading', { name: 'Text in images', level: 1 }).waitFor()
  await page.waitForTimeout(4000)
  await camera.photograph(app, theme, '18-text-review-1-open')
  const keep = page.getByRole('button', { name: 'Keep', exact: true }).first()
  if (await keep.count() === 0) return
  await keep.click()
  await page.getByRole('button', { name: 'Leave out', exact: true }).nth(1).click()
  await page.getByRole('tab', { name: /^Left out/ }).click()
  await page.getByText('left out', { exact: true }).first().waitFor()
  await camera.photograph(app, theme, '18-text-review-2-left-out')
}
