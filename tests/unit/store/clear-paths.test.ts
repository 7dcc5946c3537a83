import SqliteDatabase from 'better-sqlite3'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { sealStore } from '../../../engine/store/sealed-store.ts'
import { imageItem, makeStart, makeStudy, mapping, openTestStore, temporaryFolder, textItem, absentItem } from './fixtures.ts'

const secret = 'ab'.repeat(32)
const source = { sourceDir: join('/', 'ward', 'MILLER_00481516'), tableFile: join('/', 'ward', 'MILLER_00481516.csv'), sheet: null }
const telling = ['00481516', 'MILLER', 'QUISPE']

/** A store as an older version left it: paths in the clear, and a copy of it from before an update. */
function olderStore(studyCount = 450) {
  const folder = temporaryFolder()
  const plain = openTestStore(folder)
  const cohortId = plain.cohorts.create({ name: 'Old', source, mapping: { ...mapping, join: { table: 'QUISPE.csv', sheet: null, column: 'ID', otherColumn: 'ID', spreadBy: null } } })
  plain.imports.setStart(cohortId, makeStart(studyCount))
  plain.imports.addBatch(cohortId, Array.from({ length: studyCount }, (_, i) => makeStudy(i, { items: [{ ...imageItem('right-eye', i), sourcePath: `a/MILLER${i}.png` }, absentItem('left-eye'), textItem('notes', 'note')] })), studyCount)
  plain.imports.finish(cohortId)
  mkdirSync(join(folder, 'backups'), { recursive: true })
  new SqliteDatabase(plain.path).prepare('VACUUM INTO :target').run({ target: join(folder, 'backups', 'lacuna.db.v9.20260101.backup') })
  return { plain, folder, cohortId }
}
const bytesOf = (folder: string): string => readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => readFileSync(join(entry.parentPath, entry.name)).toString('latin1')).join()

it('seals the paths of earlier imports in database, log and copies, once, and changes nothing else', () => {
  const { plain, folder, cohortId } = olderStore()
  expect(telling.filter((text) => bytesOf(folder).includes(text))).toEqual(telling)
  const hash = plain.cohorts.get(cohortId).contentHash
  const store = sealStore(plain, secret)
  expect(store.clearPaths.count()).toBe(451)
  const steps = [...store.clearPaths.seal((text) => text)]
  expect(steps.at(-1)).toBe(451)
  expect(store.clearPaths.count()).toBe(0)
  expect([...store.clearPaths.seal((text) => text)]).toEqual([])
  expect(store.cohorts.importRequest(cohortId)).toMatchObject({ source, mapping: { join: { table: 'QUISPE.csv' } } })
  expect(store.patients.getStudy(store.patients.listStudyIds({ cohortId })[7]!).items[0]!.sourcePath).toBe('a/MILLER7.png')
  expect(store.cohorts.get(cohortId).contentHash).toBe(hash)
  expect(store.imports.verifyContent(cohortId)).toBe(true)
  expect(store.audit.list(1)[0]).toMatchObject({ event: 'privacy.paths-sealed', details: { items: 450, cohorts: 1, backupsSealed: 1, backupsNotSealed: 0 } })
  store.close()
  expect(telling.filter((text) => bytesOf(folder).includes(text))).toEqual([])
})

it('seals a copy so that it can still be restored, and says when one cannot be opened', () => {
  const { plain, folder, cohortId } = olderStore(3)
  writeFileSync(join(folder, 'backups', 'lacuna.db.v8.20250101.backup'), 'no database')
  const store = sealStore(plain, secret)
  Array.from(store.clearPaths.seal((text) => text))
  expect(store.audit.list(1)[0]).toMatchObject({ details: { backupsSealed: 1, backupsNotSealed: 1 } })
  const copy = new SqliteDatabase(join(folder, 'backups', 'lacuna.db.v9.20260101.backup'), { readonly: true })
  expect(copy.pragma('integrity_check', { simple: true })).toBe('ok')
  expect(copy.prepare('SELECT count(*) FROM items WHERE source_path LIKE \'sealed-1-%\'').pluck().get()).toBe(3)
  copy.close()
  // Tried again at the next opening, for the copy that was not sealed.
  expect(store.clearPaths.count()).toBe(0)
  expect(store.cohorts.importRequest(cohortId).source).toEqual(source)
})
