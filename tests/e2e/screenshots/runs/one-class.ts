import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateDemoCohort } from '../../../../engine/demo/generate.ts'
import { launchApp, temporaryFolder } from '../../harness/launch.ts'
import { checkEnds, chooseSource, goOn, nameAndImport, openImported, openWizard, runEnds, slowMs, startRun } from '../../harness/steps.ts'
import { inBothThemesOf, scrollTo, type Camera } from '../camera.ts'

/** Few, because a model is trained for the picture; enough that each class has test patients. */
const patientCount = 48

/** The table of the demo with one column of classes in place of its four labels: the first that is there, or none. */
function toOneClass(tableFile: string): void {
  const [head, ...rows] = readFileSync(tableFile, 'utf8').trimEnd().split('\n')
  const names = head!.split(',').slice(-4)
  const lines = rows.map((row) => {
    const [, rest, labels] = /^(.*?),([01]?(?:,[01]?){3})$/.exec(row)!
    const first = labels!.split(',').indexOf('1')
    return `${rest},${first < 0 ? 'No finding' : names[first]}`
  })
  writeFileSync(tableFile, `${[`${head!.split(',').slice(0, -4).join(',')},Finding`, ...lines].join('\n')}\n`)
}

/** A cohort with one class for each study, a run of it, its results and a patient under it. */
export async function photographOneClass(camera: Camera): Promise<void> {
  const folder = temporaryFolder()
  try {
    const source = await generateDemoCohort({ outDir: join(folder, 'source'), patientCount, seed: 11 })
    toOneClass(source.tableFile)
    const app = await launchApp({ dialogs: { chooseFolder: source.sourceDir, chooseTable: source.tableFile } })
    const { page } = app
    const inBothThemes = inBothThemesOf(camera, app)
    await openWizard(page)
    await chooseSource(page)
    await goOn(page, 'columns')
    await page.getByRole('radio', { name: /^One column with one label/ }).click()
    await page.getByLabel('Label column').selectOption({ label: 'Finding' })
    await goOn(page, 'privacy')
    await goOn(page, 'check')
    await checkEnds(page)
    await goOn(page, 'import')
    await nameAndImport(page, 'One finding each')
    await openImported(page, 'One finding each')
    await startRun(page, 2, async () => {
      await page.getByRole('radio', { name: /^Head only/ }).click()
    })
    await runEnds(page)
    await page.getByRole('link', { name: 'Open results' }).click()
    await page.getByRole('heading', { name: /^By label/ }).waitFor({ timeout: slowMs })
    await inBothThemes('24-one-class-results')
    await inBothThemes('24-one-class-labels', () => scrollTo(page, 'By label: All test patients'))
    await page.getByRole('button', { name: /^Open the patients of: All test patients/ }).first().click()
    await page.getByRole('row').nth(1).click()
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Predictions' }).waitFor({ timeout: slowMs })
    await inBothThemes('24-one-class-patient')
    await app.close()
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}
