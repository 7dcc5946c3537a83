import SqliteDatabase from 'better-sqlite3'
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { keyCheck, readPseudonymKey } from '../../../engine/jobs/pseudonym-key.ts'
import { openWorkspace } from '../../../engine/jobs/workspace.ts'
import { mapping, temporaryFolder } from '../store/fixtures.ts'

const fresh = { check: null, isInUse: false }
const workspaceIn = (folder: string, keyFrom?: string) => openWorkspace({ ...(keyFrom === undefined ? {} : { keyFrom }), storeFile: join(folder, 'lacuna.db'), weightsDir: folder, nodePath: process.execPath, workerFile: join(folder, 'no-worker.js'), readerFile: join(folder, 'no-reader.js'), versions: { app: '0.1.0', code: 'test' }, log: () => {} })

it('makes a key for a new store only, readable by its owner', () => {
  const store = join(temporaryFolder(), 'a.db')
  const key = readPseudonymKey(store, fresh)
  expect(key).toMatch(/^[0-9a-f]{64}$/)
  expect(readPseudonymKey(store, { check: keyCheck(key), isInUse: true })).toBe(key)
  expect(readPseudonymKey(store)).toBe(key)
  if (process.platform !== 'win32') expect(statSync(`${store}.key`).mode & 0o777).toBe(0o600)
  expect(keyCheck(key)).not.toContain(key.slice(0, 8))
})

it('starts over from a key file that a stop left empty, but only where nothing was done yet', () => {
  const store = join(temporaryFolder(), 'a.db')
  writeFileSync(`${store}.key`, '')
  expect(() => readPseudonymKey(store, { check: null, isInUse: true })).toThrow(expect.objectContaining({ code: 'STORE_KEY_INVALID' }))
  writeFileSync(`${store}.key.part`, 'half')
  expect(readPseudonymKey(store, fresh)).toMatch(/^[0-9a-f]{64}$/)
  expect(existsSync(`${store}.key.part`)).toBe(false)
})

it('makes no other key when the one of a used store is gone', () => {
  const store = join(temporaryFolder(), 'a.db')
  for (const memory of [{ check: 'x', isInUse: true }, { check: null, isInUse: true }, undefined]) {
    expect(() => readPseudonymKey(store, memory)).toThrow(expect.objectContaining({ code: 'STORE_KEY_MISSING' }))
    expect(existsSync(`${store}.key`)).toBe(false)
  }
})

it('refuses a damaged key, the key of another database, and a disk that takes none', () => {
  const folder = temporaryFolder()
  const store = join(folder, 'a.db')
  writeFileSync(`${store}.key`, 'short')
  expect(() => readPseudonymKey(store, fresh)).toThrow(expect.objectContaining({ code: 'STORE_KEY_INVALID' }))
  writeFileSync(`${store}.key`, 'ab'.repeat(32))
  expect(() => readPseudonymKey(store, { check: keyCheck('cd'.repeat(32)), isInUse: true })).toThrow(expect.objectContaining({ code: 'STORE_KEY_INVALID' }))
  expect(() => readPseudonymKey(join(folder, 'no', 'such', 'folder', 'a.db'), fresh)).toThrow(expect.objectContaining({ code: 'STORE_KEY_NOT_WRITTEN' }))
  rmSync(`${store}.key`)
  mkdirSync(`${store}.key`)
  expect(() => readPseudonymKey(store, fresh)).toThrow(expect.objectContaining({ code: 'STORE_KEY_INVALID' }))
})

it('does not open a store without its own key, leaves it unlocked, and opens it when the key is back', () => {
  const folder = temporaryFolder()
  const first = workspaceIn(folder)
  first.store.audit.append('test.used', {})
  first.close()
  const file = join(folder, 'lacuna.db.key')
  const key = readFileSync(file)
  rmSync(file)
  expect(() => workspaceIn(folder)).toThrow(expect.objectContaining({ code: 'STORE_KEY_MISSING' }))
  writeFileSync(file, `${'ef'.repeat(32)}\n`)
  expect(() => workspaceIn(folder)).toThrow(expect.objectContaining({ code: 'STORE_KEY_INVALID' }))
  writeFileSync(file, key)
  chmodSync(file, 0o600)
  workspaceIn(folder).close()
})

it('takes a copy of the right key only, sets the file in its way aside, and logs it', () => {
  const folder = temporaryFolder()
  const first = workspaceIn(folder)
  const cohortId = first.store.cohorts.create({ name: 'Eyes', source: { sourceDir: '/data/ward 7', tableFile: '/data/ward 7/t.csv', sheet: null }, mapping })
  first.close()
  const file = join(folder, 'lacuna.db.key')
  const copy = join(folder, 'backup.key')
  copyFileSync(file, copy)
  const wrong = join(folder, 'wrong.key')
  writeFileSync(wrong, `${'ef'.repeat(32)}\n`)
  const noKey = join(folder, 'note.txt')
  writeFileSync(noKey, 'hello')
  rmSync(file)
  expect(() => workspaceIn(folder, wrong)).toThrow(expect.objectContaining({ code: 'STORE_KEY_INVALID', message: 'The chosen key belongs to another database. Nothing was changed.' }))
  expect(() => workspaceIn(folder, noKey)).toThrow(expect.objectContaining({ code: 'STORE_KEY_INVALID' }))
  expect(existsSync(file)).toBe(false)
  writeFileSync(file, 'half a ke')
  const again = workspaceIn(folder, copy)
  expect(again.store.cohorts.get(cohortId).sourceDir).toBe('/data/ward 7')
  expect(again.store.audit.list(1)[0]).toMatchObject({ event: 'store.key-restored', details: { hadOther: true } })
  expect(again.store.audit.verify().isIntact).toBe(true)
  again.close()
  expect(readFileSync(file, 'utf8')).toBe(readFileSync(copy, 'utf8'))
  expect(readFileSync(`${file}.set-aside-1`, 'utf8')).toBe('half a ke')
  if (process.platform !== 'win32') expect(statSync(file).mode & 0o777).toBe(0o600)
  workspaceIn(folder).close()
})

it('never remembers a wrong key for a store of before keys were remembered', () => {
  const folder = temporaryFolder()
  const first = workspaceIn(folder)
  first.store.cohorts.create({ name: 'Eyes', source: { sourceDir: '/data', tableFile: '/data/t.csv', sheet: null }, mapping })
  first.close()
  const db = new SqliteDatabase(join(folder, 'lacuna.db'))
  db.prepare("DELETE FROM meta WHERE key = 'key_check'").run()
  db.close()
  const file = join(folder, 'lacuna.db.key')
  const key = readFileSync(file)
  writeFileSync(file, `${'ef'.repeat(32)}\n`)
  for (let turn = 0; turn < 2; turn++) expect(() => workspaceIn(folder)).toThrow(expect.objectContaining({ code: 'STORE_KEY_INVALID' }))
  writeFileSync(file, key)
  workspaceIn(folder).close()
})
