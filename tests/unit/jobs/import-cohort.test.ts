import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { createEngineProcess } from '../../../engine/host/engine-process.ts'
import { resumeImport } from '../../../engine/jobs/import-cohort.ts'
import { readInPlace } from './reader-in-place.ts'
import type { Workspace } from '../../../engine/jobs/workspace.ts'
import { absentItem, imageItem, makeStart, makeStudy, mapping, openTestStore, sha256, temporaryFolder, textItem } from '../store/fixtures.ts'

/** An import that stopped after 30 of 60 studies, its pictures on disk. The engine is a program that ends at once: getting that far means the check passed. */
function pausedImport() {
  const folder = temporaryFolder()
  const sourceDir = join(folder, 'delivery')
  mkdirSync(join(sourceDir, 'images'), { recursive: true })
  const store = openTestStore(folder)
  const cohortId = store.cohorts.create({ name: 'Paused', source: { sourceDir, tableFile: join(folder, 'table.csv'), sheet: null }, mapping })
  store.imports.setStart(cohortId, makeStart(60))
  const pathOf = (ordinal: number) => join(sourceDir, `images/right-eye-${ordinal}.png`)
  const studies = Array.from({ length: 30 }, (_, ordinal) => {
    const content = `picture ${ordinal}`
    writeFileSync(pathOf(ordinal), content)
    return makeStudy(ordinal, { items: [{ ...imageItem('right-eye', ordinal), sha256: sha256(content), byteSize: content.length }, absentItem('left-eye'), textItem('notes', 'note')] })
  })
  store.imports.addBatch(cohortId, studies, 30)
  const createEngine = () => createEngineProcess({ nodePath: process.execPath, workerFile: join(folder, 'no-such-worker.js'), env: {}, log: () => {} })
  const workspace: Workspace = {
    store, files: createEngine(), compute: createEngine(), reader: readInPlace(store),
    paths: { storeFile: store.path, cacheDir: folder, runsDir: folder, backbonesDir: folder, weightsDir: folder, handoverDir: join(folder, 'handover') }, pseudonymKey: 'ab'.repeat(32), versions: { app: '0.1.0', code: 'test' }, log: () => {}, close: () => {},
  }
  onTestFinished(() => workspace.files.dispose())
  return { store, cohortId, sourceDir, pathOf, resume: () => resumeImport(workspace, cohortId).report }
}

it('goes on when the pictures are the ones it began with', async () => {
  await expect(pausedImport().resume()).rejects.toMatchObject({ code: 'ENGINE_CRASHED' })
})

it('refuses to mix two deliveries: a picture of the same size with other pixels, one that is gone', async () => {
  const { resume, pathOf, store, cohortId } = pausedImport()
  writeFileSync(pathOf(4), 'PICTURE 4')
  rmSync(pathOf(7))
  await expect(resume()).rejects.toMatchObject({ code: 'IMPORT_IMAGES_CHANGED', message: 'Of 30 images that were imported before and looked at again, 1 has changed and 1 is no longer there.' })
  expect(store.cohorts.get(cohortId)).toMatchObject({ status: 'importing', studyCount: 30 })
})

it('leaves a folder that is gone to the import, which names the drive', async () => {
  const { resume, sourceDir } = pausedImport()
  rmSync(sourceDir, { recursive: true })
  await expect(resume()).rejects.toMatchObject({ code: 'ENGINE_CRASHED' })
})

it('looks at studies from the first to the last, not at all of them', () => {
  const { store, cohortId } = pausedImport()
  expect(store.imports.sampleImages(cohortId, 3).map(({ path }) => path)).toEqual([0, 10, 20].map((ordinal) => `images/right-eye-${ordinal}.png`))
  expect(store.imports.sampleImages(cohortId, 500)).toHaveLength(30)
})
