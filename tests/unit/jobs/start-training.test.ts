import SqliteDatabase from 'better-sqlite3'
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { parseCommandLine } from '../../../engine/cli/options.ts'
import { trainCommand } from '../../../engine/cli/run-commands.ts'
import { runConfigSchema, type RunConfigInput } from '../../../engine/domain/run.ts'
import { takeRequestFile } from '../../../engine/host/request-file.ts'
import { assignmentsOf, planRun } from '../../../engine/jobs/planning/plan-run.ts'
import { collectMaterial, summariseMaterial } from '../../../engine/jobs/run-material.ts'
import { trainingSpecOf } from '../../../engine/jobs/planning/training-spec.ts'
import { resumeTraining, startTraining } from '../../../engine/jobs/train-run.ts'
import { openWorkspace, type Workspace } from '../../../engine/jobs/workspace.ts'
import { addCohort, temporaryFolder } from '../store/fixtures.ts'

/** The real reader process. The engine is a program that takes its request and ends: what reaches it, and what a crash leaves, is what is tested. */

const source = join(import.meta.dirname, '..', '..', '..', 'engine')

/** An engine that says by its exit code and error stream how many studies it was given. */
const engine = `
import { takeRequestFile } from ${JSON.stringify(join(source, 'host', 'request-file.ts'))}
process.on('message', (message) => {
  if (message.type !== 'start') return
  const { studies, assignments } = takeRequestFile(message.requestFile)
  process.stderr.write('given ' + studies.length + ' studies in ' + assignments.length + ' folds', () => process.exit(3))
})`

function open(folder: string, workerText = engine): Workspace {
  const workerFile = join(folder, 'engine.mjs')
  writeFileSync(workerFile, workerText)
  const workspace = openWorkspace({
    storeFile: join(folder, 'lacuna.db'), weightsDir: join(folder, 'weights'), nodePath: process.execPath, workerFile,
    readerFile: join(import.meta.dirname, '..', 'host', 'reader-child.mjs'), versions: { app: '0.1.0', code: 'test' }, log: () => {},
  })
  onTestFinished(() => workspace.close())
  return workspace
}

function configOf({ store }: Workspace, cohortId: number): RunConfigInput {
  const { slots, labels } = store.cohorts.get(cohortId)
  return { cohortId, name: 'Run', slotIds: slots.map(({ slotId }) => slotId), labelIds: labels.map(({ labelId }) => labelId), split: { kind: 'k-fold', folds: 3 } }
}

function countOf(workspace: Workspace, table: 'splits' | 'runs'): number {
  const db = new SqliteDatabase(workspace.paths.storeFile, { readonly: true })
  const count = db.prepare(`SELECT count(*) FROM ${table}`).pluck().get() as number
  db.close()
  return count
}

describe('a multi-class run on some of the classes', () => {
  it('leaves studies of the others out of plan and specification, and says how many', () => {
    const workspace = open(temporaryFolder())
    const cohortId = addCohort(workspace.store, 60, 'Eyes', (study) => ({ ...study, labels: study.labels.map((_, label) => (study.ordinal % 3 === label ? 1 : 0)) }))
    const config = runConfigSchema.parse({ ...configOf(workspace, cohortId), task: 'multi-class' })
    const { studies, otherClassCount, excludedStudyCount } = collectMaterial(workspace, config)
    expect([studies.length, otherClassCount, excludedStudyCount]).toEqual([40, 20, 20])
    expect(planRun(workspace, config).studyIds).toHaveLength(40)
    expect(summariseMaterial(workspace, config).warnings).toContain('20 studies have a class that was not chosen: neither trained on nor counted.')
    // Where several labels may apply, a study without any is a negative.
    expect(collectMaterial(workspace, { ...config, task: 'multi-label' }).otherClassCount).toBe(0)
  })
})

describe('starting a training', () => {
  it('stores the planned split and hands the engine exactly the specification, in a file of its owner that is then gone', async () => {
    const workspace = open(temporaryFolder())
    const { store, compute, paths } = workspace
    const cohortId = addCohort(store, 60)
    const { startFromFile } = compute
    const seen: { mode: number; request: unknown }[] = []
    compute.startFromFile = (name, requestFile, hooks) => {
      seen.push({ mode: statSync(requestFile).mode & 0o777, request: takeRequestFile(requestFile) })
      return startFromFile(name, requestFile, hooks)
    }
    const running = await startTraining(workspace, configOf(workspace, cohortId))
    const { runId } = running
    expect(store.runs.get(runId)).toMatchObject({ status: 'running', splitProof: { studyCount: 60, folds: [{ patientsOnTwoSides: 0 }, {}, {}] } })
    const plan = planRun(workspace, store.runs.get(runId).config)
    expect(store.runs.get(runId).splitHash).toBe(plan.proof.splitHash)
    expect(store.runs.getMissingness(runId)).toEqual(plan.missingness)
    expect(seen[0]!.request).toEqual(trainingSpecOf(workspace, runId))
    if (process.platform !== 'win32') expect(seen[0]!.mode).toBe(0o600)
    await expect(running.done).rejects.toMatchObject({ code: 'ENGINE_CRASHED' })
    expect(readdirSync(paths.handoverDir)).toEqual([])
    const places = { runDir: '', cacheDir: '', weightsDir: '', backbones: [] }
    await expect(workspace.reader.read('runs:hand-over', { runId, places, requestFile: join(paths.storeFile, 'request') })).rejects.toMatchObject({ code: 'STORE_NOT_WRITABLE' })
  })

  it('refuses a multi-class run where a study has two of the classes, or one class alone is there', () => {
    const workspace = open(temporaryFolder())
    const both = addCohort(workspace.store, 60, 'Both', (study) => ({ ...study, labels: study.ordinal === 7 ? [1, 1] : [study.ordinal % 2 === 0 ? 1 : 0, study.ordinal % 2] as (0 | 1)[] }))
    const config = runConfigSchema.parse({ ...configOf(workspace, both), task: 'multi-class' })
    expect(() => collectMaterial(workspace, config)).toThrow(expect.objectContaining({ code: 'RUN_TASK_UNFIT', message: '1 of 60 studies has more than one of the chosen classes, such as "glaucoma" and "cataract".' }))
    expect(collectMaterial(workspace, { ...config, task: 'multi-label' }).studies).toHaveLength(60)
    const one = addCohort(workspace.store, 60, 'One', (study) => ({ ...study, labels: [1, 0] }))
    expect(() => collectMaterial(workspace, runConfigSchema.parse({ ...configOf(workspace, one), task: 'multi-class' }))).toThrow(expect.objectContaining({ code: 'RUN_TASK_UNFIT' }))
  })

  it('refuses rates of loss on the command line beside tables of losses in the configuration, which would go first', async () => {
    const folder = temporaryFolder()
    const workspace = open(folder)
    addCohort(workspace.store, 60, 'Eyes')
    const config = join(folder, 'config.json')
    writeFileSync(config, JSON.stringify({ missingness: { train: { losses: [{ target: { kind: 'modality', modality: 'image' }, rate: 0.2 }] } } }))
    const { options } = parseCommandLine(['train', '--cohort', 'Eyes', '--config', config, '--missing', 'image=0.35,text=0.35'])
    const output = { isJson: true, result: () => {}, note: () => {}, progress: () => {} }
    await expect(trainCommand(workspace, options, output, () => {})).rejects.toMatchObject({ code: 'CLI_USAGE', message: expect.stringContaining('give one of them') as string })
    expect(workspace.store.runs.list()).toEqual([])
  })

  it('leaves a run that can be resumed when the engine dies, and no request, read or not', async () => {
    const workspace = open(temporaryFolder())
    const cohortId = addCohort(workspace.store, 60)
    const { runId, done } = await startTraining(workspace, configOf(workspace, cohortId))
    await expect(done).rejects.toMatchObject({ code: 'ENGINE_CRASHED', message: expect.stringContaining('given 60 studies in 3 folds') as string })
    expect(workspace.store.runs.get(runId).status).toBe('paused')
    const again = await resumeTraining(workspace, runId)
    await expect(again.done).rejects.toMatchObject({ message: expect.stringContaining('given 60 studies in 3 folds') as string })
    writeFileSync(join(workspace.paths.storeFile, '..', 'engine.mjs'), 'process.exit(4)')
    await expect((await resumeTraining(workspace, runId)).done).rejects.toMatchObject({ code: 'ENGINE_CRASHED' })
    expect(readdirSync(workspace.paths.handoverDir)).toEqual([])
  })

  it('stores nothing when a patient stands on two sides of what it was given', async () => {
    const workspace = open(temporaryFolder())
    const { store, reader } = workspace
    const cohortId = addCohort(store, 60)
    const { read } = reader
    const tampered: typeof read = async (name, request) => {
      const answer = await read(name, request)
      // The studies of a patient follow one another.
      if (name === 'runs:plan') (answer as unknown as { sides: Uint8Array[] }).sides[1]!.set([0, 1, 2, 0, 1, 2], 0)
      return answer as never
    }
    reader.read = tampered
    await expect(startTraining(workspace, configOf(workspace, cohortId))).rejects.toThrow('two sides')
    expect([countOf(workspace, 'runs'), countOf(workspace, 'splits')]).toEqual([0, 0])
    expect(store.runs.list()).toEqual([])
  })

  it('is undone at the next opening when a kill cut it off between two slices', async () => {
    const folder = temporaryFolder()
    const first = open(folder)
    const cohortId = addCohort(first.store, 60)
    const config = runConfigSchema.parse(configOf(first, cohortId))
    const plan = planRun(first, config)
    const runId = first.store.runs.insert({ config, codeVersion: 'test' })
    let nowMs = 0
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => (nowMs += 1000))
    const slices = first.store.runs.storeSplit(runId, assignmentsOf(plan), plan.studyIds, plan.proof)
    slices.next()
    slices.next()
    clock.mockRestore()
    expect(countOf(first, 'splits')).toBeGreaterThan(0)
    expect(first.store.runs.get(runId)).toMatchObject({ status: 'queued', splitHash: null, splitProof: null })
    expect(first.store.runs.getSplit(runId)).toBeNull()
    await expect(resumeTraining(first, runId)).rejects.toMatchObject({ code: 'RUN_WRONG_STATE' })
    await expect(first.reader.read('runs:hand-over', { runId, places: { runDir: '', cacheDir: '', weightsDir: '', backbones: [] }, requestFile: join(folder, 'r') })).rejects.toMatchObject({ code: 'RUN_COHORT_CHANGED' })
    expect(existsSync(join(folder, 'r'))).toBe(false)
    first.close()
    const second = open(folder)
    expect(second.store.runs.list()).toEqual([])
    expect(second.store.audit.list(1)[0]).toMatchObject({ event: 'run.unstarted-removed', details: { runId } })
    await expect.poll(() => countOf(second, 'splits') + countOf(second, 'runs')).toBe(0)
  })
})
