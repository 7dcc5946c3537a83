import fc from 'fast-check'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { calls, type CallName } from '../../electron/contract/contract.ts'
import { answerCall, type Handlers } from '../../electron/ipc/answer.ts'
import { appHandlers } from '../../electron/ipc/app.ipc.ts'
import { alarmHandlers } from '../../electron/ipc/alarms.ipc.ts'
import { backboneHandlers } from '../../electron/ipc/backbones.ipc.ts'
import { cohortHandlers } from '../../electron/ipc/cohorts.ipc.ts'
import { fingerprintHandlers } from '../../electron/ipc/fingerprint.ipc.ts'
import type { HandlerContext } from '../../electron/ipc/context.ts'
import { deliveryHandlers } from '../../electron/ipc/deliveries.ipc.ts'
import { mappingHandlers } from '../../electron/ipc/mappings.ipc.ts'
import { importHandlers } from '../../electron/ipc/import.ipc.ts'
import { patientHandlers } from '../../electron/ipc/patients.ipc.ts'
import { privacyHandlers } from '../../electron/ipc/privacy.ipc.ts'
import { runHandlers } from '../../electron/ipc/runs.ipc.ts'
import { createJobBoard } from '../../electron/services/job-board.ts'
import { createTrainings } from '../../electron/services/trainings.ts'
import { errorCatalog } from '../../engine/domain/errors.ts'
import { createEngineProcess } from '../../engine/host/engine-process.ts'
import { readInPlace } from '../unit/jobs/reader-in-place.ts'
import type { Workspace } from '../../engine/jobs/workspace.ts'
import { addCohort, addRun, makeBlock, openTestStore, summary, temporaryFolder } from '../unit/store/fixtures.ts'

/** The real handlers over a real store. The engine is a program that ends at once: its calls must come back as errors with a code. */

const ownFrame = { senderFrame: { url: 'app://lacuna/index.html', parent: null } } as never
const channels = Object.keys(calls) as CallName[]
/** Calls that would reach the engine; with the dead engine they may only fail in an orderly way. */
const engineCalls = new Set<CallName>(['fingerprint:get', 'patients:image-facts', 'import:inspect', 'import:preview', 'import:check', 'privacy:try', 'import:demo', 'deliveries:start', 'originals:check', 'originals:relink', 'mappings:save', 'mappings:apply', 'runs:estimate', 'backbones:add', 'backbones:verify'])

let handlers: Handlers
let cohortId: number
let runId: number
let studyId: number
let decisionId: number
const backboneId = 'vilt-1234abcd'

beforeEach(() => {
  const folder = temporaryFolder()
  const store = openTestStore(folder)
  cohortId = addCohort(store, 40)
  runId = addRun(store, cohortId)
  store.runs.setStatus(runId, 'running')
  store.backbones.add({
    backboneId, architecture: 'vilt', reads: 'joint', parameterCount: 6, contentHash: 'c'.repeat(64), licence: '', source: '', notes: [],
    sizes: { width: 2, blocks: 1, heads: 1, imageSize: 32, patchSize: 32, textPositions: 40, vocabulary: 30 },
    files: [{ name: 'model.safetensors', byteSize: 100, sha256: 'd'.repeat(64) }], tensors: [{ name: 'w', storedType: 'F32', shape: [2, 3], count: 6, isUsed: true }],
  }, { name: 'Tiny', licence: '', source: '' })
  const ids = store.patients.listStudyIds({ cohortId })
  studyId = ids[1]!
  store.predictions.addBlock(runId, makeBlock(ids), store.cohorts.get(cohortId).labels.map((label) => label.labelId))
  store.runs.finish(runId, summary)
  decisionId = store.curation.decide(cohortId, { draft: { kind: 'drop-slot', slotId: 'left-eye' }, effect: 'as said', reason: '', madeBy: 'tester' }).decisionId
  const createEngine = () => createEngineProcess({ nodePath: process.execPath, workerFile: join(folder, 'no-such-worker.js'), env: {}, log: () => {} })
  const paths = { storeFile: store.path, cacheDir: join(folder, 'prepared'), runsDir: join(folder, 'runs'), backbonesDir: join(folder, 'backbones'), weightsDir: join(folder, 'weights'), handoverDir: join(folder, 'handover') }
  for (const dir of [paths.cacheDir, paths.runsDir]) mkdirSync(dir)
  const reader = readInPlace(store)
  const workspace: Workspace = { store, reader, files: createEngine(), compute: createEngine(), paths, pseudonymKey: 'ab'.repeat(32), versions: { app: '0.1.0', code: 'test' }, log: () => {}, close: () => {} }
  onTestFinished(() => {
    workspace.files.dispose()
    workspace.compute.dispose()
  })
  const jobs = createJobBoard(() => {})
  const context: HandlerContext = {
    workspace, jobs, publish: () => {},
    pictures: { itemUrl: (id, slotId) => `lacuna://item/${id}/${slotId}`, previewUrl: () => 'lacuna://preview/x', handleProtocol: () => {} },
    trainings: createTrainings(workspace, jobs, () => {}),
    dialogs: { chooseFolder: async () => null, chooseBackbone: async () => null, chooseMapping: async () => null, chooseWordList: async () => null, chooseTable: async () => null, chooseSaveFile: async () => join(folder, 'out.csv') },
    printer: { printPage: async () => new Uint8Array(4) },
  }
  handlers = { ...appHandlers(context), ...alarmHandlers(context), ...backboneHandlers(context), ...cohortHandlers(context), ...fingerprintHandlers(context), ...importHandlers(context), ...deliveryHandlers(context), ...mappingHandlers(context), ...privacyHandlers(context), ...runHandlers(context), ...patientHandlers(context) }
})

const ask = (channel: CallName, request: unknown, event: never = ownFrame) => answerCall(channel, handlers[channel] as never, event, request, () => {})

describe('every channel', () => {
  it('has a handler', () => {
    expect(Object.keys(handlers).sort()).toEqual([...channels].sort())
  })

  it.each(channels)('%s refuses what does not fit, with a code and a fix', async (channel) => {
    const hostile = [undefined, null, 42, 'x', [], () => {}, { cohortId: -1, runId: '1; DROP TABLE runs', studyId: 1e99, jobKey: '' }, { ['__proto__']: { cohortId: 1 } }]
    for (const request of hostile) {
      const outcome = await ask(channel, request)
      if (outcome.ok) expect(calls[channel].request.safeParse(request).success).toBe(true)
      else expect(Object.keys(errorCatalog)).toContain(outcome.error.code)
    }
  })

  it.each(channels)('%s refuses a frame that is not the window', async (channel) => {
    for (const senderFrame of [null, { url: 'https://example.org/', parent: null }, { url: 'app://lacuna/index.html', parent: {} }]) {
      const outcome = await ask(channel, {}, { senderFrame } as never)
      expect(outcome).toMatchObject({ ok: false, error: { code: 'REQUEST_FORBIDDEN' } })
    }
  })

  it.each(channels.filter((channel) => !engineCalls.has(channel)))('%s never throws on arbitrary objects', async (channel) => {
    await fc.assert(fc.asyncProperty(fc.object({ maxDepth: 2 }), async (request) => {
      const outcome = await ask(channel, request)
      expect(typeof outcome.ok).toBe('boolean')
    }), { numRuns: 15 })
  })
})

describe('valid requests', () => {
  const filter = () => ({ cohortId, runId })
  const valid: [CallName, () => unknown][] = [
    ['cohorts:list', () => ({})], ['cohorts:mapping', () => ({ cohortId })], ['cohorts:get', () => ({ cohortId })], ['cohorts:rename', () => ({ cohortId, name: 'Renamed' })],
    ['deliveries:list', () => ({ cohortId })], ['deliveries:changed', () => ({ deliveryId: 1 })], ['mappings:list', () => ({})], ['mappings:import', () => ({})], ['import:choose-folder', () => ({})], ['import:choose-table', () => ({ folder: null })], ['import:report', () => ({ cohortId })],
    ['privacy:read-list', () => ({})], ['privacy:images', () => ({ cohortId })], ['privacy:decide', () => ({ cohortId, contentKeys: ['a'.repeat(64)], decision: 'keep' })],
    ['alarms:get', () => ({ cohortId })], ['alarms:search', () => ({ cohortId })], ['curation:preview', () => ({ cohortId, draft: { kind: 'drop-slot', slotId: 'notes' } })], ['curation:of-run', () => ({ runId })],
    ['curation:decide', () => ({ cohortId, draft: { kind: 'mask-words', slotId: 'notes', words: ['note'] }, reason: 'a test' })], ['curation:undo', () => ({ decisionId, reason: '' })], ['curation:include', () => ({ cohortId, studyIds: [studyId], reason: '' })], ['curation:standing', () => ({ runId })],
    ['runs:list', () => ({ cohortId: null })], ['runs:get', () => ({ runId })], ['runs:suggest', () => ({ cohortId })],
    ['results:get', () => ({ runId, setting: { kind: 'actual' } })], ['results:intervals', () => ({ runId, setting: { kind: 'actual' } })], ['patients:list', () => filter()], ['patients:get', () => ({ studyId, runId })],
    ['patients:neighbours', () => ({ filter: filter(), studyId })], ['patients:source-rows', () => ({ studyId })],
    ['reviews:save', () => ({ studyId, runId, verdict: 'agree', comment: '' })], ['predictions:export', () => ({ runId })],
    ['backbones:list', () => ({})], ['backbones:tensors', () => ({ backboneId })], ['backbones:choose', () => ({ what: 'folder' })], ['backbones:edit', () => ({ backboneId, details: { name: 'Ours', licence: 'MIT', source: 'a colleague' } })],
    ['backbones:remove', () => ({ backboneId })], ['jobs:list', () => ({})], ['jobs:cancel', () => ({ jobKey: 'none' })],
    ['storage:clear-cache', () => ({})], ['audit:list', () => ({ limit: 10 })], ['audit:verify', () => ({})], ['app:overview', () => ({})],
    ['app:choose-backend', () => ({ choice: 'cpu' })], ['results:degraded', () => ({ runId })],
  ]

  it.each(valid)('%s answers what the contract says', async (channel, request) => {
    const outcome = await ask(channel, request())
    expect(outcome).toMatchObject({ ok: true })
    if (outcome.ok) expect(() => calls[channel].reply.parse(outcome.value)).not.toThrow()
  })

  it('never lets a file name or source path of a patient reach the window', async () => {
    const page = await ask('patients:get', { studyId, runId })
    const list = await ask('patients:list', filter())
    expect(JSON.stringify([page, list])).not.toMatch(/images\/|\.png/)
  })

  it('names a backbone whose file is missing, and refuses one that is not there', async () => {
    const listed = await ask('backbones:list', {})
    expect(listed).toMatchObject({ ok: true, value: expect.arrayContaining([expect.objectContaining({ backboneId, state: 'incomplete' })]) })
    expect(await ask('backbones:edit', { backboneId: 'mmbt-minilm-resnet50', details: { name: 'X', licence: '', source: '' } })).toMatchObject({ ok: false, error: { code: 'BACKBONE_NOT_FOUND' } })
    expect(await ask('runs:start', { config: { cohortId, slotIds: ['right-eye'], labelIds: [1], backbone: 'never-seen' } })).toMatchObject({ ok: false, error: { code: 'BACKBONE_NOT_FOUND' } })
  })

  it('tells a dead engine as an error with a fix', async () => {
    const outcome = await ask('import:inspect', { source: { sourceDir: '/nowhere', tableFile: '/nowhere/t.csv' } })
    expect(outcome).toMatchObject({ ok: false, error: { code: 'ENGINE_CRASHED' } })
  })
})
