import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startAddBackbone } from '../../../engine/jobs/backbones.ts'
import { startDelivery, startImport } from '../../../engine/jobs/import-cohort.ts'
import { resumeTraining, startTraining } from '../../../engine/jobs/train-run.ts'
import { openWorkspace, type Workspace } from '../../../engine/jobs/workspace.ts'
import type { RunConfigInput } from '../../../engine/domain/run.ts'
import { randomTensors, viltConfig, viltShapes, writeFolder } from '../backbones/import/tiny-folders.ts'
import { jpeg, plainMapping } from '../importers/helpers.ts'
import { readInPlace } from './reader-in-place.ts'

/** Real trainings of a tiny random model in a real engine process: originals that are gone when they are needed, and a cohort that grows under a run. */

const folder = mkdtempSync(join(tmpdir(), 'lacuna-grown-'))
const root = join(import.meta.dirname, '..', '..', '..')
const source = join(folder, 'first')
const mapping = { ...plainMapping, labels: { kind: 'single' as const, column: 'label' } }
let workspace: Workspace
let cohortId: number
let config: RunConfigInput

async function deliver(dir: string, from: number, until: number) {
  mkdirSync(dir, { recursive: true })
  const ids = Array.from({ length: until - from }, (_, i) => from + i)
  writeFileSync(join(dir, 'table.csv'), `id,image,note,label\n${ids.map((id) => `${id},${id}.jpg,note ${id},${id % 2 === 0 ? 'normal' : 'cataract'}\n`).join('')}`)
  for (const id of ids) writeFileSync(join(dir, `${id}.jpg`), await jpeg(id))
  return { sourceDir: dir, tableFile: join(dir, 'table.csv'), sheet: null }
}

beforeAll(async () => {
  const opened = openWorkspace({
    storeFile: join(folder, 'lacuna.db'), weightsDir: process.env.LACUNA_WEIGHTS ?? '', nodePath: process.execPath, workerFile: join(root, 'engine', 'worker.ts'),
    readerFile: 'not started', versions: { app: '0.1.0', code: 'test' }, log: () => {},
  })
  workspace = { ...opened, reader: readInPlace(opened.store) }
  const running = startImport(workspace, { source: await deliver(source, 0, 30), mapping, cohortName: 'Ward' })
  expect(await running.report).toMatchObject({ status: 'complete', studyCount: 30 })
  cohortId = running.cohortId
  const backbone = (await startAddBackbone(workspace, { from: writeFolder(join(folder, 'vilt'), viltConfig, randomTensors(viltShapes)), name: '', licence: '', source: '' }).done)!
  const { slots, labels } = workspace.store.cohorts.get(cohortId)
  config = {
    cohortId, name: 'Before', slotIds: slots.map(({ slotId }) => slotId), labelIds: labels.map(({ labelId }) => labelId), task: 'multi-class', adapter: 'mora', backbone: backbone.backboneId,
    epochs: 3, batchSize: 8, modalityDropout: 0, maxTextTokens: 12, split: { kind: 'k-fold', folds: 2 },
  }
}, 120_000)
afterAll(() => {
  workspace.close()
  rmSync(folder, { recursive: true, force: true })
})

const filesUnder = (dir: string): string[] => readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map(({ name }) => name)

it('says that the folder of the originals is gone, leaves nothing half-written, and goes on when it is back', async () => {
  const { store, paths } = workspace
  renameSync(source, `${source} unplugged`)
  const { runId, done } = await startTraining(workspace, config)
  const message = 'The folder of the original files is not there: the drive is unplugged, or the folder was renamed or moved.'
  await expect(done).rejects.toMatchObject({ code: 'IMPORT_ORIGINALS_GONE', message })
  expect(store.runs.get(runId)).toMatchObject({ status: 'paused', error: { code: 'IMPORT_ORIGINALS_GONE', message, fix: expect.stringContaining('Plug the drive in') as string }, epochsDone: 0, finishedAt: null })
  expect(store.predictions.forRun(runId).count).toBe(0)
  expect(readdirSync(paths.handoverDir)).toEqual([])
  expect([...filesUnder(join(paths.runsDir, `run_${runId}`)), ...filesUnder(paths.cacheDir)]).toEqual([])
  // Still gone: the same answer, and the run can still be gone on with.
  await expect((await resumeTraining(workspace, runId)).done).rejects.toMatchObject({ code: 'IMPORT_ORIGINALS_GONE' })
  renameSync(`${source} unplugged`, source)
  expect(await (await resumeTraining(workspace, runId)).done).toMatchObject({ status: 'finished', error: null })
  expect(new Set(store.predictions.forRun(runId).studyIds).size).toBe(30)
  expect(filesUnder(paths.cacheDir).filter((name) => name.endsWith('.part'))).toEqual([])
}, 240_000)

it('goes on with the patients it began with when a delivery came between, to the same numbers, and says so', async () => {
  const { store, compute } = workspace
  const whole = await (await startTraining(workspace, { ...config, name: 'Whole' })).done
  const cut = await startTraining(workspace, { ...config, name: 'Cut off' }, { onData: (data) => { if (data.kind === 'epoch' && data.epoch.fold === 1 && data.epoch.epoch === 1) process.kill(compute.pid()!, 'SIGKILL') } })
  await expect(cut.done).rejects.toMatchObject({ code: 'ENGINE_CRASHED' })
  const { runId } = cut
  const began = store.runs.getSplit(runId)!
  const epochsBefore = store.runs.epochs(runId)
  expect(epochsBefore.length).toBeGreaterThan(3)

  expect(await startDelivery(workspace, { cohortId, source: await deliver(join(folder, 'second'), 20, 50), mapping, onChanged: 'keep', leaveOutNewLabels: false }).report).toMatchObject({ status: 'complete', delivery: { counts: { added: { studies: 20 } } } })
  expect(store.cohorts.get(cohortId).studyCount).toBe(50)
  const finished = await (await resumeTraining(workspace, runId)).done
  expect(finished.status).toBe('finished')
  expect(finished.notes).toContain('The cohort has grown since this run began: it went on with the 30 studies it began with; 20 studies that came later are not in it.')
  expect(store.runs.getSplit(runId)).toEqual(began)
  expect(store.runs.epochs(runId).slice(0, epochsBefore.length)).toEqual(epochsBefore)
  expect(store.runs.epochs(runId)).toHaveLength(6)
  const [ours, theirs] = [store.predictions.forRun(runId), store.predictions.forRun(whole.runId)]
  expect([...new Set(ours.studyIds)].sort((a, b) => a - b)).toEqual([...began.studyIds].sort((a, b) => a - b))
  expect(ours.studyIds).toEqual(theirs.studyIds)
  expect(Math.max(...ours.logits.map((logit, i) => Math.abs(logit - theirs.logits[i]!)))).toBeLessThan(1e-5)
  // A run that starts now has everybody, and nothing to say about it.
  const next = await (await startTraining(workspace, { ...config, name: 'After', epochs: 1 })).done
  expect(new Set(store.predictions.forRun(next.runId).studyIds).size).toBe(50)
  expect([...whole.notes, ...next.notes].join()).not.toContain('has grown')
}, 240_000)
