import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { AppError } from '../../domain/errors.ts'
import { studyFilterSchema, studyListQuerySchema, type Review, type Sex, type StudyDetail, type StudyFilter, type StudyFilterInput, type StudyListPage, type StudyListQueryInput } from '../../domain/records.ts'
import { patternKey } from '../../domain/slots.ts'
import type { DateProblem } from '../../domain/visit-dates.ts'
import type { TrainingStudy } from '../../domain/exchange.ts'
import { found, slotsOf, type StoreContext } from '../context.ts'
import { createLabelEvidence, openDerived } from '../label-evidence.ts'
import type { EffectiveCohort } from '../curation/effective-cohort.ts'
import type { CohortColumns, RunColumns, StudyIndex } from '../study-index.ts'
import { countPersons, orderedRows, toListRows } from '../study-query.ts'
import { createVisits } from '../visits.ts'
import { rowToItem, type ItemRow, type StudyRow } from '../study-rows.ts'

type StoredStudyRow = StudyRow & { id: number; patient_key: string }

/** A study for training, with what a split and its proof need besides. `pattern` covers the asked slots; patient number and key are those of the merged person. */
export interface StoredTrainingStudy extends TrainingStudy {
  ageYears: number | null
  sex: Sex | null
  patientKey: string
  studyKey: string
  pattern: string
}

/** A filter that cannot be applied is refused: a list that silently ignores it would be read as its answer. */
function checkFilter(filter: StudyFilter, cohort: CohortColumns, run: RunColumns | null): void {
  if (run === null && (filter.error !== null || filter.split !== null || filter.review !== null)) {
    throw new AppError('REQUEST_INVALID', 'Errors, splits and reviews can be filtered only for a run.')
  }
  if (filter.reference !== null && filter.labelId === null) throw new AppError('REQUEST_INVALID', 'A reference value can be filtered only for a label.')
  if (filter.labelId !== null && !cohort.labels.some((label) => label.labelId === filter.labelId)) {
    throw new AppError('STORE_NOT_FOUND', `Cohort ${filter.cohortId} has no label with the number ${filter.labelId}.`)
  }
  if (run === null) return
  if (run.cohortId !== filter.cohortId) throw new AppError('STORE_NOT_FOUND', `Run ${filter.runId} is not of cohort ${filter.cohortId}.`)
  if (filter.labelId !== null && !run.labelPositions.some((position) => cohort.labels[position]!.labelId === filter.labelId)) {
    throw new AppError('STORE_NOT_FOUND', `Run ${filter.runId} was not trained on label ${filter.labelId}.`)
  }
}

export interface PatientRepository {
  /** `within`: the studies of the filter's selection, see jobs/fingerprint/selections.ts. */
  listStudies: (query: StudyListQueryInput, within?: ReadonlySet<number>) => StudyListPage
  listStudyIds: (filter: StudyFilterInput, within?: ReadonlySet<number>) => number[]
  getStudy: (studyId: number) => StudyDetail
  /** `frame` counts from 0. */
  itemFile: (studyId: number, slotId: string) => { path: string; sha256: string; frame: number } | null
  /** Studies under the decisions that count now, or, with `runId`, under those that the run was planned with. */
  trainingStudies: (cohortId: number, slotIds: readonly string[], labelIds: readonly number[], runId?: number) => StoredTrainingStudy[]
}

/** A masked text has a hash of its own, or prepared inputs of the full text would be found in the cache and used. */
function maskedText(decided: EffectiveCohort, slotId: string, sha256: string, text: string | null): { sha256: string; text: string | null } {
  const masked = text === null ? null : (decided.maskOf(slotId)?.apply(text) ?? text)
  return masked === text || masked === null ? { sha256, text } : { sha256: createHash('sha256').update(masked).digest('hex'), text: masked }
}

/** Patients, their studies and items: the list, the page and the input of a training. */
export function createPatientRepository({ db, effective }: StoreContext, index: StudyIndex): PatientRepository {
  const selectCohort = db.prepare<{ cohortId: number }, { source_dir: string; slots_json: string }>('SELECT source_dir, slots_json FROM cohorts WHERE id = :cohortId AND removal_began_at IS NULL')
  const selectStudy = db.prepare<{ studyId: number }, StoredStudyRow>('SELECT studies.*, patients.patient_key FROM studies JOIN patients ON patients.id = studies.patient_id WHERE studies.id = :studyId')
  const selectItems = db.prepare<{ studyId: number }, ItemRow>('SELECT * FROM items WHERE study_id = :studyId')
  const selectLabels = db.prepare<{ studyId: number; cohortId: number }, Omit<StudyDetail['labels'][number], 'derivedFrom'> & { derivedFrom: string | null }>(`
    SELECT labels.id AS labelId, labels.name AS name, labels.position AS position, labels.derived_from AS derivedFrom, study_labels.value AS value
    FROM labels LEFT JOIN study_labels ON study_labels.label_id = labels.id AND study_labels.study_id = :studyId WHERE labels.cohort_id = :cohortId ORDER BY labels.position`)
  const selectSiblings = db.prepare<{ cohortId: number; keys: string; studyId: number }>(`
    SELECT studies.id FROM json_each(:keys) AS chosen CROSS JOIN patients ON patients.patient_key = chosen.value AND patients.cohort_id = :cohortId
    JOIN studies ON studies.patient_id = patients.id WHERE studies.id <> :studyId ORDER BY ordinal`).pluck()
  const evidence = createLabelEvidence(db)
  const visits = createVisits(db)
  const selectFile = db.prepare<{ studyId: number; slotId: string }, { source_dir: string; source_path: string; sha256: string; frame: number }>(`
    SELECT coalesce(deliveries.source_dir, cohorts.source_dir) AS source_dir, items.source_path, items.sha256, items.frame FROM items
    JOIN studies ON studies.id = items.study_id JOIN cohorts ON cohorts.id = studies.cohort_id LEFT JOIN deliveries ON deliveries.id = items.delivery_id
    WHERE items.study_id = :studyId AND items.slot_id = :slotId AND items.is_present = 1 AND items.source_path IS NOT NULL`)
  const selectTrainingStudies = db.prepare<{ cohortId: number }, { studyId: number; patientId: number; patientKey: string; studyKey: string; ageYears: number | null; sex: Sex | null }>(`
    SELECT studies.id AS studyId, studies.patient_id AS patientId, patients.patient_key AS patientKey, studies.study_key AS studyKey,
      studies.age_years AS ageYears, studies.sex AS sex
    FROM studies JOIN patients ON patients.id = studies.patient_id WHERE studies.cohort_id = :cohortId ORDER BY studies.ordinal`)
  const selectTrainingItems = db.prepare<{ cohortId: number; slotId: string }>(`
    SELECT items.study_id, items.source_path, items.sha256, items.text, deliveries.source_dir, items.frame FROM studies JOIN items ON items.study_id = studies.id
    LEFT JOIN deliveries ON deliveries.id = items.delivery_id
    WHERE studies.cohort_id = :cohortId AND items.slot_id = :slotId AND items.is_present = 1`).raw()

  function columnsFor(filter: StudyFilter, within: ReadonlySet<number> | undefined) {
    if ((filter.selection !== null) !== (within !== undefined)) throw new Error('a selection comes with its studies, and the studies with their selection')
    const cohort = index.cohort(filter.cohortId)
    const run = filter.runId === null ? null : index.run(filter.runId)
    checkFilter(filter, cohort, run)
    const columns = { cohort, run, reviews: filter.runId === null ? new Map<number, Review>() : index.reviews(filter.runId) }
    return { columns, rows: orderedRows(columns, filter, within) }
  }

  function getStudy(studyId: number): StudyDetail {
    const row = found(selectStudy.get({ studyId }), 'study', studyId)
    const slots = slotsOf(found(selectCohort.get({ cohortId: row.cohort_id }), 'cohort', row.cohort_id).slots_json)
    const stored = selectItems.all({ studyId })
    const decided = effective.now(row.cohort_id)
    const personKeys = decided.persons.find((keys) => keys.includes(row.patient_key)) ?? []
    const items = slots.flatMap((slot) => stored.filter((item) => item.slot_id === slot.slotId)
      .map((item) => rowToItem(item, slot, { isExcluded: decided.isItemExcludedItself(studyId, slot.slotId), mask: decided.maskOf(slot.slotId) })))
    return {
      studyId, cohortId: row.cohort_id, patientId: row.patient_id, patientKey: row.patient_key, studyKey: row.study_key, ordinal: row.ordinal,
      rows: JSON.parse(row.source_rows) as number[], ageYears: row.age_years, sex: row.sex, items,
      pattern: patternKey(slots, (slotId) => items.some((item) => item.slotId === slotId && item.isPresent)),
      labels: selectLabels.all({ studyId, cohortId: row.cohort_id }).map(openDerived),
      evidence: evidence.read(studyId),
      isExcluded: decided.isStudyExcluded(studyId),
      personKeys: [...personKeys],
      visits: visits.ofPerson(row.cohort_id, personKeys.length > 0 ? personKeys : [row.patient_key], decided),
      noteDay: row.study_date !== null && decided.isDateUsed(studyId, JSON.parse(row.date_problems) as DateProblem[]) ? row.study_date : null,
      siblingStudyIds: selectSiblings.all({ cohortId: row.cohort_id, keys: JSON.stringify(personKeys.length > 0 ? personKeys : [row.patient_key]), studyId }) as number[],
    }
  }

  function trainingStudies(cohortId: number, slotIds: readonly string[], labelIds: readonly number[], runId?: number): StoredTrainingStudy[] {
    const { source_dir: sourceDir, slots_json: slotsJson } = found(selectCohort.get({ cohortId }), 'cohort', cohortId)
    const slots = slotsOf(slotsJson).filter((slot) => slotIds.includes(slot.slotId))
    if (slots.length !== slotIds.length) throw new AppError('STORE_NOT_FOUND', `Cohort ${cohortId} does not have all of the chosen modalities.`)
    const decided = runId === undefined ? effective.now(cohortId) : effective.ofRun(runId)
    const cohort = index.cohort(cohortId)
    const positions = labelIds.map((labelId) => {
      const position = cohort.labels.findIndex((label) => label.labelId === labelId)
      if (position === -1) throw new AppError('STORE_NOT_FOUND', `Cohort ${cohortId} has no label with the number ${labelId}.`)
      return position
    })
    const itemsOf = new Map<number, TrainingStudy['items']>()
    for (const { slotId } of slots) {
      for (const [studyId, sourcePath, sha256, text, deliveryDir, frame] of selectTrainingItems.iterate({ cohortId, slotId }) as Iterable<[number, string | null, string, string | null, string | null, number]>) {
        if (decided.isItemExcluded(studyId, slotId)) continue
        const item = { slotId, path: sourcePath === null ? null : join(deliveryDir ?? sourceDir, sourcePath), ...maskedText(decided, slotId, sha256, text), ...(frame === 0 ? {} : { frame }) }
        const items = itemsOf.get(studyId)
        if (items === undefined) itemsOf.set(studyId, [item])
        else items.push(item)
      }
    }
    return selectTrainingStudies.all({ cohortId }).flatMap((study, i) => {
      if (decided.isStudyExcluded(study.studyId)) return []
      const items = itemsOf.get(study.studyId) ?? []
      const labels = Float32Array.from(positions, (position) => {
        const value = cohort.references[i * cohort.labels.length + position]!
        return value === -1 ? Number.NaN : value
      })
      return [{ ...study, patientId: decided.personOf(study.patientId), patientKey: decided.personKeyOf(study.patientKey), items, labels, pattern: items.map((item) => item.slotId).join('+') }]
    })
  }

  return {
    listStudies: (query, within) => {
      const { offset, limit, ...filter } = studyListQuerySchema.parse(query)
      const { columns, rows } = columnsFor(filter, within)
      return { total: rows.length, patients: countPersons(columns.cohort, rows), rows: toListRows(columns, filter, rows.slice(offset, offset + limit)) }
    },
    listStudyIds: (input, within) => {
      const { columns, rows } = columnsFor(studyFilterSchema.parse(input), within)
      return rows.map((i) => columns.cohort.studyIds[i]!)
    },
    getStudy,
    itemFile: (studyId, slotId) => {
      const row = selectFile.get({ studyId, slotId })
      return row === undefined ? null : { path: join(row.source_dir, row.source_path), sha256: row.sha256, frame: row.frame }
    },
    trainingStudies,
  }
}
