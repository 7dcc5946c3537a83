import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { keyCheck, readPseudonymKey } from '../../../engine/jobs/pseudonym-key.ts'
import { openWorkspace } from '../../../engine/jobs/workspace.ts'
import { temporaryFolder } from '../store/fixtures.ts'

const fresh = { check: null, isInUse: false }
const workspaceIn = (folder: string) => openWorkspace({ storeFile: join(folder, 'lacuna.db'), weightsDir: folder, nodePath: process.execPath, workerFile: join(folder, 'no-worker.js'), readerFile: join(folder, 'no-reader.js'), versions: { app: '0.1.0', code: 'test' }, log: () => {} })

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
