import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { writePredictions } from '../../../engine/jobs/export-predictions.ts'
import { alarmsOf } from '../../../engine/jobs/run-alarms.ts'
import { suggestRun } from '../../../engine/jobs/suggest-run.ts'
import { addRun, createEmptyCohort, makeBlock, makeStart, makeStudy, openTestStore, summary, temporaryFolder } from '../store/fixtures.ts'

/** Eyes with one label of the table and one that was derived from the notes. */
function makeCohort() {
  const store = openTestStore()
  const cohortId = createEmptyCohort(store)
  store.imports.setStart(cohortId, makeStart(40, { labelNames: ['glaucoma', 'cataract (derived)'], derivedLabels: [{ name: 'cataract (derived)', slotIds: ['notes'] }] }))
  const mention = { slotId: 'notes', section: 'none' as const, sentence: 'Cataract.', start: 0, end: 8, outcome: 'positive' as const, because: null }
  store.imports.addBatch(cohortId, Array.from({ length: 40 }, (_, i) => ({ ...makeStudy(i), evidence: [{ finding: 'cataract', label: 'cataract (derived)', outcome: 'positive' as const, mentions: [mention] }] })), 40)
  store.imports.finish(cohortId)
  return { store, cohortId }
}

it('marks derived labels in the exported predictions', () => {
  const { store, cohortId } = makeCohort()
  const runId = addRun(store, cohortId)
  store.runs.setStatus(runId, 'running')
  store.predictions.addBlock(runId, makeBlock(store.patients.listStudyIds({ cohortId }).slice(0, 4)), store.cohorts.get(cohortId).labels.map(({ labelId }) => labelId))
  store.runs.finish(runId, summary)
  const file = join(temporaryFolder(), 'out.csv')
  writePredictions({ store }, runId, file)
  const [head, ...lines] = readFileSync(file, 'utf8').trim().split(/\r?\n/).map((line) => line.split(','))
  const [label, source] = [head!.indexOf('label'), head!.indexOf('label_source')]
  expect(new Set(lines.map((cells) => `${cells[label]}: ${cells[source]}`))).toEqual(new Set(['glaucoma: table', 'cataract (derived): derived from report']))
})

it('suggests what people wrote and leaves out the text that gives derived labels away', () => {
  const { store, cohortId } = makeCohort()
  const { config, slotWarnings } = suggestRun({ store }, cohortId)
  expect(config.labelIds).toEqual([store.cohorts.get(cohortId).labels[0]!.labelId])
  expect(config.slotIds).not.toContain('notes')
  expect(slotWarnings).toMatchObject([{ slotId: 'notes', text: expect.stringContaining('1 of the 2 labels were derived') as string }])
})

it('says it of a run that reads the text and learns the derived label, and of no other', () => {
  const { store, cohortId } = makeCohort()
  const [written, derived] = store.cohorts.get(cohortId).labels.map(({ labelId }) => labelId)
  const toldOf = (labelIds: number[], slotIds: string[]) => alarmsOf(store, addRun(store, cohortId, { labelIds, slotIds })).filter((text) => text.includes('by construction'))
  expect(toldOf([derived!], ['notes'])).toHaveLength(1)
  expect(toldOf([written!], ['notes'])).toEqual([])
  expect(toldOf([derived!], ['right-eye'])).toEqual([])
})

it('keeps the sentences with the study', () => {
  const { store, cohortId } = makeCohort()
  const study = store.patients.getStudy(store.patients.listStudyIds({ cohortId })[0]!)
  expect(study.evidence).toMatchObject([{ label: 'cataract (derived)', mentions: [{ sentence: 'Cataract.' }] }])
})
