import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import SqliteDatabase from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { openStore, storeMigrations } from '../../../engine/store/open.ts'
import { addCohort, createEmptyCohort, makeStart, makeStudy, openTestStore, steppingClock, temporaryFolder } from './fixtures.ts'

const options = { appVersion: '0.1.0' }
const child = join(import.meta.dirname, 'import-child.mjs')

describe('openStore', () => {
  it('keeps what was written when it is opened again', () => {
    const folder = temporaryFolder()
    const first = openStore(join(folder, 'a.db'), options)
    const cohortId = addCohort(first, 10)
    const hash = first.cohorts.get(cohortId).contentHash
    first.close()
    const second = openStore(join(folder, 'a.db'), options)
    expect(second.cohorts.get(cohortId)).toMatchObject({ status: 'ready', studyCount: 10, contentHash: hash })
    expect(second.imports.verifyContent(cohortId)).toBe(true)
    second.close()
  })

  it('refuses a second writer in the same process and lets a reader in', () => {
    const store = openTestStore()
    createEmptyCohort(store)
    expect(() => openStore(store.path, options)).toThrow(expect.objectContaining({ code: 'STORE_LOCKED' }))
    const reader = openStore(store.path, { ...options, readonly: true })
    expect(reader.cohorts.list()).toHaveLength(1)
    createEmptyCohort(store, 'Second')
    expect(reader.cohorts.list()).toHaveLength(2)
    expect(() => createEmptyCohort(reader, 'Third')).toThrow(expect.objectContaining({ code: 'STORE_NOT_WRITABLE' }))
    reader.close()
  })

  it('is one store also through a link to its file', () => {
    const store = openTestStore()
    const link = `${store.path}.link`
    symlinkSync(store.path, link)
    expect(() => openStore(link, options)).toThrow(expect.objectContaining({ code: 'STORE_LOCKED' }))
    store.close()
    const again = openStore(link, options)
    expect(again.path).toBe(store.path)
    again.close()
  })

  it.skipIf(process.platform === 'win32')('makes a database that only its owner can read, and leaves the rights of one that is there', () => {
    const file = join(temporaryFolder(), 'new', 'a.db')
    const store = openStore(file, options)
    createEmptyCohort(store)
    for (const path of [file, `${file}-wal`]) expect(statSync(path).mode & 0o077).toBe(0)
    store.close()
    chmodSync(file, 0o640)
    openStore(file, options).close()
    expect(statSync(file).mode & 0o777).toBe(0o640)
  })

  it('shows a reader the studies that a writer adds afterwards', () => {
    const store = openTestStore()
    const cohortId = createEmptyCohort(store)
    store.imports.setStart(cohortId, makeStart(4))
    store.imports.addBatch(cohortId, [makeStudy(0)], 1)
    const reader = openStore(store.path, { ...options, readonly: true })
    expect(reader.patients.listStudies({ cohortId }).total).toBe(1)
    store.imports.addBatch(cohortId, [makeStudy(1)], 2)
    expect(reader.patients.listStudies({ cohortId }).total).toBe(2)
    reader.close()
  })

  it('is refused while another process writes, and free once that process is killed', async () => {
    const path = join(temporaryFolder(), 'a.db')
    const writer = spawn(process.execPath, [child, path, '1000000'], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(writer.stdout, 'data')
    expect(() => openStore(path, options)).toThrow(expect.objectContaining({ code: 'STORE_LOCKED' }))
    writer.kill('SIGKILL')
    await once(writer, 'exit')
    openStore(path, options).close()
  })

  it('keeps whole batches when the writing process is killed', async () => {
    for (const delayMs of [0, 30, 90]) {
      const path = join(temporaryFolder(), 'a.db')
      const writer = spawn(process.execPath, [child, path, '1000000'], { stdio: ['ignore', 'pipe', 'inherit'] })
      await once(writer.stdout, 'data')
      await new Promise((resolve) => setTimeout(resolve, delayMs))
      writer.kill('SIGKILL')
      await once(writer, 'exit')
      const store = openStore(path, options)
      const cohort = store.cohorts.list()[0]!
      expect(cohort.nextOrdinal).toBeGreaterThan(0)
      expect(cohort.nextOrdinal % 20).toBe(0)
      expect(cohort).toMatchObject({ status: 'importing', studyCount: cohort.nextOrdinal, itemCount: cohort.nextOrdinal * 3 })
      expect(store.imports.verifyContent(cohort.cohortId)).toBe(true)
      expect(store.audit.verify().isIntact).toBe(true)
      // The import goes on where it stopped, and the last batch may come once more.
      const next = cohort.nextOrdinal
      const repeated = [makeStudy(next - 1), makeStudy(next)]
      expect(store.imports.addBatch(cohort.cohortId, repeated, next + 1)).toEqual({ added: 1 })
      store.close()
    }
  })

  it('refuses a file that is no database, one of another program, and a missing one for reading', () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'text.db'), 'this is a letter, not a database. '.repeat(100))
    expect(() => openStore(join(folder, 'text.db'), options)).toThrow(expect.objectContaining({ code: 'STORE_CORRUPT' }))
    const other = new SqliteDatabase(join(folder, 'other.db'))
    other.exec('CREATE TABLE bookmarks (url TEXT)')
    other.close()
    const before = readFileSync(join(folder, 'other.db'))
    expect(() => openStore(join(folder, 'other.db'), options)).toThrow(expect.objectContaining({ code: 'STORE_NOT_LACUNA' }))
    expect(readFileSync(join(folder, 'other.db')).equals(before)).toBe(true)
    expect(() => openStore(join(folder, 'none.db'), { ...options, readonly: true })).toThrow(expect.objectContaining({ code: 'STORE_FILE_MISSING' }))
    expect(existsSync(join(folder, 'none.db'))).toBe(false)
  })

  it('finds damage in a file that was not closed properly', () => {
    const folder = temporaryFolder()
    const path = join(folder, 'a.db')
    const store = openStore(path, options)
    addCohort(store, 600)
    store.close()
    // A log left behind marks the file as not closed; the damage lies in the middle of the file itself.
    const handle = openSync(path, 'r+')
    writeSync(handle, Buffer.alloc(4096, 0xff), 0, 4096, 4096 * 20)
    closeSync(handle)
    writeFileSync(`${path}-wal`, Buffer.alloc(32))
    expect(() => openStore(path, options)).toThrow(expect.objectContaining({ code: 'STORE_CORRUPT' }))
  })

  it('reports a folder that cannot be made', () => {
    const file = join(temporaryFolder(), 'file')
    writeFileSync(file, '')
    expect(() => openStore(join(file, 'a.db'), options)).toThrow(expect.objectContaining({ code: 'STORE_NOT_WRITABLE' }))
  })

  it('runs a transaction as a whole or not at all, also nested', () => {
    const store = openTestStore()
    expect(() => store.transaction(() => {
      createEmptyCohort(store)
      store.transaction(() => store.meta.set('key', 'value'))
      throw new Error('stop')
    })).toThrow('stop')
    expect(store.cohorts.list()).toEqual([])
    expect(store.meta.get('key')).toBeNull()
    expect(store.audit.list()).toEqual([])
  })

  it('does not remember what a rolled-back transaction looked at', () => {
    const store = openTestStore()
    const cohortId = createEmptyCohort(store)
    store.imports.setStart(cohortId, makeStart(2))
    expect(() => store.transaction(() => {
      store.imports.addBatch(cohortId, [makeStudy(0)], 1)
      expect(store.patients.listStudies({ cohortId }).total).toBe(1)
      throw new Error('stop')
    })).toThrow('stop')
    expect(store.patients.listStudies({ cohortId }).total).toBe(0)
  })

  it('measures its files', () => {
    const store = openTestStore()
    addCohort(store, 100)
    const sizes = store.storageSizes()
    expect(sizes.databaseBytes + sizes.walBytes).toBeGreaterThan(50_000)
    expect(sizes.freeBytes).toBeGreaterThan(0)
  })
})

describe('a full disk', () => {
  const canMount = process.platform === 'linux' && process.getuid?.() === 0

  it('stops the batch and keeps everything before it', () => {
    const folder = temporaryFolder()
    // The limit on pages belongs to the connection, so the only way in is a migration that sets it.
    const limit = { version: storeMigrations.length + 1, name: 'limit', sql: 'PRAGMA max_page_count = 120;' }
    const store = openStore(join(folder, 'a.db'), { ...options, migrations: [...storeMigrations, limit] })
    const cohortId = createEmptyCohort(store)
    store.imports.setStart(cohortId, makeStart(4000))
    let next = 0
    const fill = () => {
      for (; next < 4000; next += 50) store.imports.addBatch(cohortId, Array.from({ length: 50 }, (_, i) => makeStudy(next + i)), next + 50)
    }
    expect(fill).toThrow(expect.objectContaining({ code: 'STORE_DISK_FULL' }))
    expect(next).toBeGreaterThan(0)
    expect(store.cohorts.get(cohortId)).toMatchObject({ nextOrdinal: next, studyCount: next, itemCount: next * 3 })
    expect(store.imports.verifyContent(cohortId)).toBe(true)
    store.close()
  })

  it.runIf(canMount)('is told apart from damage on a real small disk', () => {
    const disk = temporaryFolder()
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', disk])
    if (mounted.status !== 0) return
    try {
      const store = openStore(join(disk, 'a.db'), options)
      const cohortId = createEmptyCohort(store)
      store.imports.setStart(cohortId, makeStart(100_000))
      let next = 0
      const fill = () => {
        for (; next < 100_000; next += 100) store.imports.addBatch(cohortId, Array.from({ length: 100 }, (_, i) => makeStudy(next + i)), next + 100)
      }
      expect(fill).toThrow(expect.objectContaining({ code: 'STORE_DISK_FULL' }))
      expect(next).toBeGreaterThan(0)
      expect(store.cohorts.get(cohortId)).toMatchObject({ nextOrdinal: next, studyCount: next, itemCount: next * 3 })
      expect(store.imports.verifyContent(cohortId)).toBe(true)
      expect(spawnSync('mount', ['-o', 'remount,size=6m', disk]).status).toBe(0)
      store.imports.addBatch(cohortId, Array.from({ length: 100 }, (_, i) => makeStudy(next + i)), next + 100)
      expect(store.cohorts.get(cohortId).studyCount).toBe(next + 100)
      store.close()
    } finally {
      spawnSync('umount', ['-l', disk])
    }
  })
})

describe('copies from before an update', () => {
  it('keeps the copy just made when the clock was set back', () => {
    const folder = temporaryFolder()
    const file = join(folder, 'a.db')
    const extra = Array.from({ length: 4 }, (_, i) => ({ version: storeMigrations.length + i + 1, name: `next_${i}`, sql: `CREATE TABLE next_${i} (id INTEGER PRIMARY KEY) STRICT` }))
    for (const [steps, year] of [[0, 2031], [1, 2032], [2, 2033], [3, 2034], [4, 1970]] as const) {
      openStore(file, { ...options, now: () => `${year}-01-01T00:00:00.000Z`, migrations: [...storeMigrations, ...extra.slice(0, steps)] }).close()
    }
    expect(readdirSync(join(folder, 'backups')).map((name) => name.split('.')[3]!.slice(0, 4)).sort()).toEqual(['1970', '2033', '2034'])
  })

  it('keeps one copy, not one for each try, where an update fails at every start, and no piece of a copy', () => {
    const folder = temporaryFolder()
    const file = join(folder, 'a.db')
    openStore(file, options).close()
    mkdirSync(join(folder, 'backups'))
    writeFileSync(join(folder, 'backups', `a.db.v${storeMigrations.length}.20200101000000000.backup.part`), 'half')
    const failing = [...storeMigrations, { version: storeMigrations.length + 1, name: 'fails', sql: 'CREATE TABLE broken (' }]
    const now = steppingClock()
    for (let attempt = 0; attempt < 4; attempt++) expect(() => openStore(file, { ...options, now, migrations: failing })).toThrow(expect.objectContaining({ code: 'STORE_MIGRATION_FAILED' }))
    expect(readdirSync(join(folder, 'backups'))).toHaveLength(1)
    openStore(file, options).close()
  })

  it('keeps the last three, and no file of anybody else', () => {
    const folder = temporaryFolder()
    const path = join(folder, 'lacuna.db')
    const backupDir = join(folder, 'backups')
    const steps = Array.from({ length: 5 }, (_, i) => ({ version: storeMigrations.length + i + 1, name: `next_${i}`, sql: `CREATE TABLE next_${i} (id INTEGER PRIMARY KEY) STRICT` }))
    openStore(path, { appVersion: '0.1.0' }).close()
    mkdirSync(backupDir)
    for (const name of ['lacuna.db.by-hand.backup.zip', 'other.db.v1.2020.backup']) writeFileSync(join(backupDir, name), 'kept')
    const now = steppingClock()
    for (let count = 1; count <= steps.length; count++) openStore(path, { appVersion: '0.1.0', now, migrations: [...storeMigrations, ...steps.slice(0, count)] }).close()
    const names = readdirSync(backupDir).sort()
    const versions = names.flatMap((name) => /^lacuna\.db\.v(\d+)\./.exec(name)?.[1] ?? []).map(Number).sort((a, b) => a - b)
    expect(versions).toEqual([2, 3, 4].map((step) => storeMigrations.length + step))
    expect(names).toEqual(expect.arrayContaining(['lacuna.db.by-hand.backup.zip', 'other.db.v1.2020.backup']))
  })
})

describe('the write-ahead log', () => {
  it('is empty after a close although a reader is still there', () => {
    const folder = temporaryFolder()
    const path = join(folder, 'lacuna.db')
    const store = openStore(path, options)
    addCohort(store, 20)
    const reader = openStore(path, { ...options, readonly: true })
    expect(reader.cohorts.list()).toHaveLength(1)
    expect(store.storageSizes().walBytes).toBeGreaterThan(0)
    store.close()
    expect(statSync(`${path}-wal`).size).toBe(0)
    reader.close()
  })

  it('is cut once the reader in the way has gone, and nobody waits for it', async () => {
    const path = join(temporaryFolder(), 'lacuna.db')
    const store = openStore(path, options)
    const cohortId = addCohort(store, 20)
    const other = new SqliteDatabase(path, { readonly: true })
    const rows = other.prepare('SELECT * FROM studies').iterate()
    rows.next()
    const startedMs = performance.now()
    store.cohorts.remove(cohortId)
    Array.from(store.removals.erase())
    // A writer that waited would have waited for its busy timeout, five seconds.
    expect(performance.now() - startedMs).toBeLessThan(4500)
    expect(store.storageSizes().walBytes).toBeGreaterThan(0)
    rows.return!()
    await expect.poll(() => store.storageSizes().walBytes, { timeout: 10_000 }).toBe(0)
    other.close()
    store.close()
  })
})
