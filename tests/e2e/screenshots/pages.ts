import type { LaunchedApp } from '../harness/launch.ts'
import { scrollTo, type Camera, type Theme } from './camera.ts'
import type { Subject } from './subject.ts'

/** The screens that are there as soon as they are opened, under the names of their pictures. */
export function screensOf({ cohortId, runId, combinationRunId, completeStudyId, incompleteStudyId }: Subject): [name: string, hash: string][] {
  const list = `cohort=${cohortId}${runId === null ? '' : `&run=${runId}`}`
  return [
    ['02-cohorts', '/cohorts'],
    ['04-import-report', `/cohorts/${cohortId}/import`],
    ['05-cohort', `/cohorts/${cohortId}`],
    ['06-run-set-up', `/cohorts/${cohortId}/runs/new`],
    ['07-runs', '/runs'],
    ...(runId === null ? [] : [['08-run', `/runs/${runId}`], ['09-results', `/runs/${runId}/results`]] as [string, string][]),
    ['10-patients', `/patients?${list}`],
    ...(completeStudyId === null ? [] : [['11-patient-complete', `/patients/${completeStudyId}?${list}`]] as [string, string][]),
    ...(incompleteStudyId === null ? [] : [['12-patient-missing-image', `/patients/${incompleteStudyId}?${list}`]] as [string, string][]),
    ...(combinationRunId === null ? [] : [['08-run-combinations', `/runs/${combinationRunId}`], ['09-results-combinations', `/runs/${combinationRunId}/results`]] as [string, string][]),
    ['13-backbones', '/backbones'],
    ['14-workstation', '/workstation'],
  ]
}

/** Parts of the results and of a patient page that only a click or a scroll reaches. */
export async function photographResults(camera: Camera, app: LaunchedApp, theme: Theme, { cohortId, runId, combinationRunId, completeStudyId }: Subject): Promise<void> {
  const { page } = app
  if (runId !== null) {
    await camera.open(app, `/runs/${runId}/results`)
    await camera.photograph(app, theme, '09-results-information', () => scrollTo(page, 'What each pattern tells, in bits'))
  }
  if (combinationRunId !== null && completeStudyId !== null) {
    await camera.open(app, `/patients/${completeStudyId}?cohort=${cohortId}&run=${combinationRunId}`)
    await page.keyboard.press('w')
    await page.getByText('A what-if withholds items').scrollIntoViewIfNeeded()
    await camera.photograph(app, theme, '12-patient-combinations')
  }
}

/** Backbones being added, and one that was brought from outside, if there is one. */
export async function photographBackbones(camera: Camera, app: LaunchedApp, theme: Theme): Promise<void> {
  const { page } = app
  await camera.open(app, '/backbones')
  await page.getByRole('button', { name: 'Add backbone' }).click()
  await camera.photograph(app, theme, '13-backbones-add')
  await page.keyboard.press('Escape')
  const edit = page.getByRole('button', { name: 'Edit', exact: true }).first()
  if (await edit.count() === 0) return
  await edit.scrollIntoViewIfNeeded()
  await page.getByText(/^Parameter table/).first().click()
  await camera.photograph(app, theme, '13-backbones-imported')
  await edit.click()
  await camera.photograph(app, theme, '13-backbones-edit')
  await page.keyboard.press('Escape')
}
