import SqliteDatabase from 'better-sqlite3'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { createLog } from '../../../electron/services/log.ts'
import { startImport } from '../../../engine/jobs/import-cohort.ts'
import { exportPredictions } from '../../../engine/jobs/export-predictions.ts'
import { predictCohort } from '../../../engine/jobs/predict-cohort.ts'
import { writeReidentification } from '../../../engine/jobs/reidentify.ts'
import { startTraining } from '../../../engine/jobs/train-run.ts'
import { openWorkspace, type Workspace } from '../../../engine/jobs/workspace.ts'
import { shiftDaysOf } from '../../../engine/importers/privacy/scrub.ts'
import { launchApp, repositoryRoot, temporaryFolder } from '../harness/launch.ts'
import { slowMs } from '../harness/steps.ts'
import { searchBytes, type Hit, type Needle } from './byte-search.ts'
import { dicomDelivery, reportDelivery, syntheticDelivery, type Delivery } from './sources.ts'

/**
 * The acceptance test of de-identification: what identifies goes in through the real pipeline, everything that the app can leave on a disk is
 * made it leave, and then every byte is searched. The sources lie in a folder of their own that is not searched.
 */
const work = temporaryFolder()
const sources = join(work, 'sources')
const home = join(work, 'home')
const data = process.env.LACUNA_TEST_DATA ?? join(repositoryRoot, '..', 'shared', 'data')
const dicomFolder = join(data, 'dicom')
const hasDicom = existsSync(dicomFolder)
const seeds = [17, 58, 91]
const dayMs = 86_400_000
afterAll(() => rmSync(work, { recursive: true, force: true, maxRetries: 3 }))

function open(): Workspace {
  const { LACUNA_NODE, LACUNA_WEIGHTS } = process.env
  return openWorkspace({
    storeFile: join(home, 'lacuna.db'), nodePath: LACUNA_NODE ?? process.execPath, weightsDir: LACUNA_WEIGHTS ?? '', workerFile: join(repositoryRoot, 'dist/engine/worker.js'),
    readerFile: join(repositoryRoot, 'dist/engine/reader.js'), versions: { app: '0.0.0-test', code: 'test' }, log: createLog(home),
  })
}

async function importAll(workspace: Workspace, delivery: Delivery): Promise<number> {
  const running = startImport(workspace, { source: delivery.source, mapping: delivery.mapping, cohortName: delivery.name })
  const report = await running.report
  expect(report).toMatchObject({ status: 'complete', rowsIn: report.rowsAccepted + report.rowsRejected })
  return running.cohortId
}

const textsOf = (workspace: Workspace, cohortId: number): Map<number, string> => new Map(workspace.store.patients.listStudyIds({ cohortId }).flatMap((studyId) => {
  const study = workspace.store.patients.getStudy(studyId)
  return study.items.filter((item) => item.text !== null).map((item) => [study.rows[0]!, item.text!] as const)
}))
const isIn = (text: string, value: string): boolean => new RegExp(`(?<![\\p{L}\\d])${value.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?![\\p{L}\\d+])`, 'u').test(text)
const say = (text: string): void => void process.stdout.write(`${text}\n`)

/**
 * Forms that are on disk although no value of a patient was kept. Each was looked at; nothing else is let through. The made-up files and the
 * planted identifiers have none of them: their values are words that exist nowhere else.
 */
const allowed: [RegExp, string][] = [
  [/^(patient|anonymous|modality|test|first|last|here|default|none|accepted)$/i, 'a word of the program or of the imported reports, where a public file has a placeholder for a name'],
  [/^(head|chest|thorax|shoulder|liver|breast|tissue|ultrasound|fracture)$/i, 'a part of the body or a finding, in the reports and as body part'],
  [/^(\d{4}|0{5,9})$/, 'four digits or zeros: a year, a count, a size'],
]

/** A date of one patient that is also the moved date of another; what each patient's own dates became is checked above. */
const movedDates = new Set<string>()
const isAllowed = ({ value, form }: Hit): boolean => allowed.some(([forms]) => forms.test(form))
  || (/^\d{8}$/.test(value) && movedDates.has(`${value.slice(0, 4)}-${value.slice(4, 6)}-${value.slice(6)}`)) || movedDates.has(value)

function search(needles: readonly Needle[], when: string): void {
  const { hits, fileCount, byteCount } = searchBytes([home], needles)
  const real = hits.filter((hit) => !isAllowed(hit))
  say(`${when}: ${new Set(needles.map(({ value }) => value)).size} values in ${fileCount} files, ${Math.round(byteCount / 1e6)} MB: ${real.length} found, ${hits.length - real.length} allowed (${[...new Set(hits.filter(isAllowed).map(({ form }) => form))].join(', ') || 'none'})`)
  for (const hit of real.slice(0, 40)) say(`  ${hit.file}: ${hit.form} of ${hit.value} (${hit.source}, ${hit.how})`)
  expect(real).toEqual([])
}

test('nothing that identifies is anywhere on disk after import, training, export, crash and a look at the window', { timeout: 1_500_000 }, async () => {
  mkdirSync(home, { recursive: true })
  process.env.TMPDIR = join(home, 'tmp')
  mkdirSync(process.env.TMPDIR)
  const planted = syntheticDelivery(join(sources, 'Okonjo_481516'))
  const reports = reportDelivery(join(sources, 'reports'), existsSync(data) ? data : null, seeds, 23)
  const real = hasDicom ? dicomDelivery(dicomFolder) : null
  if (real === null) say(`skipped: the real DICOM files, because ${dicomFolder} is not there`)
  const needles = [...planted.needles, ...reports.needles, ...(real?.needles ?? []), { value: 'Okonjo_481516', source: 'folder name' }]
  expect(new Set(planted.needles.map(({ source }) => source.slice(0, 9))).size).toBeGreaterThan(400)

  let workspace = open()
  const plantedId = await importAll(workspace, planted)
  const reportsId = await importAll(workspace, reports)
  if (real !== null) await importAll(workspace, real)

  // Planted identifiers in the notes: at least 98 of 100 gone, the others named.
  const texts = textsOf(workspace, reportsId)
  const all = reports.plants.flatMap((plant) => plant.planted.map((entry) => ({ ...entry, row: plant.row + 2 })))
  const misses = all.filter(({ row, text }) => isIn(texts.get(row)!, text))
  say(`${all.length} identifiers planted in ${reports.plants.length} of ${texts.size} reports, ${misses.length} missed (${(100 * (1 - misses.length / all.length)).toFixed(1)} % scrubbed)`)
  for (const { kind, text, row } of misses) say(`  missed: ${kind}, "${text}" in row ${row}`)
  expect(all.length).toBeGreaterThanOrEqual(200)
  expect(1 - misses.length / all.length).toBeGreaterThanOrEqual(0.98)

  // Intervals stay, in a note and between the visits of a patient; ages over 89 are one group.
  let intervals = 0
  for (const { row, days } of reports.plants) {
    const dates = [...texts.get(row + 2)!.matchAll(/(?:Examined|Control film) (\d{4}-\d\d-\d\d)/g)].map((match) => Date.parse(match[1]!))
    expect(dates).toHaveLength(2)
    expect((dates[1]! - dates[0]!) / dayMs).toBe(days)
    intervals++
  }
  const notes = textsOf(workspace, plantedId)
  for (const [index, file] of planted.files.entries()) {
    const seen = Date.parse(/Seen (\d{4}-\d\d-\d\d)/.exec(notes.get(index + 2)!)![1]!)
    const original = Date.parse(`${file.studyDate.slice(0, 4)}-${file.studyDate.slice(4, 6)}-${file.studyDate.slice(6)}`)
    expect((seen - original) / dayMs).toBe(shiftDaysOf(workspace.pseudonymKey, file.patientId))
    intervals++
  }
  // The day of the study is moved as its note is, and the order of visits is kept.
  const dayOf = (file: { studyDate: string }): number => Date.parse(`${file.studyDate.slice(0, 4)}-${file.studyDate.slice(4, 6)}-${file.studyDate.slice(6)}`) / dayMs
  for (const studyId of workspace.store.patients.listStudyIds({ cohortId: plantedId })) {
    const { rows, visits, noteDay } = workspace.store.patients.getStudy(studyId)
    expect(notes.get(rows[0]!)).toContain(`Seen ${noteDay}`)
    const file = planted.files[rows[0]! - 2]!
    const first = Math.min(...planted.files.filter(({ patientId }) => patientId === file.patientId).map(dayOf))
    expect(visits.find((visit) => visit.studyId === studyId)).toMatchObject({ dayNumber: dayOf(file) - first, problems: [] })
    expect(visits.map(({ dayNumber }) => dayNumber)).toEqual(visits.map(({ dayNumber }) => dayNumber).toSorted((a, b) => a! - b!))
    intervals++
  }
  say(`${intervals} intervals kept exactly`)
  for (const text of [...notes.values(), ...texts.values()]) for (const [date] of text.matchAll(/\d{4}-\d\d-\d\d/g)) movedDates.add(date)
  const ages = workspace.store.patients.listStudyIds({ cohortId: plantedId }).map((studyId) => workspace.store.patients.getStudy(studyId).ageYears!)
  expect(ages.sort()).toEqual(planted.files.map(({ ageYears }) => (ageYears > 89 ? 90 : ageYears)).sort())

  // A run, its predictions, another prediction from the checkpoint.
  const labels = workspace.store.cohorts.get(plantedId).labels.map(({ labelId }) => labelId)
  const training = await startTraining(workspace, { cohortId: plantedId, slotIds: ['image', 'note'], labelIds: labels, method: 'late-fusion', epochs: 1, folds: 1, seed: 1 } as never)
  const run = await training.done
  expect(run.status).toBe('finished')
  expect(exportPredictions(workspace, training.runId, join(home, 'predictions.csv'))).toBeGreaterThan(0)
  expect(await predictCohort(workspace, { runId: training.runId, cohortId: plantedId, outFile: join(home, 'predicted-again.csv') })).toBeGreaterThan(0)
  const identities = await workspace.files.run('import:identities', { ...workspace.store.cohorts.importRequest(plantedId), pseudonymKey: workspace.pseudonymKey })
  expect(identities!.pairs.map(({ patientId }) => patientId)).toEqual([...new Set(planted.patientIds)])
  writeReidentification(join(home, 'who-is-who.lacuna'), 'a long passphrase of the test', identities!.pairs)

  await failAndCrash(workspace, planted)
  // A copy as an update makes it, from the very database.
  mkdirSync(join(home, 'backups'), { recursive: true })
  const copying = new SqliteDatabase(join(home, 'lacuna.db'), { readonly: true })
  copying.prepare('VACUUM INTO :target').run({ target: join(home, 'backups', 'lacuna.db.v9.20260101.backup') })
  copying.close()
  expect(readdirSync(home)).toContain('lacuna.db-wal')
  search(needles, 'while the database is open')
  workspace.close()

  await lookAtWindow(planted)
  search(needles, 'after the window was closed')
  // The search itself: a value that is there is found, in each writing.
  writeFileSync(join(home, 'control.txt'), Buffer.concat([Buffer.from(planted.patientIds[0]!.toLowerCase(), 'utf16le'), Buffer.from(`\n${Buffer.from(`x${planted.patientIds[2]!}y`).toString('base64')}\n`)]))
  expect(new Set(searchBytes([home], needles).hits.filter((hit) => !isAllowed(hit)).map(({ value, how }) => `${value} ${how}`))).toEqual(new Set([`${planted.patientIds[0]} UTF-16LE`, `${planted.patientIds[2]} base64`]))
  workspace = open()
  expect(workspace.store.audit.verify().isIntact).toBe(true)
  workspace.close()
})

/** Imports that fail in ways that name files and patients, and an engine that dies in the middle of one; then the log is read. */
async function failAndCrash(workspace: Workspace, planted: ReturnType<typeof syntheticDelivery>): Promise<void> {
  const gone = join(sources, 'Whitcombe_990017')
  mkdirSync(gone)
  writeFileSync(join(gone, 'Whitcombe.csv'), 'id,file,note,age,Effusion,Other,visit,when,born\nPID990017K,PID990017K.dcm,"\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD Whitcombe",50,1,0,1,2020-03-14,1969-07-02\n')
  const broken = { source: { sourceDir: gone, tableFile: join(gone, 'Whitcombe.csv'), sheet: null }, mapping: planted.mapping, cohortName: 'Broken' }
  const cohorts = workspace.store.cohorts.list().length
  await expect(startImport(workspace, broken).report).rejects.toMatchObject({ code: 'IMPORT_PRIVACY_UNREADABLE' })
  expect(workspace.store.cohorts.list()).toHaveLength(cohorts)
  rmSync(gone, { recursive: true })
  await expect(startImport(workspace, { ...broken, cohortName: 'Gone' }).report).rejects.toMatchObject({ code: 'IMPORT_TABLE_MISSING' })
  await expect(startImport(workspace, { source: { ...planted.source, tableFile: planted.source.sourceDir }, mapping: planted.mapping, cohortName: 'Misfit' }).report).rejects.toMatchObject({ code: 'IMPORT_COLUMN_MISSING' })
  const crashing = startImport(workspace, { source: planted.source, mapping: planted.mapping, cohortName: 'Crashed' })
  setTimeout(() => { process.kill(workspace.files.pid()!, 'SIGABRT') }, 150)
  const outcome = await crashing.report.then(() => 'done', (error: unknown) => (error as { code: string }).code)
  expect(['ENGINE_CRASHED', 'done']).toContain(outcome)
  const log = join(home, 'lacuna.log')
  const told = existsSync(log) ? readFileSync(log, 'utf8') : ''
  for (const text of ['Whitcombe', 'PID990017K', '990017', ...planted.patientIds, planted.source.sourceDir]) expect(told).not.toContain(text)
  const left = readdirSync(home, { recursive: true, encoding: 'utf8' })
  expect(left.filter((name) => /(^|[\\/])(core(\.\d+)?|.*\.dmp|report\.\d.*\.json)$/.test(name))).toEqual([])
}

/** The app over the same store: its lists, pictures, wizard and Chromium's own files are part of what is on disk. */
async function lookAtWindow(planted: ReturnType<typeof syntheticDelivery>): Promise<void> {
  const app = await launchApp({ dir: home, dialogs: { chooseFolder: planted.source.sourceDir, chooseTable: planted.source.tableFile } })
  const { page } = app
  await page.getByRole('link', { name: 'Planted' }).first().click({ timeout: slowMs })
  await page.getByRole('heading', { name: 'Planted', level: 1 }).waitFor({ timeout: slowMs })
  await page.evaluate("void (location.hash = '/patients')")
  await page.getByText(/^P-[0-9A-Z]+$/).first().click({ timeout: slowMs })
  await page.locator('img[src^="lacuna://item"]').first().waitFor({ timeout: slowMs })
  await page.evaluate("void (location.hash = '/import')")
  await page.getByRole('button', { name: 'Choose: Image folder' }).click({ timeout: slowMs })
  await page.getByRole('button', { name: 'Choose: Table' }).click()
  await page.getByRole('heading', { name: 'Columns of the table' }).waitFor({ timeout: slowMs })
  await app.close()
  expect(planted.files.length).toBe(48)
}

