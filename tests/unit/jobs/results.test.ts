import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { RunConfigInput } from '../../../engine/domain/run.ts'
import { writePredictions } from '../../../engine/jobs/export-predictions.ts'
import { evaluateRun } from '../../../engine/jobs/results.ts'
import { slotWarnings } from '../../../engine/jobs/slot-warnings.ts'
import type { Store } from '../../../engine/store/open.ts'
import { assignFolds } from '../../../engine/training/splits/folds.ts'
import { createRng } from '../../../engine/training/rng.ts'
import { addCohort, addRun, createEmptyCohort, makeBlock, makeStart, makeStudy, openTestStore, storeSplit, summary, temporaryFolder } from '../store/fixtures.ts'

/** A finished run with a prediction for each test study under its own pattern (and `alsoUnder`); label 1 follows from the missing left eye, or not. */
function finishedRun(store: Store, options: { isTelling: boolean; adapter?: 'mora' | 'dedicated' | 'text-only'; cohortId?: number; probability?: number; refuses?: (pattern: string) => boolean; studyCount?: number; labelOf?: (ordinal: number) => 0 | 1; changes?: Partial<RunConfigInput> }) {
  const cohortId = options.cohortId ?? addCohort(store, options.studyCount ?? 120, 'Eyes', (study) => ({ ...makeStudy(study.ordinal), patientKey: `P${study.ordinal}`, labels: [options.labelOf?.(study.ordinal) ?? ((options.isTelling ? study.ordinal % 3 : study.ordinal % 4) === 0 ? 1 : 0), study.ordinal % 2 === 0 ? 1 : 0] }))
  const runId = addRun(store, cohortId, { adapter: options.adapter ?? 'mora', ...options.changes })
  const { config } = store.runs.get(runId)
  const studies = store.patients.trainingStudies(cohortId, config.slotIds, config.labelIds)
  const { assignments, proof } = assignFolds(studies, { kind: 'holdout', train: 0.6, val: 0.2, test: 0.2 }, createRng, 1)
  storeSplit(store, runId, assignments, studies.map(({ studyId }) => studyId), proof)
  const test = studies.filter((_, i) => assignments[0]![i] === 'test')
  store.runs.setStatus(runId, 'running')
  const p = options.probability ?? 0.5
  const rows = test.filter(({ pattern }) => options.refuses?.(pattern) !== true).flatMap((study) => [{ study, pattern: study.pattern, isActual: true }, ...(study.pattern.includes('+') && study.pattern.includes('right-eye') ? [{ study, pattern: 'right-eye', isActual: false }] : [])])
  const probabilities = Float32Array.from(rows.flatMap(({ study }) => [...study.labels].map((label) => (Number.isNaN(label) ? 0.5 : label === 1 ? p : 1 - p))))
  store.predictions.addBlock(runId, makeBlock(rows.map(({ study }) => study.studyId), {
    patterns: rows.map(({ pattern }) => pattern), isActual: rows.map(({ isActual }) => isActual), servedBy: rows.map(({ isActual }) => (isActual ? 'trained' : options.adapter === 'dedicated' ? 'trained' : 'extrapolated')),
    probabilities, logits: probabilities.map((value) => value * 4 - 2), thresholds: new Float32Array(config.labelIds.length).fill(0.5),
  }), config.labelIds)
  store.runs.finish(runId, summary)
  return { cohortId, runId, rows }
}

describe('results of a run', () => {
  it('raises the alarm when the missing items alone give a label away, and only then', () => {
    const alarmsOf = (isTelling: boolean) => {
      const store = openTestStore()
      return evaluateRun({ store }, finishedRun(store, { isTelling }).runId, { kind: 'actual' }).alarms
    }
    expect(alarmsOf(false)).toEqual([])
    expect(alarmsOf(true)!.join(' ')).toMatch(/Which items are missing already gives labels away/)
  })

  it('is quiet where small numbers alone look like knowledge', () => {
    const alarms = Array.from({ length: 20 }, (_, seed) => {
      const store = openTestStore()
      const rng = createRng(seed)
      return evaluateRun({ store }, finishedRun(store, { isTelling: false, studyCount: 60, labelOf: () => (rng.uniform() < 0.3 ? 1 : 0) }).runId, { kind: 'actual' }).alarms!
    })
    expect(alarms.filter((list) => list.length > 0).length).toBeLessThan(2)
  })

  it('names a single label that follows from the missing items, however little the mean shows of it', () => {
    const store = openTestStore()
    const rng = createRng(1)
    const { runId } = finishedRun(store, { isTelling: false, studyCount: 1500, labelOf: (ordinal) => (rng.uniform() < (ordinal % 3 === 0 ? 0.7 : 0.35) ? 1 : 0) })
    const { alarms, overall } = evaluateRun({ store }, runId, { kind: 'actual' })
    expect(overall.studyCount).toBeGreaterThan(250)
    expect(alarms!.join(' ')).toMatch(/an AUROC of 0\.6\d for "glaucoma" on the test patients/)
  })

  it('sees in a cross-validation what the missing items tell, though folds lie at different levels, and nothing where they tell nothing', () => {
    const alarmsOf = (seed: number, risk: (ordinal: number) => number) => {
      const store = openTestStore()
      const rng = createRng(seed)
      const cohortId = addCohort(store, 600, 'Folds', (study) => ({ ...makeStudy(study.ordinal), patientKey: `P${study.ordinal}`, labels: [rng.uniform() < risk(study.ordinal) ? 1 : 0, study.ordinal % 2 === 0 ? 1 : 0] }))
      const runId = addRun(store, cohortId, { split: { kind: 'k-fold', folds: 5 } })
      const { config } = store.runs.get(runId)
      const studies = store.patients.trainingStudies(cohortId, config.slotIds, config.labelIds)
      const { assignments, proof } = assignFolds(studies, { kind: 'k-fold', folds: 5 }, createRng, 1)
      storeSplit(store, runId, assignments, studies.map(({ studyId }) => studyId), proof)
      store.runs.setStatus(runId, 'running')
      for (const [fold, sides] of assignments.entries()) {
        const test = studies.filter((_, i) => sides[i] === 'test')
        store.predictions.addBlock(runId, makeBlock(test.map(({ studyId }) => studyId), { fold, patterns: test.map(({ pattern }) => pattern) }), config.labelIds)
      }
      store.runs.finish(runId, summary)
      return evaluateRun({ store }, runId, { kind: 'actual' }).alarms!.join(' ')
    }
    expect(alarmsOf(4, (ordinal) => (ordinal % 3 === 0 ? 0.44 : 0.2))).toMatch(/an AUROC of 0\.6\d for "glaucoma"/)
    expect([1, 2, 3, 4].map((seed) => alarmsOf(seed, () => 0.3))).toEqual(['', '', '', ''])
  })

  it('counts who answered, and measures the gap to the dedicated models of the same split', () => {
    const store = openTestStore()
    const first = finishedRun(store, { isTelling: false, probability: 0.6 })
    const alone = evaluateRun({ store }, first.runId, { kind: 'pattern', pattern: 'right-eye' })
    expect(alone.overall.servedBy?.extrapolated).toBe(first.rows.filter(({ isActual }) => !isActual).length)
    expect(alone.information!.every(({ gapBits }) => gapBits === null)).toBe(true)
    finishedRun(store, { isTelling: false, adapter: 'dedicated', cohortId: first.cohortId, probability: 0.9 })
    const beside = evaluateRun({ store }, first.runId, { kind: 'actual' }).information!.find(({ pattern }) => pattern === 'right-eye')!
    // Every label is given its own probability: the gap is log2(0.9) - log2(0.6), whatever the labels are.
    expect(beside.gapBits).toBeCloseTo(Math.log2(0.9 / 0.6), 5)
  })

  it.each([{ backbone: 'another' }, { task: 'multi-class' }] as const)('measures no gap to dedicated models of another kind: %o', (changes) => {
    const store = openTestStore()
    const first = finishedRun(store, { isTelling: false, probability: 0.6 })
    finishedRun(store, { isTelling: false, adapter: 'dedicated', cohortId: first.cohortId, probability: 0.9, changes })
    expect(evaluateRun({ store }, first.runId, { kind: 'actual' }).information!.every(({ gapBits }) => gapBits === null)).toBe(true)
  })

  it('holds a run against a text-only probe of the same labels only', () => {
    const store = openTestStore()
    const first = finishedRun(store, { isTelling: false, probability: 0.6 })
    const alarms = () => evaluateRun({ store }, first.runId, { kind: 'actual' }).alarms!.join(' ')
    const { labelIds } = store.runs.get(first.runId).config
    finishedRun(store, { isTelling: false, adapter: 'text-only', cohortId: first.cohortId, probability: 0.9, changes: { labelIds: labelIds.slice(0, 1) } })
    expect(alarms()).toBe('')
    finishedRun(store, { isTelling: false, adapter: 'text-only', cohortId: first.cohortId, probability: 0.9 })
    expect(alarms()).toMatch(/reads the text alone/)
  })

  it('says that simulated losses which follow a label give it away', () => {
    const store = openTestStore()
    const table = (driver: object, kind: 'mar' | 'mnar') => ({ test: { losses: [{ target: { kind: 'modality', modality: 'image' }, rate: 0.4, mechanism: { kind, driver, strength: 2 } }] } }) as RunConfigInput['missingness']
    const alarms = (missingness: RunConfigInput['missingness'], cohortId?: number) => {
      const run = finishedRun(store, { isTelling: false, changes: { missingness }, ...(cohortId === undefined ? {} : { cohortId }) })
      return { ...run, alarms: evaluateRun({ store }, run.runId, { kind: 'actual' }).alarms! }
    }
    const byAge = alarms(table({ kind: 'age' }, 'mar'))
    expect(byAge.alarms).toEqual([])
    const { labelIds } = store.runs.get(byAge.runId).config
    expect(alarms(table({ kind: 'label', labelId: labelIds[0]! }, 'mnar'), byAge.cohortId).alarms.join(' ')).toMatch(/depends on "glaucoma" \(test studies\)/)
  })

  it('hides the same items of a patient whatever other patients the method refuses', () => {
    const store = openTestStore()
    const whole = finishedRun(store, { isTelling: false })
    const partial = finishedRun(store, { isTelling: false, cohortId: whole.cohortId, refuses: (pattern) => !pattern.includes('notes') })
    // Patients with everything who keep it: nobody is refused under that.
    const complete = (runId: number) => [1, 2, 3, 4, 5, 6].map((seed) => evaluateRun({ store }, runId, { kind: 'simulated', image: 0, text: 0.5, seed }).byPattern.find(({ pattern }) => pattern === 'right-eye+left-eye+notes')?.studyCount)
    expect(complete(partial.runId)).toEqual(complete(whole.runId))
    expect(partial.rows.length).toBeLessThan(whole.rows.length)
  })

  it('says who is in no number because the run has no answer for them, and who because training was stopped', () => {
    const store = openTestStore()
    const whole = finishedRun(store, { isTelling: false })
    const partial = finishedRun(store, { isTelling: false, cohortId: whole.cohortId, refuses: (pattern) => !pattern.includes('notes') })
    const all = evaluateRun({ store }, whole.runId, { kind: 'actual' })
    const answered = evaluateRun({ store }, partial.runId, { kind: 'actual' })
    const left = all.overall.studyCount - answered.overall.studyCount
    expect(left).toBeGreaterThan(0)
    expect(all.alarms).toEqual([])
    expect(answered.alarms!.join(' ')).toContain(`${left} of ${all.overall.studyCount} test studies have no prediction under the items they are shown with here`)
    // Nobody is asked of: those without notes have nothing left under "text only".
    expect(evaluateRun({ store }, whole.runId, { kind: 'pattern', pattern: 'right-eye' }).alarms).toEqual([])

    const runId = addRun(store, whole.cohortId, { split: { kind: 'k-fold', folds: 2 } })
    const { config } = store.runs.get(runId)
    const studies = store.patients.trainingStudies(whole.cohortId, config.slotIds, config.labelIds)
    const { assignments, proof } = assignFolds(studies, { kind: 'k-fold', folds: 2 }, createRng, 1)
    storeSplit(store, runId, assignments, studies.map(({ studyId }) => studyId), proof)
    store.runs.setStatus(runId, 'running')
    const first = studies.filter((_, i) => assignments[0]![i] === 'test')
    store.predictions.addBlock(runId, makeBlock(first.map(({ studyId }) => studyId), { patterns: first.map(({ pattern }) => pattern) }), config.labelIds)
    store.runs.finish(runId, summary)
    const stopped = evaluateRun({ store }, runId, { kind: 'actual' })
    expect(stopped.overall.studyCount).toBe(first.length)
    expect(stopped.alarms!.join(' ')).toContain(`${studies.length - first.length} of ${studies.length} test studies have no prediction, because training was stopped`)
  })

  it('tells of the words that the run itself read, whatever was masked since, and of labels that it predicts', () => {
    const store = openTestStore()
    const words = [{ slotId: 'notes', word: 'cupping', labelName: 'glaucoma', studiesWithWord: 30, studiesWithWordAndLabel: 30, auroc: 0.97 }]
    const cohortId = createEmptyCohort(store)
    store.imports.setStart(cohortId, makeStart(120, { labelWords: words }))
    store.imports.addBatch(cohortId, Array.from({ length: 120 }, (_, ordinal) => ({ ...makeStudy(ordinal), patientKey: `P${ordinal}` })), 120)
    store.imports.finish(cohortId)
    const alarms = (runId: number) => evaluateRun({ store }, runId, { kind: 'actual' }).alarms!.join(' ')
    const before = finishedRun(store, { isTelling: false, cohortId })
    expect(alarms(before.runId)).toMatch(/Notes names the answer/)
    store.curation.decide(cohortId, { draft: { kind: 'mask-words', slotId: 'notes', words: ['cupping'] }, effect: 'Masks 1 word.', reason: '', madeBy: 'test' })
    const after = finishedRun(store, { isTelling: false, cohortId })
    expect(alarms(after.runId)).toBe('')
    expect(alarms(before.runId)).toMatch(/Notes names the answer/)
    expect(slotWarnings(store.cohorts.get(cohortId).slots, words, store.cohorts.get(cohortId).labels.filter(({ name }) => name !== 'glaucoma'))).toEqual([])
  })

  it('measures each fold by itself where there are several', () => {
    const store = openTestStore()
    const cohortId = addCohort(store, 80, 'Folds', (study) => ({ ...makeStudy(study.ordinal), patientKey: `P${study.ordinal}`, labels: [study.ordinal % 4 === 0 ? 1 : 0, study.ordinal % 2 === 0 ? 1 : 0] }))
    const runId = addRun(store, cohortId, { split: { kind: 'k-fold', folds: 2 } })
    const { config } = store.runs.get(runId)
    const studies = store.patients.trainingStudies(cohortId, config.slotIds, config.labelIds)
    const { assignments, proof } = assignFolds(studies, { kind: 'k-fold', folds: 2 }, createRng, 1)
    storeSplit(store, runId, assignments, studies.map(({ studyId }) => studyId), proof)
    store.runs.setStatus(runId, 'running')
    for (const [fold, sides] of assignments.entries()) {
      const test = studies.filter((_, i) => sides[i] === 'test')
      // Perfect inside each fold; the second lies so much higher that ranking them together is not.
      const probabilities = Float32Array.from(test.flatMap(({ labels }) => [...labels].map((label) => fold * 0.6 + label * 0.2)))
      store.predictions.addBlock(runId, makeBlock(test.map(({ studyId }) => studyId), { fold, patterns: test.map(({ pattern }) => pattern), probabilities, logits: probabilities, thresholds: new Float32Array(config.labelIds.length).fill(0.5) }), config.labelIds)
    }
    store.runs.finish(runId, summary)
    const { overall } = evaluateRun({ store }, runId, { kind: 'actual' })
    expect(overall.folds!.macroAuroc).toEqual({ mean: 1, sd: 0, folds: 2 })
    expect(overall.macroAuroc.value).toBeLessThan(0.9)
    expect(evaluateRun({ store }, finishedRun(store, { isTelling: false }).runId, { kind: 'actual' }).overall.folds).toBeUndefined()
  })

  it.each(['multi-label', 'multi-class'] as const)('exports folds as the screens count them, and a threshold only where one decides: %s', (task) => {
    const store = openTestStore()
    const { runId, rows } = finishedRun(store, { isTelling: false, probability: 0.8, changes: { task } })
    const file = join(temporaryFolder(), 'predictions.csv')
    expect(writePredictions({ store }, runId, file)).toBe(rows.length * 2)
    const [header, ...lines] = readFileSync(file, 'utf8').replace(/^\uFEFF/, '').trimEnd().split('\r\n').map((line) => line.split(','))
    const column = (name: string) => lines.map((line) => line[header!.indexOf(name)])
    expect(new Set(column('fold'))).toEqual(new Set(['1']))
    expect(new Set(column('threshold'))).toEqual(new Set([task === 'multi-class' ? '' : '0.5']))
  })

  it('refuses a pattern that the run cannot have', () => {
    const store = openTestStore()
    const { runId } = finishedRun(store, { isTelling: false })
    expect(() => evaluateRun({ store }, runId, { kind: 'pattern', pattern: 'right-eye+blood' })).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }))
  })
})
