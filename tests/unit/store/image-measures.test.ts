import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { ImageMeasures } from '../../../engine/domain/image-measures.ts'
import { openStore } from '../../../engine/store/open.ts'
import { addCohort, temporaryFolder } from './fixtures.ts'

const measuresOf = (seed: number): ImageMeasures => ({
  widthPx: 100 + seed, heightPx: 80, byteSize: 1000, format: 'png', channels: 3, meanLuminance: seed, sdLuminance: 12.5,
  perceptualHash: seed.toString(16).padStart(16, '0'), border: Float32Array.from({ length: 28 }, (_, i) => i + 0.5), thumbnail: new Uint8Array(1024).fill(seed),
})

/** The image of a study carries measures that depend on its content. */
function addMeasuredCohort(store: ReturnType<typeof openStore>, count: number, name: string): number {
  return addCohort(store, count, name, (study) => ({
    ...study, site: study.ordinal % 2 === 0 ? 'Site A' : null,
    items: study.items.map((item) => (item.isPresent && item.sourcePath !== null ? { ...item, measures: measuresOf(study.ordinal) } : item)),
  }))
}

it('gives back what was measured, by item and patient', () => {
  const store = openStore(join(temporaryFolder(), 'a.db'), { appVersion: '1' })
  const cohortId = addMeasuredCohort(store, 4, 'A')
  const images = store.imageMeasures.ofCohort(cohortId)
  // Studies 0 and 3 lack the left eye.
  expect(images.map(({ slotId }) => slotId)).toEqual(['right-eye', 'right-eye', 'left-eye', 'right-eye', 'left-eye', 'right-eye'])
  expect(images[0]!.measures).toEqual(measuresOf(0))
  expect(new Set(images.map(({ patientId }) => patientId)).size).toBe(2)
  expect(store.imageMeasures.countUnmeasured(cohortId)).toBe(0)
  expect(store.imports.verifyContent(cohortId)).toBe(true)
  store.close()
})

it('lists each content that was never measured once, and takes its measures later', () => {
  const store = openStore(join(temporaryFolder(), 'a.db'), { appVersion: '1' })
  const cohortId = addCohort(store, 4)
  const missing = store.imageMeasures.listUnmeasured(cohortId)
  expect(store.imageMeasures.countUnmeasured(cohortId)).toBe(missing.length)
  store.imageMeasures.add(missing.map((image, i) => ({ sha256: image.sha256, measures: measuresOf(i) })))
  store.imageMeasures.add([{ sha256: missing[0]!.sha256, measures: measuresOf(9) }])
  expect(store.imageMeasures.listUnmeasured(cohortId)).toEqual([])
  expect(store.imageMeasures.ofCohort(cohortId)[0]!.measures.meanLuminance).toBe(0)
  store.close()
})

it('erases the measures of a removed cohort unless another cohort holds the same images', () => {
  const store = openStore(join(temporaryFolder(), 'a.db'), { appVersion: '1' })
  const large = addMeasuredCohort(store, 200, 'large')
  const small = addMeasuredCohort(store, 3, 'small')
  store.cohorts.remove(large)
  Array.from(store.removals.erase())
  expect(store.imageMeasures.ofCohort(small)).toHaveLength(5)
  store.cohorts.remove(small)
  Array.from(store.removals.erase())
  const again = addCohort(store, 200, 'again')
  // Nothing is known of them any more.
  expect(store.imageMeasures.ofCohort(again)).toEqual([])
  store.close()
})
