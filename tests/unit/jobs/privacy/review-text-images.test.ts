import { expect, it } from 'vitest'
import { borderCells, thumbnailEdge, type ImageMeasures } from '../../../../engine/domain/image-measures.ts'
import { decideTextImages, listTextImages } from '../../../../engine/jobs/privacy/review-text-images.ts'
import { absentItem, imageItem, makeStart, makeStudy, mapping, openTestStore, textItem } from '../../store/fixtures.ts'
import { readInPlace } from '../reader-in-place.ts'

const signs = { reasons: ['pixels' as const], likelihood: 0.8, regions: [{ left: 0.1, top: 0.1, right: 0.3, bottom: 0.15 }] }

/** Three studies; the first two show the same picture, all pictures may show text. */
function reviewed() {
  const store = openTestStore()
  const cohortId = store.cohorts.create({ name: 'Films', source: { sourceDir: '/d', tableFile: '/d/t.csv', sheet: null }, mapping })
  store.imports.setStart(cohortId, makeStart(3))
  const same = imageItem('right-eye', 0).sha256
  store.imports.addBatch(cohortId, [0, 1, 2].map((i) => makeStudy(i, {
    items: [{ ...imageItem('right-eye', i), ...(i < 2 ? { sha256: same } : {}), textSigns: { ...signs, likelihood: i < 2 ? 0.8 : 0.3 } }, absentItem('left-eye'), textItem('notes', 'note')],
  })), 3)
  store.imports.finish(cohortId)
  const workspace = { store, reader: readInPlace(store) }
  return { store, workspace, cohortId, same: same!, list: () => listTextImages(workspace, cohortId).items.map(({ studyId, decision }) => [studyId, decision]) }
}
/** One study whose picture was neither measured nor searched, as imports of earlier versions left them. */
function plain(store: ReturnType<typeof openTestStore>): number {
  const cohortId = store.cohorts.create({ name: 'Earlier', source: { sourceDir: '/d', tableFile: '/d/t.csv', sheet: null }, mapping })
  store.imports.setStart(cohortId, makeStart(1))
  store.imports.addBatch(cohortId, [makeStudy(0, { items: [imageItem('right-eye', 0), absentItem('left-eye'), textItem('notes', 'note')] })], 1)
  store.imports.finish(cohortId)
  return cohortId
}
const usedImages = (store: ReturnType<typeof reviewed>['store'], cohortId: number): number => store.patients.trainingStudies(cohortId, ['right-eye'], []).filter(({ items }) => items.length > 0 && items[0]!.path !== null).length

it('lists the likeliest first, keeps by content, and counts what nobody looked at', async () => {
  const { workspace, cohortId, same, list } = reviewed()
  expect(list()).toEqual([[1, null], [2, null], [3, null]])
  expect(await decideTextImages(workspace, cohortId, [same], 'keep')).toMatchObject({ total: 3, open: 1 })
  expect(list()).toEqual([[3, null], [1, 'keep'], [2, 'keep']])
  await decideTextImages(workspace, cohortId, [same], null)
  expect(listTextImages(workspace, cohortId).open).toBe(3)
})

it('leaves out by a decision over the cohort, and is open again when that is undone anywhere', async () => {
  const { workspace, store, cohortId, same, list } = reviewed()
  await decideTextImages(workspace, cohortId, [same], 'exclude')
  expect(store.curation.list(cohortId)).toMatchObject([{ draft: { kind: 'exclude-items', items: [{ studyId: 1, slotId: 'right-eye' }, { studyId: 2, slotId: 'right-eye' }] }, undo: null }])
  expect(usedImages(store, cohortId)).toBe(1)
  expect(list()).toEqual([[3, null], [1, 'exclude'], [2, 'exclude']])
  store.curation.undo(store.curation.list(cohortId)[0]!.decisionId, { reason: 'elsewhere', undoneBy: 'test' })
  expect(list().map(([, decision]) => decision)).toEqual([null, null, null])
  await decideTextImages(workspace, cohortId, [same], 'exclude')
  // Kept after all: the exclusion is undone with it.
  await decideTextImages(workspace, cohortId, [same], 'keep')
  expect(store.curation.list(cohortId).every(({ undo }) => undo !== null)).toBe(true)
  expect(usedImages(store, cohortId)).toBe(3)
  expect(store.audit.verify().isIntact).toBe(true)
})

it('erases the signs with the cohort', () => {
  const { store, cohortId } = reviewed()
  store.cohorts.remove(cohortId)
  Array.from(store.removals.erase())
  expect(store.textSigns.count(cohortId)).toEqual({ total: 0, open: 0 })
})

it('does not take images for clean that nobody searched, and lists what their measuring finds', () => {
  const { workspace, store, cohortId } = reviewed()
  const images = store.imageMeasures.listUnmeasured(cohortId)
  expect(listTextImages(workspace, cohortId)).toMatchObject({ total: 3, unsearched: 2 })
  const measures: ImageMeasures = {
    widthPx: 8, heightPx: 8, byteSize: 100, format: 'png', channels: 1, meanLuminance: 90, sdLuminance: 4, perceptualHash: '0'.repeat(16), border: new Float32Array(borderCells), thumbnail: new Uint8Array(thumbnailEdge ** 2),
  }
  store.cohorts.remove(cohortId)
  Array.from(store.removals.erase())
  const again = plain(store)
  expect(listTextImages(workspace, again)).toEqual({ total: 0, open: 0, unsearched: 1, items: [] })
  store.imageMeasures.add(images.slice(0, 1).map(({ sha256 }) => ({ sha256, measures, textSigns: signs })))
  expect(listTextImages(workspace, again)).toMatchObject({ total: 1, open: 1, unsearched: 0, items: [{ reasons: ['pixels'] }] })
})
