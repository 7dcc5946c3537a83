import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { launchApp, temporaryFolder } from '../harness/launch.ts'
import { photographAlarms } from './alarms.ts'
import { createCamera, themes } from './camera.ts'
import { photographExclusions } from './exclusions.ts'
import { photographFingerprint, photographTextReview } from './cohort.ts'
import { photographDeliveries } from './imports/deliveries.ts'
import { photographLiveRuns } from './runs/live-runs.ts'
import { photographOneClass } from './runs/one-class.ts'
import { photographBackbones, photographResults, screensOf } from './pages.ts'
import { photographReports } from './imports/reports.ts'
import { photographRunSetUp } from './runs/run-set-up.ts'
import { photographStates } from './runs/run-states.ts'
import { copyStore, findSubject } from './subject.ts'
import { photographViewer } from './viewer.ts'
import { photographVisits } from './imports/visits.ts'
import { photographWizard } from './imports/wizard.ts'

/**
 * `npm run shots -- [--store FILE] [--out DIR] [--only NAMES]`: photographs every screen at two sizes, light and dark, from a copy of a store
 * (the demo's unless told otherwise), so that looking changes nothing. `--only 05,09` takes those whose names start so; `--quick` leaves out
 * what has to be trained for the picture.
 */

const { values } = parseArgs({ options: { store: { type: 'string', default: 'demo-output/lacuna.db' }, out: { type: 'string', default: 'screenshots' }, only: { type: 'string' }, quick: { type: 'boolean', default: false } } })
const storeFile = resolve(values.store)
const outDir = resolve(values.out)
const camera = createCamera({ outDir, wanted: values.only?.split(',') })

async function photographFirstStart(): Promise<void> {
  const app = await launchApp()
  for (const theme of themes) {
    await camera.choose(app, theme)
    await camera.photograph(app, theme, '01-first-start')
  }
  await app.close()
}

async function photographStore(): Promise<void> {
  const dir = temporaryFolder()
  try {
    const dialogs = await copyStore(storeFile, dir)
    const app = await launchApp({ dir, dialogs })
    const subject = await findSubject(app.page)
    for (const theme of themes) {
      await camera.choose(app, theme)
      for (const [name, hash] of screensOf(subject).filter(([screen]) => camera.isWanted(screen))) {
        await camera.open(app, hash)
        await camera.photograph(app, theme, name)
      }
      if (camera.mayBeWanted('15-')) await photographFingerprint(camera, app, theme, subject)
      if (camera.mayBeWanted('16-')) await photographAlarms(camera, app, theme, subject)
      if (camera.mayBeWanted('18-')) await photographTextReview(camera, app, theme, subject)
      if (camera.mayBeWanted('21-')) await photographExclusions(camera, app, theme, subject)
      if (camera.mayBeWanted('06-')) await photographRunSetUp(camera, app, theme, subject)
      if (camera.mayBeWanted('09-', '12-')) await photographResults(camera, app, theme, subject)
      if (camera.mayBeWanted('13-')) await photographBackbones(camera, app, theme)
      if (!camera.mayBeWanted('03-import-1', '03-import-2', '03-import-3', '03-import-4', '03-import-5')) continue
      if (dialogs.chooseFolder !== undefined) await photographWizard(camera, app, theme)
      else process.stderr.write('The wizard is not photographed: the originals of the first cohort are not where they were.\n')
    }
    await app.close()
  } finally {
    rmSync(dir, { recursive: true, force: true, maxRetries: 3 })
  }
}

if (existsSync(storeFile)) {
  mkdirSync(outDir, { recursive: true })
  if (camera.mayBeWanted('01-')) await photographFirstStart()
  if (camera.mayBeWanted('02-', '03-', '04-', '05-', '06-', '07-', '08-', '09-', '10-', '11-', '12-', '13-', '14-', '15-', '16-', '18-', '21-')) await photographStore()
  if (camera.mayBeWanted('03-import-6', '03-import-7', '03-import-8', '11-patient-report')) await photographReports(camera)
  if (camera.mayBeWanted('17-')) await photographDeliveries(camera)
  if (camera.mayBeWanted('19-')) await photographViewer(camera)
  if (!values.quick && camera.mayBeWanted('20-')) await photographLiveRuns(camera)
  if (camera.mayBeWanted('22-')) await photographVisits(camera)
  if (camera.mayBeWanted('23-')) await photographStates(camera, storeFile)
  if (!values.quick && camera.mayBeWanted('24-')) await photographOneClass(camera)
  process.stdout.write(`${camera.taken()} pictures of ${storeFile} in ${outDir}\n`)
} else {
  process.stderr.write(`There is no database at ${storeFile}. Run "npm run demo" first, or name one with --store.\n`)
  process.exitCode = 1
}
