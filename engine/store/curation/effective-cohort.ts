import { createHash } from 'node:crypto'
import type { Database } from 'better-sqlite3'
import { createTextMask, decisionDraftSchema, joinGroups, type DecisionDraft, type TextMask } from '../../domain/curation.ts'
import { isImpossible, type DateProblem } from '../../domain/visit-dates.ts'
import { canonicalJson } from '../context.ts'

/**
 * The one place that says what is left of a cohort under its decisions. Everything that reads studies for training, prediction,
 * evaluation, export or a list asks here; the imported rows stay as they are.
 */
export interface EffectiveCohort {
  /** Decisions that count, oldest first. */
  decisionIds: readonly number[]
  droppedSlotIds: ReadonlySet<string>
  excludedStudyIds: ReadonlySet<number>
  isStudyExcluded: (studyId: number) => boolean
  /** Whether the day of a study counts, given what speaks against it. */
  isDateUsed: (studyId: number, problems: readonly DateProblem[]) => boolean
  /** True when somebody has decided on the day of a study. */
  isDateJudged: (studyId: number) => boolean
  /** True for an item that a decision takes away, by its modality, by itself or with its study. */
  isItemExcluded: (studyId: number, slotId: string) => boolean
  /** The same without its study: what the page of an excluded study still shows, so that its exclusion can be judged. */
  isItemExcludedItself: (studyId: number, slotId: string) => boolean
  /** The patient number that stands for a merged person; its own number for everybody else. */
  personOf: (patientId: number) => number
  /** The key that stands for a merged person. */
  personKeyOf: (patientKey: string) => string
  /** Keys of each merged person that are stored, the one that stands for it first. */
  persons: readonly (readonly string[])[]
  /** What hides words of a slot's texts; undefined where nothing is masked. */
  maskOf: (slotId: string) => TextMask | undefined
  /** SHA-256 over the content hash and what the decisions change; the content hash itself where they change nothing. */
  hashOver: (contentHash: string) => string
}

export interface EffectiveCohorts {
  now: (cohortId: number) => EffectiveCohort
  /** As it would be with some decisions undone and others made. */
  after: (cohortId: number, change: { undone: readonly number[]; added: readonly DecisionDraft[] }) => EffectiveCohort
  /** As the run was planned: its recorded decisions, whatever was decided or undone since. */
  ofRun: (runId: number) => EffectiveCohort
}

export function createEffectiveCohorts(db: Database): EffectiveCohorts {
  const selectActive = db.prepare<{ cohortId: number }, DecisionRow>(`
    SELECT id, parameters_json FROM curation_decisions WHERE cohort_id = :cohortId AND NOT EXISTS (SELECT 1 FROM curation_undos WHERE decision_id = curation_decisions.id) ORDER BY id`)
  const selectRecorded = db.prepare<{ runId: number }, DecisionRow>(`
    SELECT curation_decisions.id, parameters_json FROM run_curation CROSS JOIN json_each(run_curation.decision_ids) AS chosen
    JOIN curation_decisions ON curation_decisions.id = chosen.value WHERE run_curation.run_id = :runId ORDER BY curation_decisions.id`)
  const selectRun = db.prepare<{ runId: number }>('SELECT cohort_id FROM runs WHERE id = :runId').pluck()
  const selectPatient = db.prepare<{ cohortId: number; patientKey: string }>('SELECT id FROM patients WHERE cohort_id = :cohortId AND patient_key = :patientKey').pluck()
  const selectOrdinals = db.prepare<{ studyIds: string; cohortId: number }>('SELECT studies.id, ordinal FROM json_each(:studyIds) AS chosen CROSS JOIN studies ON studies.id = chosen.value AND cohort_id = :cohortId').raw()

  // A decision never changes, so what follows from decisions alone is kept; a list of 15,000 excluded studies takes 40 ms to read.
  const keptReadings = 8
  const readings = new Map<string, Reading>()
  function readingOf(rows: readonly DecisionRow[]): Reading {
    const key = rows.map(({ id }) => id).join(' ')
    const reading = readings.get(key) ?? readDecisions(rows)
    // What is read inside a transaction may be rolled back, and its number be given again.
    if (db.inTransaction) return reading
    readings.delete(key)
    readings.set(key, reading)
    if (readings.size > keptReadings) readings.delete(readings.keys().next().value!)
    return reading
  }

  function derive(cohortId: number, rows: readonly DecisionRow[], reading = readingOf(rows)): EffectiveCohort {
    const { droppedSlotIds, excludedStudyIds, excludedItems, usedDates, groups, words, masks } = reading
    const persons = groups
      .map((keys) => keys.flatMap((patientKey) => {
        const id = selectPatient.get({ cohortId, patientKey }) as number | undefined
        return id === undefined ? [] : [{ id, patientKey }]
      }))
      .filter((members) => members.length > 1)
      .map((members) => members.sort((a, b) => a.id - b.id))
    const personOf = new Map(persons.flatMap((members) => members.map(({ id }) => [id, members[0]!.id])))
    const personKeyOf = new Map(persons.flatMap((members) => members.map(({ patientKey }) => [patientKey, members[0]!.patientKey])))

    /** By place in the import, not by number in this database: the same decisions over the same content give the same hash anywhere. */
    function effects(): unknown[] {
      const excluded = [...excludedItems].map((item) => item.split(' ') as [string, string])
      const ordinals = new Map(selectOrdinals.all({ cohortId, studyIds: JSON.stringify([...new Set([...excludedStudyIds, ...usedDates.keys(), ...excluded.map(([studyId]) => Number(studyId))])]) }) as [number, number][])
      const studies = [...excludedStudyIds].flatMap((studyId) => ordinals.get(studyId) ?? []).sort((a, b) => a - b)
      const items = excluded.flatMap(([studyId, slotId]) => {
        const ordinal = ordinals.get(Number(studyId))
        return ordinal === undefined ? [] : [`${ordinal} ${slotId}`]
      }).sort()
      const merged = persons.map((members) => members.map(({ patientKey }) => patientKey).sort()).sort((a, b) => (a[0]! < b[0]! ? -1 : 1))
      const all: unknown[][] = [[...droppedSlotIds].sort(), [...words].sort((a, b) => (a[0] < b[0] ? -1 : 1)), merged, studies, items]
      const dates = [...usedDates].flatMap(([studyId, isUsed]) => (ordinals.has(studyId) ? [`${ordinals.get(studyId)!} ${isUsed}`] : [])).sort()
      // Only where there are some: decisions of before keep the hash that their runs name.
      if (dates.length > 0) all.push(dates)
      return all.every((list) => list.length === 0) ? [] : all
    }

    const isItemExcludedItself = (studyId: number, slotId: string): boolean => droppedSlotIds.has(slotId) || (excludedItems.size > 0 && excludedItems.has(`${studyId} ${slotId}`))
    return {
      decisionIds: rows.map(({ id }) => id),
      droppedSlotIds,
      excludedStudyIds,
      isStudyExcluded: (studyId) => excludedStudyIds.has(studyId),
      isDateUsed: (studyId, problems) => usedDates.get(studyId) ?? !isImpossible(problems),
      isDateJudged: (studyId) => usedDates.has(studyId),
      isItemExcluded: (studyId, slotId) => excludedStudyIds.has(studyId) || isItemExcludedItself(studyId, slotId),
      isItemExcludedItself,
      personOf: (patientId) => personOf.get(patientId) ?? patientId,
      personKeyOf: (patientKey) => personKeyOf.get(patientKey) ?? patientKey,
      persons: persons.map((members) => members.map(({ patientKey }) => patientKey)),
      maskOf: (slotId) => masks.get(slotId),
      hashOver: (contentHash) => {
        const changes = effects()
        return changes.length === 0 ? contentHash : createHash('sha256').update(canonicalJson([contentHash, ...changes])).digest('hex')
      },
    }
  }

  return {
    now: (cohortId) => derive(cohortId, selectActive.all({ cohortId })),
    after: (cohortId, { undone, added }) => {
      const gone = new Set(undone)
      const rows = [...selectActive.all({ cohortId }).filter(({ id }) => !gone.has(id)), ...added.map((draft) => ({ id: Number.MAX_SAFE_INTEGER, parameters_json: JSON.stringify(draft) }))]
      // Decisions that nobody has made yet have no number to be kept under.
      return derive(cohortId, rows, readDecisions(rows))
    },
    ofRun: (runId) => derive((selectRun.get({ runId }) as number | undefined) ?? 0, selectRecorded.all({ runId })),
  }
}

interface DecisionRow { id: number; parameters_json: string }

/** What follows from decisions alone, whatever the cohort holds. */
interface Reading {
  droppedSlotIds: Set<string>
  excludedStudyIds: Set<number>
  /** By study whose day was judged: whether it counts. */
  usedDates: Map<number, boolean>
  /** Study number and slot, with a blank between. */
  excludedItems: Set<string>
  /** Keys of one person each, no key in two of them. */
  groups: string[][]
  /** Masked words of each slot, sorted. */
  words: Map<string, string[]>
  masks: Map<string, TextMask>
}

function readDecisions(rows: readonly DecisionRow[]): Reading {
  const drafts = rows.map((row) => decisionDraftSchema.parse(JSON.parse(row.parameters_json)))
  const of = <K extends DecisionDraft['kind']>(kind: K) => drafts.filter((draft): draft is Extract<DecisionDraft, { kind: K }> => draft.kind === kind)
  const words = new Map([...Map.groupBy(of('mask-words'), ({ slotId }) => slotId)].map(([slotId, list]) => [slotId, [...new Set(list.flatMap((draft) => draft.words.map((word) => word.toLowerCase())))].sort()]))
  return {
    droppedSlotIds: new Set(of('drop-slot').map(({ slotId }) => slotId)),
    excludedStudyIds: new Set(of('exclude-studies').flatMap(({ studyIds }) => studyIds)),
    usedDates: new Map(of('judge-dates').flatMap(({ studyIds, isUsed }) => studyIds.map((studyId) => [studyId, isUsed] as const))),
    excludedItems: new Set(of('exclude-items').flatMap(({ items }) => items.map(({ studyId, slotId }) => `${studyId} ${slotId}`))),
    groups: joinGroups(of('merge-patients').flatMap(({ groups }) => groups)),
    words, masks: new Map([...words].map(([slotId, list]) => [slotId, createTextMask(list)])),
  }
}
