import { readFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { defaultPrivacy } from '../../../engine/domain/privacy.ts'
import { sealStore } from '../../../engine/store/sealed-store.ts'
import { imageItem, makeStart, makeStudy, mapping, openTestStore, temporaryFolder, textItem, absentItem } from './fixtures.ts'

const secret = 'ab'.repeat(32)
const source = { sourceDir: join('/', 'ward', 'MILLER_00481516'), tableFile: join('/', 'ward', 'MILLER_00481516.csv'), sheet: null }

function filled(folder = temporaryFolder()) {
  const plain = openTestStore(folder)
  const store = sealStore(plain, secret)
  const cohortId = store.cohorts.create({ name: 'Sealed', source, mapping: { ...mapping, privacy: { ...defaultPrivacy, words: ['Zephyrine'] } } })
  store.imports.setStart(cohortId, makeStart(1))
  store.imports.addBatch(cohortId, [makeStudy(0, { items: [{ ...imageItem('right-eye', 0), sourcePath: 'a/PX00481516.png' }, absentItem('left-eye'), textItem('notes', 'note')] })], 1)
  return { plain, store, cohortId, folder }
}

it('gives back every path, and leaves none of them in the database or its log', () => {
  const { store, cohortId, folder } = filled()
  expect(store.cohorts.get(cohortId)).toMatchObject({ sourceDir: source.sourceDir, tableFile: source.tableFile })
  expect(store.cohorts.importRequest(cohortId)).toMatchObject({ source, mapping: { privacy: { words: ['Zephyrine'] } } })
  const [studyId] = store.patients.listStudyIds({ cohortId }) as [number]
  const path = join(source.sourceDir, 'a', 'PX00481516.png')
  expect(store.patients.itemFile(studyId, 'right-eye')!.path).toBe(path)
  expect(store.patients.trainingStudies(cohortId, ['right-eye'], [])[0]!.items[0]!.path).toBe(path)
  expect(store.patients.getStudy(studyId).items[0]!.sourcePath).toBe('a/PX00481516.png')
  expect(store.imports.sampleImages(cohortId, 1)[0]!.path).toBe('a/PX00481516.png')
  const files = ['lacuna.db', 'lacuna.db-wal'].map((name) => join(folder, name)).filter((file) => existsSync(file))
  for (const file of files) {
    const bytes = readFileSync(file).toString('latin1')
    for (const text of ['00481516', 'MILLER', 'Zephyrine']) expect(bytes, `${text} in ${file}`).not.toContain(text)
  }
})

it('refuses another key for a file, and still lists the cohort', () => {
  const { plain, cohortId } = filled()
  const other = sealStore(plain, 'cd'.repeat(32))
  expect(other.cohorts.list()[0]!.sourceDir).toBe('(sealed with another key)')
  expect(() => other.cohorts.importRequest(cohortId)).toThrow(expect.objectContaining({ code: 'STORE_KEY_INVALID' }))
})

it('reads what was stored before paths were sealed', () => {
  const plain = openTestStore()
  const cohortId = plain.cohorts.create({ name: 'Old', source, mapping })
  expect(sealStore(plain, secret).cohorts.importRequest(cohortId).source).toEqual(source)
})
