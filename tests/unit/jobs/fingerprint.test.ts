import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { fingerprintSchema } from '../../../engine/domain/fingerprint.ts'
import type { ImageMeasures } from '../../../engine/domain/image-measures.ts'
import { readFingerprint } from '../../../engine/jobs/fingerprint/read-fingerprint.ts'
import { openStore } from '../../../engine/store/open.ts'
import { addCohort, sha256, temporaryFolder } from '../store/fixtures.ts'

const weightsDir = process.env.LACUNA_WEIGHTS ?? ''
const hasVocabulary = existsSync(join(weightsDir, 'minilm', 'tokenizer.json'))

/** Every image another picture, told by its seed. */
function measuresOf(seed: number): ImageMeasures {
  let state = seed * 7919 + 1
  const next = (): number => (state = (state * 48271) % 2147483647)
  const thumbnail = Uint8Array.from({ length: 1024 }, () => next() % 256)
  return {
    widthPx: 200 + (seed % 2), heightPx: 150, byteSize: 1000 + seed, format: 'jpeg', channels: 3, meanLuminance: 40 + (seed % 100), sdLuminance: 50,
    perceptualHash: Array.from({ length: 16 }, () => (next() % 16).toString(16)).join(''), border: new Float32Array(28), thumbnail,
  }
}

it.runIf(hasVocabulary)('counts a cohort as it is', () => {
  const store = openStore(join(temporaryFolder(), 'a.db'), { appVersion: '1' })
  const firstImage = sha256('right-eye 0')
  // 60 studies of 30 patients. Study 6 holds the right eye of study 0; study 8 (another patient) nearly that of study 2; 9 cannot be read.
  const cohortId = addCohort(store, 60, 'Eyes', (study) => ({
    ...study, site: study.ordinal < 30 ? 'Site AAAA' : 'Site BBBB',
    items: study.items.map((item) => {
      if (study.ordinal === 9 && item.slotId === 'right-eye') return { ...item, isPresent: false, reason: 'unreadable' as const, detail: 'The file is damaged.', sourcePath: null, sha256: null, byteSize: null, widthPx: null, heightPx: null }
      if (!item.isPresent) return item
      if (item.slotId === 'notes') return { ...item, text: study.ordinal === 1 ? 'word '.repeat(80).trim() : 'a short note' }
      const side = item.slotId === 'right-eye' ? 0 : 1000
      if (study.ordinal === 6 && side === 0) return { ...item, sha256: firstImage, measures: measuresOf(0) }
      if (study.ordinal === 0 && side === 0) return { ...item, sha256: firstImage, measures: measuresOf(0) }
      if (study.ordinal === 8 && side === 0) return { ...item, measures: { ...measuresOf(2), thumbnail: measuresOf(2).thumbnail.map((value) => Math.round(value * 0.9)) } }
      return { ...item, measures: measuresOf(study.ordinal + side) }
    }),
  }))
  const print = fingerprintSchema.parse(readFingerprint(store, { cohortId, weightsDir }))
  expect(print).toMatchObject({ patients: 30, studies: 60, items: 180, patientsWithSeveralStudies: 30, unmeasured: 0 })
  // Every third lacks the left eye, every fifth the note, one right eye cannot be read.
  expect(print.slots.map(({ present }) => present)).toEqual([59, 40, 48])
  expect(print.patterns.reduce((sum, { studies }) => sum + studies, 0)).toBe(60)
  expect(print.patterns.find(({ pattern }) => pattern === 'right-eye+left-eye+notes')).toMatchObject({ studies: 32 })
  expect(print.sites).toEqual([{ name: 'Site AAAA', patients: 15, studies: 30 }, { name: 'Site BBBB', patients: 15, studies: 30 }])
  expect(print.text).toMatchObject({ studies: 48, limit: 64, truncated: 1, longest: 82, unknownTokenShare: 0 })
  expect(print.images[0]).toMatchObject({ slotId: 'right-eye', measured: 59, colourCount: 59 })
  expect(print.labels[0]).toMatchObject({ positives: 15, negatives: 45, unknown: 0, positivePatients: 15 })
  expect(print.coOccurrence.counts[0]![0]).toBe(15)
  expect(print.duplicates).toMatchObject({ groupCount: 1, acrossPatients: 1 })
  expect(print.nearDuplicates).toMatchObject({ acrossPatients: 1, withinPatient: 0 })
  expect(print.unreadable).toMatchObject([{ slotId: 'right-eye', detail: 'The file is damaged.', count: 1, patientKeys: ['P00004'] }])
  expect(print.missingness.tests.length).toBeGreaterThan(0)
  // The same cohort, the same numbers.
  expect(readFingerprint(store, { cohortId, weightsDir })).toEqual(print)
  store.close()
})
