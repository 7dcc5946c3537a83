import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Fingerprint } from '../../../engine/domain/fingerprint.ts'
import type { ImageMeasures } from '../../../engine/domain/image-measures.ts'
import { studyListQuerySchema, type StudyFilterInput } from '../../../engine/domain/records.ts'
import { selectionSchema, type Selection } from '../../../engine/domain/selection.ts'
import { readFingerprint } from '../../../engine/jobs/fingerprint/read-fingerprint.ts'
import { studiesOfFilter } from '../../../engine/jobs/fingerprint/selections.ts'
import type { Store } from '../../../engine/store/open.ts'
import { addCohort, makeStudy, openTestStore, sha256 } from '../store/fixtures.ts'

const weightsDir = process.env.LACUNA_WEIGHTS ?? ''
const hasVocabulary = existsSync(join(weightsDir, 'minilm', 'tokenizer.json'))

function measuresOf(seed: number): ImageMeasures {
  let state = seed * 7919 + 1
  const next = (): number => (state = (state * 48271) % 2147483647)
  const thumbnail = Uint8Array.from({ length: 1024 }, () => next() % 256)
  return {
    widthPx: 200 + 10 * (seed % 9), heightPx: 150 + (seed % 40), byteSize: 1000 + seed, format: seed % 4 === 0 ? 'png' : 'jpeg', channels: seed % 5 === 0 ? 1 : 3,
    meanLuminance: (seed * 1.7) % 256, sdLuminance: seed % 13 === 0 ? 3 : 30 + (seed % 90) / 1.3,
    perceptualHash: Array.from({ length: 16 }, () => (next() % 16).toString(16)).join(''), border: new Float32Array(28), thumbnail,
  }
}

const patientOf = (ordinal: number): string => `P${String(ordinal < 60 ? ordinal >> 1 : ordinal - 30).padStart(5, '0')}`

/**
 * 160 studies: 30 patients with two, 100 with one. Files that occur twice, near-duplicates, files that cannot be read, several places, some of
 * them small; then two studies excluded, a modality of one study excluded, three patients merged.
 */
function prepare(): { store: Store; cohortId: number } {
  const store = openTestStore()
  const cohortId = addCohort(store, 160, 'Eyes', ({ ordinal }) => {
    const study = makeStudy(ordinal, { patientKey: patientOf(ordinal), site: ordinal % 10 === 3 ? null : ordinal >= 60 && ordinal % 10 === 6 ? `Site S${ordinal}` : `Site ${'ABC'[ordinal % 3]}`, sex: ordinal % 9 === 0 ? null : ordinal % 2 === 0 ? 'female' : 'male' })
    return {
      ...study,
      items: study.items.map((item) => {
        const isRight = item.slotId === 'right-eye'
        if (isRight && ordinal % 23 === 7) return { ...item, isPresent: false, reason: 'unreadable' as const, detail: `The file is damaged (${ordinal % 2}).`, sourcePath: null, sha256: null, byteSize: null, widthPx: null, heightPx: null }
        if (!item.isPresent) return item
        if (item.slotId === 'notes') return { ...item, text: ordinal % 31 === 1 ? 'word '.repeat(80).trim() : 'a short note' }
        const seed = ordinal + (isRight ? 0 : 1000)
        if (isRight && [10, 11, 64, 90].includes(ordinal)) return { ...item, sha256: sha256(ordinal < 60 ? 'twice' : 'other twice'), measures: measuresOf(ordinal < 60 ? 10 : 64) }
        if (isRight && (ordinal === 70 || ordinal === 15)) return { ...item, measures: { ...measuresOf(ordinal === 70 ? 2 : 14), thumbnail: measuresOf(ordinal === 70 ? 2 : 14).thumbnail.map((value) => Math.round(value * 0.9)) } }
        return { ...item, measures: measuresOf(seed) }
      }),
    }
  })
  const [a, b, c] = [20, 101, 102].map((ordinal) => store.cohorts.columns(cohortId).studyIds[ordinal]!)
  const by = { effect: 'as said', reason: '', madeBy: 'tester' }
  store.curation.decide(cohortId, { draft: { kind: 'exclude-studies', studyIds: [a!, b!] }, ...by })
  store.curation.decide(cohortId, { draft: { kind: 'exclude-items', items: [{ studyId: c!, slotId: 'right-eye' }] }, ...by })
  store.curation.decide(cohortId, { draft: { kind: 'merge-patients', groups: [[patientOf(0), patientOf(70), patientOf(100)]] }, ...by })
  return { store, cohortId }
}

interface Cell { name: string; count: number; unit: 'patients' | 'total'; filter: Omit<StudyFilterInput, 'cohortId'> }

/** Every number of the fingerprint that stands for patients or studies, as the page opens it. */
function cellsOf(print: Fingerprint): Cell[] {
  const cells: Cell[] = []
  const add = (count: number, unit: Cell['unit'], selection: Selection): void => void cells.push({ name: JSON.stringify(selection).slice(0, 160), count, unit, filter: { selection: selectionSchema.parse(selection) } })
  add(print.patients, 'patients', { kind: 'all' })
  add(print.studies, 'total', { kind: 'all' })
  add(print.patientsWithSeveralStudies, 'patients', { kind: 'several-studies' })
  for (const { name, patients } of print.sexes) add(patients, 'patients', { kind: 'sex', sex: name })
  print.ages?.histogram.counts.forEach((count, index) => add(count, 'patients', { kind: 'age', edges: print.ages!.histogram.edges, index }))
  for (const { name, patients, studies } of print.sites) {
    add(patients, 'patients', { kind: 'site', site: name })
    add(studies, 'total', { kind: 'site', site: name })
  }
  for (const { slot: { slotId }, present, patientsWithout, absences } of print.slots) {
    add(present, 'total', { kind: 'present', slotId })
    add(patientsWithout, 'patients', { kind: 'patients-without', slotId })
    for (const { reason, count } of absences) add(count, 'total', { kind: 'absent', slotId, reason })
  }
  for (const { pattern, studies, patients } of print.patterns) {
    cells.push({ name: `pattern ${pattern}`, count: studies, unit: 'total', filter: { pattern, isExcluded: false } }, { name: `patients of pattern ${pattern}`, count: patients, unit: 'patients', filter: { pattern, isExcluded: false } })
  }
  for (const { slotId, factor, groups } of print.missingness.tests) for (const { name, patients, lacking } of groups) {
    const group = { kind: 'group', slotId, factor: factor.kind, labelId: factor.labelId, group: name } as const
    add(patients, 'patients', { ...group, isLacking: false })
    add(lacking, 'patients', { ...group, isLacking: true })
  }
  for (const { labelId, positives, negatives, unknown, positivePatients } of print.labels) {
    for (const [reference, count] of [['positive', positives], ['negative', negatives], ['unknown', unknown]] as const) cells.push({ name: `label ${labelId} ${reference}`, count, unit: 'total', filter: { labelId, reference, isExcluded: false } })
    cells.push({ name: `patients of label ${labelId}`, count: positivePatients, unit: 'patients', filter: { labelId, reference: 'positive', isExcluded: false } })
  }
  const { labelIds, counts } = print.coOccurrence
  counts.forEach((row, r) => row.forEach((count, c) => add(count, 'total', { kind: 'labels', labelIds: [labelIds[r]!, labelIds[c]!] })))
  for (const { slotId, measured, sizes, formats, greyCount, colourCount, flatCount, ...histograms } of print.images) {
    const image = (count: number, feature: Extract<Selection, { kind: 'image' }>['feature']): void => add(count, 'total', { kind: 'image', slotId, feature })
    image(measured, { what: 'measured' })
    image(flatCount, { what: 'flat' })
    image(greyCount, { what: 'channels', channels: 1 })
    image(colourCount, { what: 'channels', channels: 3 })
    for (const { name, count } of formats) image(count, { what: 'format', format: name })
    for (const { widthPx, heightPx, count } of sizes) image(count, { what: 'size', widthPx, heightPx })
    for (const measure of ['shorterEdge', 'meanLuminance', 'sdLuminance'] as const) histograms[measure].counts.forEach((count, index) => image(count, { what: 'bin', measure, edges: histograms[measure].edges, index }))
  }
  if (print.text !== null) add(print.text.truncated, 'total', { kind: 'studies', why: 'truncated', studyIds: print.text.truncatedStudyIds })
  for (const { images, patients } of print.duplicates.groups) add(patients, 'patients', { kind: 'same-image', studyId: images[0]!.studyId, slotId: images[0]!.slotId })
  add(print.duplicates.patients, 'patients', { kind: 'duplicates', isAcross: false })
  add(print.duplicates.patientsAcross, 'patients', { kind: 'duplicates', isAcross: true })
  add(print.nearDuplicates.patientsAcross, 'patients', { kind: 'studies', why: 'near-duplicates', studyIds: print.nearDuplicates.acrossStudyIds })
  add(print.nearDuplicates.patientsWithin, 'patients', { kind: 'studies', why: 'near-duplicates-within', studyIds: print.nearDuplicates.withinStudyIds })
  for (const { slotId, detail, count, patients } of print.unreadable) {
    add(count, 'total', { kind: 'unreadable', slotId, detail })
    add(patients, 'patients', { kind: 'unreadable', slotId, detail })
  }
  return cells
}

it.runIf(hasVocabulary)('lists for every number of the fingerprint exactly as many studies or patients as it says', () => {
  const { store, cohortId } = prepare()
  const print = readFingerprint(store, { cohortId, weightsDir })
  const cells = cellsOf(print)
  // What the cohort was made for is in it, or the comparison would be of zeros.
  expect(print).toMatchObject({ studies: 158, patients: 127, duplicates: { groupCount: 2, acrossPatients: 1, patients: 3, patientsAcross: 2 }, nearDuplicates: { patientsAcross: 2, patientsWithin: 1 }, text: { truncated: 5 } })
  expect(print.unreadable.length).toBe(2)
  expect(print.missingness.tests.flatMap(({ groups }) => groups.map(({ name }) => name))).toEqual(expect.arrayContaining(['Site A', 'Other places', 'yes', 'no', 'female', '40 to 59']))
  expect(new Set(cells.map(({ filter }) => filter.selection?.kind))).toEqual(new Set([undefined, ...selectionSchema.options.map((option) => option.shape.kind.value)]))
  const wrong = cells.flatMap(({ name, count, unit, filter }) => {
    const query = studyListQuerySchema.parse({ ...filter, cohortId, limit: 1000 })
    const page = store.patients.listStudies(query, studiesOfFilter(store, query))
    const listed = new Set(page.rows.map(({ personKey, patientKey }) => personKey ?? patientKey))
    const isSound = page[unit] === count && page.rows.length === page.total && listed.size === page.patients && page.rows.every(({ isExcluded }) => !isExcluded)
    return isSound ? [] : [`${name}: ${count} ${unit}, listed ${page.total} studies of ${page.patients} patients`]
  })
  expect(wrong).toEqual([])
  expect(cells.filter(({ count }) => count > 0).length).toBeGreaterThan(150)
})

it('follows what is decided, and never lists what a filter does not ask for', () => {
  const { store, cohortId } = prepare()
  const list = (selection: Selection, more: object = {}) => {
    const query = studyListQuerySchema.parse({ cohortId, selection, ...more })
    return store.patients.listStudies(query, studiesOfFilter(store, query))
  }
  const all = list({ kind: 'all' })
  expect(all.total).toBe(158)
  store.curation.decide(cohortId, { draft: { kind: 'exclude-studies', studyIds: [all.rows[0]!.studyId] }, effect: 'x', reason: '', madeBy: 'tester' })
  expect(list({ kind: 'all' }).total).toBe(157)
  expect(list({ kind: 'all' }, { isExcluded: true }).total).toBe(0)
  expect(list({ kind: 'present', slotId: 'ear' }).total).toBe(0)
  expect(list({ kind: 'patients-without', slotId: 'ear' }).total).toBe(0)
  expect(list({ kind: 'labels', labelIds: [999] }).total).toBe(0)
  // Studies of another cohort are no studies of this one.
  const other = addCohort(store, 10, 'Others')
  expect(list({ kind: 'studies', why: 'truncated', studyIds: [...store.cohorts.columns(other).studyIds] }).total).toBe(0)
  expect(() => store.patients.listStudies({ cohortId, selection: { kind: 'all' } })).toThrow('a selection comes with its studies')
})
