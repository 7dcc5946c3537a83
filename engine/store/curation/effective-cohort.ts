import { createHash } from 'node:crypto'
import type { Database } from 'better-sqlite3'
import { createTextMask, decisionDraftSchema, joinGroups, type DecisionDraft, type TextMask } from '../../domain/curation.ts'
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
  /** True for an item that a decision takes away, by its modality, by itself or with its study. */
  isItemExcluded: (studyId: number, slotId: string) => boolean
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
  /** As the run was planned: its recorded decisions, whatever was decided or undone since. */
  ofRun: (runId: number) => EffectiveCohort
}

export function createEffectiveCohorts(db: Database): EffectiveCohorts {
  const selectActive = db.prepare<{ cohortId: number }, { id: number; parameters_json: string }>(`
    SELECT id, parameters_json FROM curation_decisions WHERE cohort_id = :cohortId AND NOT EXISTS (SELECT 1 FROM curation_undos WHERE decision_id = curation_decisions.id) ORDER BY id`)
  const selectRecorded = db.prepare<{ runId: number }, { id: number; parameters_json: string }>(`
    SELECT curation_decisions.id, parameters_json FROM run_curation CROSS JOIN json_each(run_curation.decision_ids) AS chosen
    JOIN curation_decisions ON curation_decisions.id = chosen.value WHERE run_curation.run_id = :runId ORDER BY curation_decisions.id`)
  const selectRun = db.prepare<{ runId: number }>('SELECT cohort_id FROM runs WHERE id = :runId').pluck()
  const selectPatient = db.prepare<{ cohortId: number; patientKey: string }>('SELECT id FROM patients WHERE cohort_id = :cohortId AND patient_key = :patientKey').pluck()
  const selectOrdinal = db.prepare<{ studyId: number; cohortId: number }>('SELECT ordinal FROM studies WHERE id = :studyId AND cohort_id = :cohortId').pluck()

  function derive(cohortId: number, rows: readonly { id: number; parameters_json: string }[]): EffectiveCohort {
    const drafts = rows.map((row) => decisionDraftSchema.parse(JSON.parse(row.parameters_json)))
    const of = <K extends DecisionDraft['kind']>(kind: K) => drafts.filter((draft): draft is Extract<DecisionDraft, { kind: K }> => draft.kind === kind)
    const droppedSlotIds = new Set(of('drop-slot').map(({ slotId }) => slotId))
    const excludedStudyIds = new Set(of('exclude-studies').flatMap(({ studyIds }) => studyIds))
    const excludedItems = new Set(of('exclude-items').flatMap(({ items }) => items.map(({ studyId, slotId }) => `${studyId} ${slotId}`)))
    const persons = joinGroups(of('merge-patients').flatMap(({ groups }) => groups))
      .map((keys) => keys.flatMap((patientKey) => {
        const id = selectPatient.get({ cohortId, patientKey }) as number | undefined
        return id === undefined ? [] : [{ id, patientKey }]
      }))
      .filter((members) => members.length > 1)
      .map((members) => members.sort((a, b) => a.id - b.id))
    const personOf = new Map(persons.flatMap((members) => members.map(({ id }) => [id, members[0]!.id])))
    const personKeyOf = new Map(persons.flatMap((members) => members.map(({ patientKey }) => [patientKey, members[0]!.patientKey])))
    const words = new Map([...Map.groupBy(of('mask-words'), ({ slotId }) => slotId)].map(([slotId, list]) => [slotId, [...new Set(list.flatMap((draft) => draft.words.map((word) => word.toLowerCase())))].sort()]))
    const masks = new Map([...words].map(([slotId, list]) => [slotId, createTextMask(list)]))

    /** By place in the import, not by number in this database: the same decisions over the same content give the same hash anywhere. */
    function effects(): unknown[] {
      const ordinalOf = (studyId: number) => selectOrdinal.get({ studyId, cohortId }) as number | undefined
      const studies = [...excludedStudyIds].flatMap((studyId) => ordinalOf(studyId) ?? []).sort((a, b) => a - b)
      const items = [...excludedItems].flatMap((item) => {
        const [studyId, slotId] = item.split(' ')
        const ordinal = ordinalOf(Number(studyId))
        return ordinal === undefined ? [] : [`${ordinal} ${slotId}`]
      }).sort()
      const merged = persons.map((members) => members.map(({ patientKey }) => patientKey).sort()).sort((a, b) => (a[0]! < b[0]! ? -1 : 1))
      const all = [[...droppedSlotIds].sort(), [...words].sort((a, b) => (a[0] < b[0] ? -1 : 1)), merged, studies, items]
      return all.every((list) => list.length === 0) ? [] : all
    }

    return {
      decisionIds: rows.map(({ id }) => id),
      droppedSlotIds,
      excludedStudyIds,
      isStudyExcluded: (studyId) => excludedStudyIds.has(studyId),
      isItemExcluded: (studyId, slotId) => droppedSlotIds.has(slotId) || excludedStudyIds.has(studyId) || (excludedItems.size > 0 && excludedItems.has(`${studyId} ${slotId}`)),
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
    ofRun: (runId) => derive((selectRun.get({ runId }) as number | undefined) ?? 0, selectRecorded.all({ runId })),
  }
}
