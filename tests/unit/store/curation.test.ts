import { describe, expect, it } from 'vitest'
import type { DecisionDraft } from '../../../engine/domain/curation.ts'
import { runConfigSchema } from '../../../engine/domain/run.ts'
import { includeStudies } from '../../../engine/jobs/alarms/curate.ts'
import { summariseMaterial } from '../../../engine/jobs/run-material.ts'
import { planRun, assignmentsOf } from '../../../engine/jobs/planning/plan-run.ts'
import { handOverSpec, trainingSpecOf } from '../../../engine/jobs/planning/training-spec.ts'
import type { Store } from '../../../engine/store/open.ts'
import { readInPlace } from '../jobs/reader-in-place.ts'
import { join } from 'node:path'
import { readFileSync } from 'node:fs'
import { addCohort, addRun, makeBlock, openTestStore, sha256, slots, storeSplit, temporaryFolder, textItem } from './fixtures.ts'

const by = { effect: 'as said', reason: 'a test', madeBy: 'tester' }
const undoneBy = { reason: '', undoneBy: 'tester' }

function prepare() {
  const store = openTestStore()
  const cohortId = addCohort(store, 60, 'Eyes', (study) => ({ ...study, items: [...study.items.slice(0, 2), textItem('notes', `note ${study.ordinal}, early Glaucoma suspected`)] }))
  const decide = (draft: DecisionDraft) => store.curation.decide(cohortId, { draft, ...by }).decisionId
  const all = () => store.patients.trainingStudies(cohortId, slots.map(({ slotId }) => slotId), store.cohorts.get(cohortId).labels.map(({ labelId }) => labelId))
  const hash = () => store.cohorts.get(cohortId).curation.effectiveHash
  return { store, cohortId, decide, all, hash }
}

function configOf(store: Store, cohortId: number) {
  return runConfigSchema.parse({ cohortId, name: 'Run', slotIds: slots.map(({ slotId }) => slotId), labelIds: store.cohorts.get(cohortId).labels.map(({ labelId }) => labelId), split: { kind: 'k-fold', folds: 4 } })
}

/** Stores a run with its split as a start does. */
function begin(store: Store, cohortId: number) {
  const config = configOf(store, cohortId)
  const plan = planRun({ store }, config)
  const runId = store.runs.insert({ config, codeVersion: 'test' })
  store.runs.setMissingness(runId, plan.missingness)
  storeSplit(store, runId, assignmentsOf(plan), plan.studyIds, plan.proof)
  return { runId, plan }
}

const places = { runDir: '', cacheDir: '', weightsDir: '', backbones: [] }

describe('decisions over a cohort', () => {
  it('leave the imported rows as they are, change the hash, and give it back when they are undone', () => {
    const { store, cohortId, decide, hash } = prepare()
    const { contentHash } = store.cohorts.get(cohortId)
    expect(hash()).toBe(contentHash)
    const [first] = store.patients.trainingStudies(cohortId, ['notes'], [])
    const decisionId = decide({ kind: 'exclude-studies', studyIds: [first!.studyId] })
    const excluded = hash()
    expect(excluded).not.toBe(contentHash)
    expect(store.cohorts.get(cohortId)).toMatchObject({ contentHash, studyCount: 60, curation: { decisionCount: 1, excludedStudyCount: 1 } })
    store.curation.undo(decisionId, undoneBy)
    expect(hash()).toBe(contentHash)
    expect(store.patients.trainingStudies(cohortId, ['notes'], [])).toHaveLength(60)
    decide({ kind: 'exclude-studies', studyIds: [first!.studyId] })
    expect(hash()).toBe(excluded)
    expect(() => store.curation.undo(decisionId, undoneBy)).toThrow(expect.objectContaining({ code: 'CURATION_UNDONE' }))
    expect(store.curation.list(cohortId).map(({ undo }) => undo === null)).toEqual([true, false])
    expect(store.audit.list().map(({ event }) => event).filter((event) => event.startsWith('curation'))).toEqual(['curation.decided', 'curation.undone', 'curation.decided'])
    expect(store.audit.verify().isIntact).toBe(true)
  })

  it('are refused when they name what the cohort does not have', () => {
    const { store, cohortId, decide, all } = prepare()
    const other = addCohort(store, 4, 'Others')
    const foreign = store.patients.trainingStudies(other, ['notes'], [])[0]!.studyId
    const bad: DecisionDraft[] = [
      { kind: 'mask-words', slotId: 'right-eye', words: ['glaucoma'] }, { kind: 'drop-slot', slotId: 'ear' }, { kind: 'exclude-studies', studyIds: [foreign] },
      { kind: 'exclude-studies', studyIds: [all()[0]!.studyId, all()[0]!.studyId] }, { kind: 'merge-patients', groups: [['P00001', 'P99999']] }, { kind: 'merge-patients', groups: [['P00001', 'P00001']] },
      { kind: 'exclude-items', items: [{ studyId: all()[0]!.studyId, slotId: 'ear' }] },
    ]
    for (const draft of bad) expect(() => decide(draft)).toThrow(expect.objectContaining({ code: 'CURATION_INVALID' }))
    decide({ kind: 'drop-slot', slotId: 'notes' })
    decide({ kind: 'drop-slot', slotId: 'left-eye' })
    expect(() => decide({ kind: 'drop-slot', slotId: 'right-eye' })).toThrow(expect.objectContaining({ code: 'CURATION_INVALID' }))
    expect(store.curation.list(cohortId)).toHaveLength(2)
  })

  it('mask words before anything reads the text, under a hash of its own', () => {
    const { store, cohortId, decide, all } = prepare()
    const before = all().map(({ items }) => items.find(({ slotId }) => slotId === 'notes')!)
    decide({ kind: 'mask-words', slotId: 'notes', words: ['GLAUCOMA', 'early'] })
    const after = all().map(({ items }) => items.find(({ slotId }) => slotId === 'notes')!)
    expect(after[0]!.text).toBe('note 0, suspected')
    expect(after.every(({ text, sha256: hash }, i) => hash === sha256(text!) && hash !== before[i]!.sha256 && !/glaucoma|early/i.test(text!))).toBe(true)
    const detail = store.patients.getStudy(all()[3]!.studyId)
    expect(detail.items[2]).toMatchObject({ text: 'note 3, suspected', textParts: [{ text: 'note 3, ', isMasked: false }, { text: 'early Glaucoma', isMasked: true }, { text: ' suspected', isMasked: false }] })
    const file = join(temporaryFolder(), 'request')
    handOverSpec({ store }, { runId: begin(store, cohortId).runId, places, requestFile: file })
    expect(readFileSync(file).toString('latin1')).not.toMatch(/glaucoma suspected|early/i)
  })

  it('keep merged patients on one side of every fold, and count them as one', () => {
    const { store, cohortId, decide, all } = prepare()
    const keys = [...new Set(all().map(({ patientKey }) => patientKey))]
    // Chains: 0 with 1, 1 with 2, and so on over ten keys.
    decide({ kind: 'merge-patients', groups: Array.from({ length: 9 }, (_, i) => [keys[i]!, keys[i + 1]!]) })
    expect(new Set(all().map(({ patientId }) => patientId)).size).toBe(keys.length - 9)
    const { plan, runId } = begin(store, cohortId)
    expect(plan.proof.patientCount).toBe(keys.length - 9)
    const merged = new Set(all().filter(({ patientKey }) => patientKey === keys[0]).map(({ studyId }) => studyId))
    expect(merged.size).toBe(20)
    for (const sides of assignmentsOf(plan)) expect(new Set(plan.studyIds.flatMap((studyId, i) => (merged.has(studyId) ? [sides[i]] : []))).size).toBe(1)
    expect(store.patients.getStudy([...merged][5]!)).toMatchObject({ personKeys: keys.slice(0, 10), siblingStudyIds: { length: 19 } })
    const labelIds = store.cohorts.get(cohortId).labels.map(({ labelId }) => labelId)
    store.predictions.addBlock(runId, makeBlock([...merged]), labelIds)
    expect(new Set(store.predictions.forRun(runId).patientIds).size).toBe(1)
    expect(new Set([...store.predictions.exportRows(runId)].map(({ patientKey }) => patientKey))).toEqual(new Set([keys[0]]))
  })

  it('refuse to store a split that puts a merged person on two sides', () => {
    const { store, cohortId, decide, all } = prepare()
    const { plan } = begin(store, cohortId)
    const keys = [...new Set(all().map(({ patientKey }) => patientKey))]
    decide({ kind: 'merge-patients', groups: [keys] })
    const runId = addRun(store, cohortId)
    expect(() => storeSplit(store, runId, assignmentsOf(plan), plan.studyIds, plan.proof)).toThrow('merged person')
    expect(store.runs.get(runId).splitHash).toBeNull()
  })

  it('keep excluded studies and items out of every fold, count and pattern, and list them as excluded', () => {
    const { store, cohortId, decide, all } = prepare()
    const [a, b, c] = all().map(({ studyId }) => studyId)
    const before = store.cohorts.labelCounts(cohortId)[0]!
    decide({ kind: 'exclude-studies', studyIds: [a!, b!] })
    decide({ kind: 'exclude-items', items: [{ studyId: c!, slotId: 'left-eye' }] })
    const { plan, runId } = begin(store, cohortId)
    expect(plan.studyIds).toHaveLength(58)
    expect(plan.studyIds).not.toContain(a)
    expect(store.runs.getSplit(runId)!.studyIds).not.toContain(b)
    expect(trainingSpecOf({ store, paths: { runsDir: '/r', cacheDir: '/c', weightsDir: '/w', backbonesDir: '/b', storeFile: '/s', handoverDir: '/h' } }, runId).studies.map(({ studyId }) => studyId)).not.toContain(a)
    expect(all().find(({ studyId }) => studyId === c)).toMatchObject({ pattern: 'right-eye+notes' })
    const after = store.cohorts.labelCounts(cohortId)[0]!
    expect(after.positives + after.negatives + after.unknown).toBe(58)
    expect(after.positives).toBe(before.positives - 1)
    expect(store.cohorts.patternCounts(cohortId).reduce((sum, { count }) => sum + count, 0)).toBe(58)
    const listed = store.patients.listStudies({ cohortId, isExcluded: true })
    expect(listed.total).toBe(2)
    expect(listed.rows[0]).toMatchObject({ isExcluded: true, pattern: '' })
    expect(listed.rows[0]!.presence.some(({ reason }) => reason === 'excluded')).toBe(true)
    // Its own page still shows what it holds: whoever is to judge the exclusion must see it.
    expect(store.patients.getStudy(b!)).toMatchObject({ isExcluded: true, pattern: 'right-eye+left-eye+notes' })
    expect(store.patients.listStudies({ cohortId, isExcluded: false }).total).toBe(58)
    expect(store.patients.getStudy(c!).items[1]).toMatchObject({ isPresent: false, reason: 'excluded' })
  })
})

describe('a run', () => {
  it('keeps the decisions that it was planned under: it does not go on under others, and is read under its own', () => {
    const { store, cohortId, decide, all } = prepare()
    const keys = [...new Set(all().map(({ patientKey }) => patientKey))]
    const merge = decide({ kind: 'merge-patients', groups: [keys.slice(0, 2)] })
    const { runId } = begin(store, cohortId)
    expect(store.runs.get(runId).cohortHash).toBe(store.cohorts.get(cohortId).curation.effectiveHash)
    const file = join(temporaryFolder(), 'request')
    expect(handOverSpec({ store }, { runId, places, requestFile: file })).toEqual({ studyCount: 60, laterStudyCount: 0 })
    store.curation.undo(merge, undoneBy)
    const late = decide({ kind: 'exclude-studies', studyIds: [all()[0]!.studyId] })
    expect(() => handOverSpec({ store }, { runId, places, requestFile: file })).toThrow(expect.objectContaining({ code: 'RUN_COHORT_CHANGED' }))
    expect(store.curation.ofRun(runId).map(({ decisionId }) => decisionId)).toEqual([merge])
    const recorded = store.patients.trainingStudies(cohortId, ['notes'], [], runId)
    expect(recorded).toHaveLength(60)
    expect(new Set(recorded.slice(0, 4).map(({ patientId }) => patientId)).size).toBe(1)
    store.curation.undo(late, undoneBy)
    decide({ kind: 'merge-patients', groups: [keys.slice(0, 2)] })
    expect(handOverSpec({ store }, { runId, places, requestFile: join(temporaryFolder(), 'again') })).toEqual({ studyCount: 60, laterStudyCount: 0 })
  })

  it('cannot use a modality that is left out', () => {
    const { store, cohortId, decide } = prepare()
    decide({ kind: 'drop-slot', slotId: 'notes' })
    expect(() => planRun({ store }, configOf(store, cohortId))).toThrow(expect.objectContaining({ code: 'CURATION_INVALID' }))
    expect(() => addRun(store, cohortId)).toThrow(expect.objectContaining({ code: 'CURATION_INVALID' }))
    expect(store.cohorts.patternCounts(cohortId).every(({ pattern }) => !pattern.includes('notes'))).toBe(true)
  })
})

describe('a patient that is excluded and included again', () => {
  it('leaves runs that start later, keeps its own reason, and counts again without freeing others', async () => {
    const { store, cohortId, all, hash } = prepare()
    const { contentHash } = store.cohorts.get(cohortId)
    const before = begin(store, cohortId)
    const studyIds = all().map(({ studyId }) => studyId)
    // Studies 0 and 1 are of one patient; the first decision names another one too.
    const many = store.curation.decide(cohortId, { draft: { kind: 'exclude-studies', studyIds: [studyIds[0]!, studyIds[2]!] }, effect: 'as said', reason: 'blurred', madeBy: 'ann' }).decisionId
    const own = store.curation.decide(cohortId, { draft: { kind: 'exclude-studies', studyIds: [studyIds[0]!, studyIds[1]!] }, effect: 'as said', reason: 'withdrew consent', madeBy: 'ben' }).decisionId
    expect(store.curation.exclusionOf(cohortId, studyIds[0]!)).toMatchObject({ decisionId: own, reason: 'withdrew consent', madeBy: 'ben', decisionCount: 2 })
    expect(store.curation.exclusionOf(cohortId, studyIds[3]!)).toBeNull()
    expect(summariseMaterial({ store }, configOf(store, cohortId)).warnings).toContain('3 studies of 2 patients are excluded by decisions: neither trained on nor counted.')
    const between = begin(store, cohortId)
    expect(between.plan.studyIds).toHaveLength(57)
    expect(store.curation.standingOf(between.runId)).toEqual({ excludedStudies: 3, excludedPatients: 2, decidedSince: [], undoneSince: [] })
    expect(store.curation.standingOf(before.runId)).toMatchObject({ excludedStudies: 0, decidedSince: [{ decisionId: many, what: 'Exclude 2 studies' }, { decisionId: own }], undoneSince: [] })

    expect(await includeStudies({ store, reader: readInPlace(store) }, cohortId, [studyIds[0]!, studyIds[1]!], 'consent found')).toEqual({ undone: 2, remade: 1 })
    expect(store.patients.listStudies({ cohortId, isExcluded: true }).rows.map(({ studyId }) => studyId)).toEqual([studyIds[2]])
    expect(store.curation.exclusionOf(cohortId, studyIds[2]!)).toMatchObject({ reason: 'blurred', decisionCount: 1 })
    expect(store.curation.list(cohortId).map(({ undo }) => undo?.reason ?? null)).toEqual([null, 'consent found', 'consent found'])
    expect(store.audit.list().slice(0, 3).map(({ event }) => event).sort()).toEqual(['curation.decided', 'curation.undone', 'curation.undone'])
    expect(begin(store, cohortId).plan.studyIds).toHaveLength(59)
    // What a run was planned under stays: its studies and what it left out.
    expect(store.runs.getSplit(between.runId)!.studyIds).toHaveLength(57)
    expect(store.curation.standingOf(between.runId)).toMatchObject({ excludedStudies: 3, undoneSince: [{ decisionId: many }, { decisionId: own }], decidedSince: [{ what: 'Exclude 1 study' }] })
    await includeStudies({ store, reader: readInPlace(store) }, cohortId, [studyIds[2]!], '')
    expect(hash()).toBe(contentHash)
    expect(store.audit.verify().isIntact).toBe(true)
  })

  it('changes nothing when a step of it fails', async () => {
    const { store, cohortId, decide, all } = prepare()
    const studyIds = all().map(({ studyId }) => studyId)
    decide({ kind: 'exclude-studies', studyIds: studyIds.slice(0, 4) })
    const failing = { ...store, curation: { ...store.curation, decide: () => { throw new Error('the disk is full') } } }
    await expect(includeStudies({ store: failing, reader: readInPlace(store) }, cohortId, [studyIds[0]!], '')).rejects.toThrow('the disk is full')
    expect(store.patients.listStudies({ cohortId, isExcluded: true }).total).toBe(4)
    expect(store.curation.list(cohortId).every(({ undo }) => undo === null)).toBe(true)
  })
})

describe('a decision worked out beforehand', () => {
  it('leads to the hash that it said, and is worked out anew when somebody decided meanwhile', () => {
    const { store, cohortId, all, decide, hash } = prepare()
    const [a, b] = all().map(({ studyId }) => studyId)
    const drafts: DecisionDraft[] = [{ kind: 'exclude-studies', studyIds: [a!] }, { kind: 'mask-words', slotId: 'notes', words: ['early'] }, { kind: 'exclude-items', items: [{ studyId: b!, slotId: 'left-eye' }] }, { kind: 'merge-patients', groups: [['P00003', 'P00004']] }]
    for (const draft of drafts) {
      const prepared = store.curation.prepare(cohortId, draft)
      const { decisionId } = store.curation.decide(cohortId, { draft, ...by }, prepared)
      expect(hash()).toBe(prepared.cohortHash)
      const undo = store.curation.prepareUndo(decisionId)
      store.curation.undo(decisionId, undoneBy, undo)
      expect(hash()).toBe(undo.cohortHash)
      store.curation.decide(cohortId, { draft, ...by })
      expect(hash()).toBe(prepared.cohortHash)
    }
    const late = store.curation.prepare(cohortId, { kind: 'drop-slot', slotId: 'notes' })
    decide({ kind: 'drop-slot', slotId: 'left-eye' })
    decide({ kind: 'drop-slot', slotId: 'notes' })
    // Prepared while two modalities were left: what stands now refuses it.
    expect(() => store.curation.decide(cohortId, { draft: { kind: 'drop-slot', slotId: 'right-eye' }, ...by }, late)).toThrow(expect.objectContaining({ code: 'CURATION_INVALID' }))
    const [newest] = store.audit.list(1)
    expect(newest!.details['cohortHash']).toBe(hash())
  })
})
