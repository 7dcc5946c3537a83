import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { AppError, toErrorOutcome } from '../../../engine/domain/errors.ts'
import { defaultPrivacy } from '../../../engine/domain/privacy.ts'
import type { EngineProcess, JobHooks } from '../../../engine/host/engine-process.ts'
import { takeRequestFile } from '../../../engine/host/request-file.ts'
import { checkOriginals as checkOriginalsJob } from '../../../engine/importers/originals/check-originals.ts'
import { readMappedValues } from '../../../engine/importers/profiles/mapped-values.ts'
import { runImport } from '../../../engine/importers/run-import.ts'
import { importReportOf, undoDelivery } from '../../../engine/jobs/deliveries.ts'
import { resumeImport, startDelivery, startImport, type DeliveryRequest } from '../../../engine/jobs/import-cohort.ts'
import { checkOriginals, missingFoldersSentence, originalState, relinkOriginals } from '../../../engine/jobs/originals.ts'
import { applyMapping, exportMapping, importMapping, listMappings, recheckLines, saveMapping } from '../../../engine/jobs/saved-mappings.ts'
import { answerRead } from '../../../engine/jobs/store-reads.ts'
import type { Workspace } from '../../../engine/jobs/workspace.ts'
import { sealStore } from '../../../engine/store/sealed-store.ts'
import { jpeg, plainMapping } from '../importers/helpers.ts'
import { addRun, openTestStore, sha256, storeSplit, temporaryFolder } from '../store/fixtures.ts'

/** Whole deliveries over a real store with real files; the jobs of the engine run here instead of in their own process. */

const engineJobs = { 'import:run': runImport, 'mapping:values': readMappedValues, 'originals:check': checkOriginalsJob } as Record<string, (request: never, context: never) => Promise<unknown>>

function inProcess(): EngineProcess {
  const start = (name: string, request: unknown, hooks: JobHooks = {}) => {
    const abort = new AbortController()
    const context = { signal: abort.signal, shouldStop: () => false, progress: () => {}, send: async (data: never) => void await hooks.onData?.(data) }
    const outcome = engineJobs[name]!(request as never, context as never).then(
      (value) => ({ status: 'done' as const, value }),
      (error: unknown) => {
        if (abort.signal.aborted) return { status: 'cancelled' as const }
        throw error
      },
    )
    return { jobId: 1, outcome, cancel: () => abort.abort(), stop: () => {} }
  }
  return {
    start, startFromFile: (name: string, file: string, hooks: JobHooks) => start(name, takeRequestFile(file), hooks),
    run: async (name: string, request: unknown, hooks: JobHooks) => {
      const outcome = await start(name, request, hooks).outcome
      return outcome.status === 'done' ? outcome.value : null
    },
    pid: () => null, dispose: () => {},
  } as never
}

function openWorkspace(): { workspace: Workspace; folder: string } {
  const folder = temporaryFolder()
  const store = sealStore(openTestStore(folder), 'a secret')
  const cacheDir = join(folder, 'prepared')
  mkdirSync(cacheDir)
  const workspace = {
    store, files: inProcess(), compute: inProcess(), reader: { read: async (name: string, request: unknown) => answerRead(store, name, request, () => {}), dispose: () => {} },
    paths: { storeFile: store.path, cacheDir, runsDir: folder, backbonesDir: folder, weightsDir: folder, handoverDir: join(folder, 'handover') },
    pseudonymKey: 'ab'.repeat(32), versions: { app: '0.1.0', code: 'test' }, log: () => {}, close: () => {},
  } as never as Workspace
  return { workspace, folder }
}

const mapping = { ...plainMapping, labels: { kind: 'single' as const, column: 'label' } }
async function writeDelivery(dir: string, rows: readonly [id: number, label: string, note?: string][], images: readonly number[]): Promise<DeliveryRequest['source']> {
  mkdirSync(dir, { recursive: true })
  writeFileSync(join(dir, 'table.csv'), `id,image,note,label\n${rows.map(([id, label, note = `note ${id}`]) => `${id},${id}.jpg,${note},${label}\n`).join('')}`)
  for (const id of images) writeFileSync(join(dir, `${id}.jpg`), await jpeg(id))
  return { sourceDir: dir, tableFile: join(dir, 'table.csv'), sheet: null }
}
const range = (from: number, until: number) => Array.from({ length: until - from }, (_, i) => from + i)
const labelOf = (id: number): string => (id % 2 === 0 ? 'normal' : 'cataract')

async function firstImport() {
  const { workspace, folder } = openWorkspace()
  const source = await writeDelivery(join(folder, 'first'), range(0, 40).map((id) => [id, labelOf(id)]), range(0, 40))
  const running = startImport(workspace, { source, mapping, cohortName: 'Ward' })
  expect(await running.report).toMatchObject({ status: 'complete', rowsIn: 40, studyCount: 40 })
  return { workspace, folder, source, cohortId: running.cohortId }
}
const asked = (cohortId: number, source: DeliveryRequest['source'], changes: Partial<DeliveryRequest> = {}): DeliveryRequest => ({ cohortId, source, mapping, onChanged: 'keep', leaveOutNewLabels: false, ...changes })

it('adds a delivery from another folder; files of both are found, and the report adds up', async () => {
  const { workspace, folder, cohortId } = await firstImport()
  const { store } = workspace
  const second = await writeDelivery(join(folder, 'second'), [...range(30, 60).map((id): [number, string] => [id, labelOf(id)]), [5, 'normal']], range(40, 60))
  const report = await startDelivery(workspace, asked(cohortId, second)).report
  expect(report).toMatchObject({ status: 'complete', rowsIn: 31, rowsAccepted: 31, delivery: { number: 2, counts: { newPatients: 20, added: { studies: 20 }, unchanged: { studies: 10 }, kept: { studies: 1 } } } })
  expect(report.delivery!.changed).toMatchObject([{ outcome: 'kept', changes: [{ kind: 'labels', slotId: null }] }])
  const ids = store.patients.listStudyIds({ cohortId })
  for (const studyId of ids) expect(existsSync(store.patients.itemFile(studyId, 'photo')!.path)).toBe(true)
  expect(store.patients.trainingStudies(cohortId, ['photo'], []).every(({ items }) => existsSync(items[0]!.path!))).toBe(true)
  expect(store.imports.verifyContent(cohortId)).toBe(true)
  // The same again changes nothing.
  const { contentHash } = store.cohorts.get(cohortId)
  expect(await startDelivery(workspace, asked(cohortId, second)).report).toMatchObject({ delivery: { number: 3, counts: { added: { studies: 0 }, unchanged: { studies: 30 }, kept: { studies: 1 } } } })
  expect(store.cohorts.get(cohortId).contentHash).toBe(contentHash)
})

it('stopped half-way it is resumed from there, or taken back with what was prepared of its images', async () => {
  const { workspace, folder, cohortId } = await firstImport()
  const { store, paths } = workspace
  const before = store.cohorts.get(cohortId)
  const second = await writeDelivery(join(folder, 'second'), range(30, 120).map((id) => [id, labelOf(id)]), range(40, 120))
  const stopped = startDelivery(workspace, asked(cohortId, second), () => { if (store.cohorts.get(cohortId).studyCount > 60) stopped.cancel() })
  const addBatch = store.deliveries.addBatch
  store.deliveries.addBatch = (...args) => { addBatch(...args); if (store.cohorts.get(cohortId).studyCount > 60) stopped.cancel() }
  expect(await stopped.report).toMatchObject({ status: 'paused' })
  const half = store.cohorts.get(cohortId)
  expect(half.status).toBe('importing')
  expect(half.studyCount).toBeGreaterThan(60)
  expect(half.studyCount).toBeLessThan(120)
  store.deliveries.addBatch = addBatch
  expect(await resumeImport(workspace, cohortId).report).toMatchObject({ status: 'complete', delivery: { counts: { added: { studies: 80 }, unchanged: { studies: 10 } } } })

  // Pictures and prepared inputs lie by content: those of the delivery go, those of the first import stay.
  const [mine, theirs] = [119, 3].map((id) => store.patients.itemFile(store.patients.listStudyIds({ cohortId }).find((studyId) => store.patients.itemFile(studyId, 'photo')!.path.endsWith(`/${id}.jpg`))!, 'photo')!.sha256)
  const prepared = [mine!, theirs!].map((hash) => join(paths.cacheDir, 'pictures', hash.slice(0, 2), `${hash}-page.jpg`))
  for (const file of prepared) {
    mkdirSync(join(file, '..'), { recursive: true })
    writeFileSync(file, 'x')
  }
  await undoDelivery(workspace, store.deliveries.list(cohortId).at(-1)!.deliveryId!)
  expect(prepared.map((file) => existsSync(file))).toEqual([false, true])
  expect(store.cohorts.get(cohortId)).toEqual(before)
  expect(importReportOf(store, cohortId)).toMatchObject({ rowsIn: 40 })
  expect(importReportOf(store, cohortId).delivery).toBeUndefined()
})

it('refuses labels that the cohort does not have, or leaves them out and says unknown', async () => {
  const { workspace, folder, cohortId } = await firstImport()
  const second = await writeDelivery(join(folder, 'second'), [[50, 'glaucoma'], [51, 'Normal']], [50, 51])
  await expect(startDelivery(workspace, asked(cohortId, second)).report).rejects.toMatchObject({ code: 'IMPORT_DELIVERY_LABELS', message: 'The cohort has no label "glaucoma".' })
  await undoDelivery(workspace, workspace.store.deliveries.list(cohortId).at(-1)!.deliveryId!)
  await startDelivery(workspace, asked(cohortId, second, { leaveOutNewLabels: true })).report
  const ids = workspace.store.patients.listStudyIds({ cohortId })
  const labelsOf = (id: string) => workspace.store.patients.getStudy(ids.find((studyId) => workspace.store.patients.itemFile(studyId, 'photo')!.path.endsWith(id))!).labels.map(({ name, value }) => `${name} ${value}`)
  expect(labelsOf('/50.jpg')).toEqual(['cataract null', 'normal null'])
  expect(labelsOf('/51.jpg')).toEqual(['cataract 0', 'normal 1'])
})

it('keeps runs of before what they were: they go on with the studies they began with', async () => {
  const { workspace, folder, cohortId } = await firstImport()
  const { store } = workspace
  const config = { slotIds: ['photo', 'note'], labelIds: store.cohorts.get(cohortId).labels.map(({ labelId }) => labelId) }
  const runId = addRun(store, cohortId, config)
  storeSplit(store, runId, [store.patients.listStudyIds({ cohortId }).map(() => 'train')], store.patients.listStudyIds({ cohortId }), { splitHash: sha256('s'), folds: [], patientCount: 40, studyCount: 40 })
  store.runs.setStatus(runId, 'running')
  store.runs.setStatus(runId, 'paused')
  const { cohortHash } = store.runs.get(runId)
  const second = await writeDelivery(join(folder, 'second'), [...range(40, 50).map((id): [number, string] => [id, labelOf(id)]), [3, 'normal']], range(40, 50))
  const { delivery } = await startDelivery(workspace, asked(cohortId, second, { onChanged: 'replace' })).report
  expect(delivery!.changed).toMatchObject([{ outcome: 'kept-used' }])
  expect(store.runs.get(runId).cohortHash).toBe(cohortHash)
  expect(store.cohorts.get(cohortId).contentHash).not.toBe(cohortHash)
  expect(store.deliveries.hasGrownFrom(cohortId, cohortHash)).toBe(true)
  expect(store.deliveries.hasGrownFrom(cohortId, cohortHash, runId)).toBe(true)
})

it('checks the originals: a changed file, a missing one, a renamed folder; takes the folder only with the same contents', async () => {
  const { workspace, folder, cohortId } = await firstImport()
  const first = join(folder, 'first')
  const check = async (depth: 'size' | 'content') => (await checkOriginals(workspace, { cohortId, depth }).folders)![0]!
  expect(await check('content')).toMatchObject({ isThere: true, fileCount: 40, there: 40 })
  expect(missingFoldersSentence(workspace, cohortId)).toBeNull()
  const moved = join(folder, 'moved')
  renameSync(first, moved)
  expect(await check('size')).toMatchObject({ isThere: false, missing: 40 })
  expect(missingFoldersSentence(workspace, cohortId)).toBe('The folder of the original files is not there: the drive is unplugged, or the folder was renamed or moved.')
  writeFileSync(join(moved, '7.jpg'), await jpeg(700))
  await expect(relinkOriginals(workspace, cohortId, null, moved).folders).rejects.toMatchObject({ code: 'IMPORT_ORIGINALS_DIFFER' })
  await expect(relinkOriginals(workspace, cohortId, null, join(folder, 'nowhere')).folders).rejects.toMatchObject({ code: 'IMPORT_ORIGINALS_GONE' })
  expect(workspace.store.originals.folders(cohortId)[0]!.sourceDir).toBe(first)
  rmSync(join(moved, '7.jpg'))
  expect((await relinkOriginals(workspace, cohortId, null, moved).folders)![0]).toMatchObject({ there: 39, missing: 1 })
  expect(await check('content')).toMatchObject({ isThere: true, there: 39, missing: 1, changed: 0 })
  expect(await originalState(join(moved, '7.jpg'), 10)).toBe('missing')
  expect(await originalState(join(moved, '8.jpg'), 1)).toBe('changed')
  const [last] = workspace.store.audit.list(1)
  expect(last).toMatchObject({ event: 'originals.relinked', details: { sameFiles: 39, missingFiles: 1 } })
  expect(JSON.stringify(workspace.store.audit.list())).not.toContain(folder)
})

it('keeps a mapping under a name, sealed, re-checks it against the next table, and hands it on as a file without own words', async () => {
  const { workspace, folder, source } = await firstImport()
  const own = { ...mapping, privacy: { ...defaultPrivacy, words: ['Dr Secret'] } }
  const mappingId = await saveMapping(workspace, 'Ward layout', source, own)
  await expect(saveMapping(workspace, 'ward LAYOUT', source, own)).rejects.toMatchObject({ code: 'STORE_NAME_TAKEN' })
  expect(listMappings(workspace)).toMatchObject([{ name: 'Ward layout', slotTitles: ['Photo', 'Note'], columnCount: 4, usedAt: null }])
  const next = join(folder, 'next')
  mkdirSync(next)
  writeFileSync(join(next, 't.csv'), 'id,Image file,note,label,ward\n1,1.jpg,x,glaucoma,7\n2,2.jpg,y,normal,7\n')
  const { mapping: applied, recheck } = await applyMapping(workspace, mappingId, { sourceDir: next, tableFile: join(next, 't.csv'), sheet: null })
  expect(applied.privacy!.words).toEqual(['Dr Secret'])
  expect(recheck).toEqual({ gone: [{ column: 'image', likely: 'Image file' }], added: ['Image file', 'ward'], newValues: [{ column: 'label', value: 'glaucoma', rows: 1 }], absentValues: [{ column: 'label', value: 'cataract' }] })
  expect(recheckLines(recheck)[0]).toBe('column "image" is gone; probably "Image file" now')
  const file = join(folder, 'mapping.json')
  exportMapping(workspace, mappingId, file)
  workspace.store.savedMappings.remove(mappingId)
  importMapping(workspace, file)
  const [taken] = workspace.store.savedMappings.list()
  expect(taken!.content).not.toContain('Secret')
  writeFileSync(file, '{"lacunaMapping": 2}')
  expect(() => importMapping(workspace, file)).toThrow(expect.objectContaining({ code: 'IMPORT_MAPPING_FILE' }))
  const error = toErrorOutcome(new AppError('IMPORT_MAPPING_FILE', 'x'), 'ENGINE_CRASHED')
  expect(error.fix).toContain('exported')
})

it('finds the words that give labels away in the whole cohort again after a delivery, and after its undo', async () => {
  const { workspace, folder } = openWorkspace()
  const noteOf = (id: number, word: string): string => (labelOf(id) === 'cataract' ? `${word} seen` : 'quiet eye')
  const first = await writeDelivery(join(folder, 'first'), range(0, 40).map((id) => [id, labelOf(id), noteOf(id, 'clouded')]), range(0, 40))
  const begun = startImport(workspace, { source: first, mapping, cohortName: 'Eyes' })
  await begun.report
  const words = () => workspace.store.cohorts.labelWords(begun.cohortId).map(({ word, studiesWithWord }) => `${word} ${studiesWithWord}`)
  const before = words()
  expect(before).toContain('clouded 20')
  const second = await writeDelivery(join(folder, 'second'), range(40, 120).map((id) => [id, labelOf(id), noteOf(id, 'opaque')]), range(40, 120))
  await startDelivery(workspace, { source: second, mapping, cohortId: begun.cohortId, onChanged: 'keep', leaveOutNewLabels: false }).report
  expect(words()).toEqual(expect.arrayContaining(['clouded 20', 'opaque 40']))
  await undoDelivery(workspace, workspace.store.deliveries.list(begun.cohortId).at(-1)!.deliveryId!)
  expect(words().sort()).toEqual(before.sort())
})

it('leaves nothing behind of an import or a delivery whose dates can be read in several ways', async () => {
  const { workspace, folder } = openWorkspace()
  const dated = { ...mapping, dates: { study: 'note', studyOrder: null, birth: null, birthOrder: null } }
  const plain = await writeDelivery(join(folder, 'first'), range(0, 6).map((id) => [id, labelOf(id), `2020-03-1${id}`]), range(0, 6))
  const open = await writeDelivery(join(folder, 'second'), range(6, 12).map((id) => [id, labelOf(id), `0${id - 5}/04/2020`]), range(6, 12))
  await expect(startImport(workspace, { source: open, mapping: dated, cohortName: 'Eyes' }).report).rejects.toMatchObject({ code: 'IMPORT_DATE_ORDER' })
  expect(workspace.store.cohorts.list()).toEqual([])
  const begun = startImport(workspace, { source: plain, mapping: dated, cohortName: 'Eyes' })
  expect((await begun.report).dates).toEqual({ dated: 6, undated: 0, problems: [] })
  const next = { source: open, cohortId: begun.cohortId, onChanged: 'keep' as const, leaveOutNewLabels: false }
  await expect(startDelivery(workspace, { ...next, mapping: dated }).report).rejects.toMatchObject({ code: 'IMPORT_DATE_ORDER' })
  expect(workspace.store.cohorts.get(begun.cohortId)).toMatchObject({ status: 'ready', studyCount: 6 })
  expect((await startDelivery(workspace, { ...next, mapping: { ...dated, dates: { ...dated.dates, studyOrder: 'day-first' } } }).report).dates).toEqual({ dated: 6, undated: 0, problems: [] })
})
