import { readFileSync } from 'node:fs'
import { constants, getPriority } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createReaderProcess, type ReaderProcess } from '../../../engine/host/reader-process.ts'
import { createStoreReader } from '../../../engine/jobs/store-reads.ts'
import type { Store } from '../../../engine/store/open.ts'
import { readPseudonymKey } from '../../../engine/jobs/pseudonym-key.ts'
import { addCohort, addRun, makeBlock, openTestStore, summary, temporaryFolder } from '../store/fixtures.ts'

/** The real process, from its sources, over a real database that this process goes on writing. */

const readerFile = join(import.meta.dirname, 'reader-child.mjs')
/** The workspace makes the key when it opens a store; the reader finds it. */
const optionsFor = (store: Store) => {
  readPseudonymKey(store.path, { check: null, isInUse: false })
  return { nodePath: process.execPath, readerFile, storeFile: store.path, appVersion: '0.1.0', log: () => {} }
}

function readerOf(store: Store, idleMs = 60_000): ReaderProcess {
  const reader = createReaderProcess({ ...optionsFor(store), idleMs, isBackground: false })
  onTestFinished(() => reader.dispose())
  return reader
}

describe('the reader process', () => {
  it('answers like the store itself and sees what the writer has written since', async () => {
    const store = openTestStore()
    const cohortId = addCohort(store, 40)
    const reader = createStoreReader(optionsFor(store))
    onTestFinished(() => reader.dispose())
    const query = { cohortId, runId: null, labelId: null, reference: null, pattern: null, search: '', error: null, review: null, split: null, isExcluded: null, selection: null, sortBy: 'ageYears', descending: true, offset: 0, limit: 10 } as const
    expect(await reader.read('patients:list', query)).toEqual(store.patients.listStudies(query))
    store.cohorts.rename(cohortId, 'Renamed meanwhile')
    expect((await reader.read('cohorts:list', {})).map(({ name }) => name)).toEqual(['Renamed meanwhile'])
    expect((await reader.read('audit:verify', {})).isIntact).toBe(true)
  })

  it('writes an export without touching the database', async () => {
    const folder = temporaryFolder()
    const store = openTestStore(folder)
    const cohortId = addCohort(store, 20)
    const runId = addRun(store, cohortId)
    store.runs.setStatus(runId, 'running')
    store.predictions.addBlock(runId, makeBlock(store.patients.listStudyIds({ cohortId })), store.cohorts.get(cohortId).labels.map((label) => label.labelId))
    store.runs.finish(runId, summary)
    const reader = createStoreReader(optionsFor(store))
    onTestFinished(() => reader.dispose())
    const before = store.audit.list().length
    expect(await reader.read('predictions:export', { runId, outFile: join(folder, 'out.csv') })).toBe(40)
    expect(readFileSync(join(folder, 'out.csv'), 'utf8').trim().split('\r\n')).toHaveLength(41)
    expect(store.audit.list()).toHaveLength(before)
  })

  it('tells what went wrong with its code, and goes on', async () => {
    const reader = readerOf(openTestStore())
    await expect(reader.ask('cohorts:counts', { cohortId: 99 })).rejects.toMatchObject({ code: 'STORE_NOT_FOUND' })
    await expect(reader.ask('no-such-read', {})).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
    await expect(reader.ask('cohorts:list', {})).resolves.toEqual([])
  })

  it('fails what was asked when it is killed, and starts again at the next question', async () => {
    const reader = readerOf(openTestStore())
    await reader.ask('cohorts:list', {})
    // Stopped first: a quick process would have answered before the kill reaches it.
    process.kill(reader.pid()!, 'SIGSTOP')
    const asked = reader.ask('audit:list', { limit: 10 })
    process.kill(reader.pid()!, 'SIGKILL')
    await expect(asked).rejects.toMatchObject({ code: 'ENGINE_CRASHED' })
    await expect(reader.ask('cohorts:list', {})).resolves.toEqual([])
  })

  it('fails a question asked of a process that is dead but not yet known to be', async () => {
    const reader = readerOf(openTestStore())
    await reader.ask('cohorts:list', {})
    process.kill(reader.pid()!, 'SIGKILL')
    await expect(reader.ask('audit:list', { limit: 10 })).rejects.toMatchObject({ code: 'ENGINE_CRASHED' })
    await expect(reader.ask('cohorts:list', {})).resolves.toEqual([])
  })

  it('lets the window go first when it computes', async () => {
    const store = openTestStore()
    const priorityOf = async (isBackground: boolean): Promise<number> => {
      const reader = createReaderProcess({ ...optionsFor(store), idleMs: 60_000, isBackground })
      onTestFinished(() => reader.dispose())
      await reader.ask('cohorts:list', {})
      return getPriority(reader.pid()!)
    }
    // A higher number gives way; these tests may themselves run at a low priority.
    expect(await priorityOf(true)).toBe(Math.max(constants.priority.PRIORITY_BELOW_NORMAL, getPriority()))
    expect(await priorityOf(false)).toBe(getPriority())
  })

  it('rests when nobody asks', async () => {
    const reader = readerOf(openTestStore(), 50)
    await reader.ask('cohorts:list', {})
    await expect.poll(() => reader.pid(), { timeout: 5000 }).toBeNull()
    await expect(reader.ask('cohorts:list', {})).resolves.toEqual([])
  })

  it('says that a missing program is missing', async () => {
    const reader = createReaderProcess({ ...optionsFor(openTestStore()), nodePath: '/no/such/node', idleMs: 60_000, isBackground: false })
    await expect(reader.ask('cohorts:list', {})).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' })
  })
})
