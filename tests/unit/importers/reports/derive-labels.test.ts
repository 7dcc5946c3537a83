import { join } from 'node:path'
import { expect, it } from 'vitest'
import { mappingSchema, withPrivacy, type Mapping } from '../../../../engine/domain/mapping.ts'
import { checkImport } from '../../../../engine/importers/check.ts'
import { previewImport } from '../../../../engine/importers/preview.ts'
import { runImport } from '../../../../engine/importers/run-import.ts'
import { slotWarnings } from '../../../../engine/jobs/slot-warnings.ts'
import { shippedRules } from '../../../../engine/labeller/rules.ts'
import { openTestStore } from '../../store/fixtures.ts'
import { createContext, makeFolder, writeFiles } from '../helpers.ts'

const reports = [
  ['1', 'Findings: Small left effusion seen by Dr Jane Miller. No pneumothorax.', '1'],
  ['2', 'Findings: The lungs are clear. Impression: Possible pneumonia.', '0'],
  ['3', 'Indication: effusion', '0'],
  ['4', '', '1'],
] as const

async function makeSource(changes: Partial<NonNullable<Mapping['reportLabels']>> = {}) {
  const folder = await makeFolder()
  await writeFiles(folder, { 'table.csv': `id,report,ill\n${reports.map(([id, report, ill]) => `${id},"${report}",${ill}`).join('\n')}\n` })
  const mapping = mappingSchema.parse({
    patientIdColumn: 'id', slots: [{ slot: { slotId: 'report', modality: 'text', title: 'Report', letter: 'R' }, source: { kind: 'template', template: '{report}' } }],
    labels: { kind: 'one-hot', columns: [{ column: 'ill', name: 'Ill' }] },
    reportLabels: { slotIds: ['report'], findings: ['effusion', 'pneumothorax', 'pneumonia'], ...changes },
  })
  return { source: { sourceDir: folder, tableFile: join(folder, 'table.csv'), sheet: null }, mapping, pseudonymKey: 'key' }
}

const importInto = async (changes?: Parameters<typeof makeSource>[0]) => {
  const request = await makeSource(changes)
  const store = openTestStore()
  const cohortId = store.cohorts.create({ name: 'Chest', source: request.source, mapping: request.mapping })
  const context = createContext((data) => {
    if (data.kind === 'import-start') store.imports.setStart(cohortId, data.start)
    else if (data.kind === 'import-batch') store.imports.addBatch(cohortId, data.studies, data.nextOrdinal)
  })
  await runImport({ ...request, mapping: withPrivacy(request.mapping), fromOrdinal: 0, tableSha256: null }, context)
  store.imports.finish(cohortId)
  const values = store.patients.listStudyIds({ cohortId }).map((studyId) => store.patients.getStudy(studyId)).sort((a, b) => a.ordinal - b.ordinal).map(({ labels }) => labels.map(({ value }) => value))
  return { store, cohortId, values }
}

it('stands derived labels beside those of the table, each with its name, its source and its policy', async () => {
  const { store, cohortId, values } = await importInto()
  expect(store.cohorts.get(cohortId).labels.map(({ name, derivedFrom }) => [name, derivedFrom ?? null])).toEqual([
    ['Ill', null], ['Pleural effusion (derived)', ['report']], ['Pneumonia (derived)', ['report']], ['Pneumothorax (derived)', ['report']],
  ])
  // Named, in doubt, not named, only asked for, no report at all.
  expect(values).toEqual([[1, 1, 0, 0], [0, 0, null, 0], [0, null, null, null], [1, null, null, null]])
})

it('follows the policies for doubt and silence', async () => {
  expect((await importInto({ uncertain: 'positive', unmentioned: 'unknown' })).values).toEqual([[1, 1, null, 0], [0, null, 1, null], [0, null, null, null], [1, null, null, null]])
})

it('keeps the sentence behind a label without the name that stood in it', async () => {
  const { store, cohortId } = await importInto()
  const study = store.patients.listStudyIds({ cohortId }).map((studyId) => store.patients.getStudy(studyId)).find(({ ordinal }) => ordinal === 0)!
  const effusion = study.evidence!.find(({ finding }) => finding === 'effusion')!
  expect(effusion).toMatchObject({ outcome: 'positive', mentions: [{ slotId: 'report', section: 'findings', sentence: 'Small left effusion seen by Dr [NAME].', outcome: 'positive' }] })
  const [{ sentence, start, end }] = effusion.mentions as [typeof effusion.mentions[number]]
  expect(sentence.slice(start, end)).toBe('effusion')
  expect(study.evidence!.find(({ finding }) => finding === 'pneumothorax')!.mentions[0]!.because).toMatchObject({ kind: 'negation-before' })
})

it('counts in the check and the preview what the import will store', async () => {
  const request = await makeSource()
  const check = await checkImport(request, createContext())
  expect(check.derived).toMatchObject({ reportCount: 2, counts: [{ finding: 'effusion', positive: 1, unmentioned: 1, noReport: 2 }, { finding: 'pneumonia', uncertain: 1 }, { finding: 'pneumothorax', negative: 1 }] })
  expect(check.labelCounts.find(({ name }) => name === 'Pneumonia (derived)')).toMatchObject({ positives: 0, negatives: 1, unknown: 3 })
  const preview = await previewImport({ ...request, limit: 50 }, createContext())
  expect(preview.derived?.samples.map(({ row, finding }) => [row, finding])).toContainEqual([2, 'effusion'])
})

it('fits a further delivery to the labels of its cohort, derived ones included', async () => {
  const request = await makeSource()
  const names = ['Ill', 'Pleural effusion (derived)', 'Pneumonia (derived)', 'Pneumothorax (derived)']
  const check = await checkImport({ ...request, knownLabels: { names, leaveOutNew: false } }, createContext())
  expect(check.labelCounts.map(({ name, positives }) => [name, positives])).toEqual([['Ill', 2], ['Pleural effusion (derived)', 1], ['Pneumonia (derived)', 0], ['Pneumothorax (derived)', 0]])
  expect(check.issues.filter(({ severity }) => severity === 'blocks')).toEqual([])
})

it('reads with the user\'s own phrases and without those that were turned off', async () => {
  const { values } = await importInto({
    findings: ['effusion', 'small-thing'], ownFindings: [{ id: 'small-thing', title: 'Small thing' }],
    edits: [{ list: 'finding', finding: 'effusion', kind: 'terms', phrase: 'effusion', change: 'off' }, { list: 'finding', finding: 'small-thing', kind: 'terms', phrase: 'small left', change: 'add' }],
  })
  expect(values[0]).toEqual([1, 0, 1])
})

it('warns of the text that the labels of a run were made from, whatever its words', async () => {
  const { store, cohortId } = await importInto()
  const { labels, slots } = store.cohorts.get(cohortId)
  expect(slotWarnings(slots, [], labels)[0]?.text).toMatch(/by construction: 3 of the 4 labels were derived from this very text/)
  expect(slotWarnings(slots, [], labels.slice(0, 1))).toEqual([])
})

it.each([
  ['an item that is no text', { slotIds: ['photo'] }], ['a finding that nobody knows', { findings: ['effusion', 'sadness'] }],
])('refuses %s', async (_, changes) => {
  await expect(checkImport(await makeSource(changes), createContext())).rejects.toMatchObject({ code: 'IMPORT_MAPPING_INVALID' })
})

it('does not go on with other rules than it began with', async () => {
  const request = await makeSource({ version: 'rules of another version' })
  await expect(runImport({ ...request, fromOrdinal: 2, tableSha256: null }, createContext())).rejects.toMatchObject({ code: 'IMPORT_RULES_CHANGED' })
  await expect(checkImport(request, createContext())).resolves.toMatchObject({ issues: expect.arrayContaining([expect.objectContaining({ code: 'IMPORT_RULES_CHANGED' })]) as unknown })
  expect(shippedRules().version).toMatch(/^[0-9a-f]{64}$/)
})
