import type { Database } from 'better-sqlite3'
import { AppError } from '../domain/errors.ts'
import type { ImportedStudy } from '../domain/import.ts'
import type { Slot } from '../domain/slots.ts'
import { createLabelEvidence } from './label-evidence.ts'
import { createMeasureWriter } from './repositories/image-measures.ts'
import { createTextSignWriter } from './privacy/text-signs.ts'
import { isUniqueViolation } from './sqlite-errors.ts'
import { itemToRow, type ItemRow, type StudyRow } from './study-rows.ts'

type OfDelivery = { delivery_id: number | null }

/** Where a study goes. `deliveryId` null: the first import of the cohort. */
export interface StudyPlace {
  cohortId: number
  deliveryId: number | null
  labelIds: readonly number[]
}

/** A batch that does not fit the cohort is a bug of the importer, not something a user can mend. */
export function assertShape(study: ImportedStudy, slots: readonly Slot[], labelCount: number): void {
  const given = new Set(study.items.map((item) => item.slotId))
  const fits = study.items.length === slots.length && slots.every((slot) => given.has(slot.slotId)) && study.labels.length === labelCount
  if (!fits) throw new Error(`study ${study.ordinal} brings ${study.items.length} items and ${study.labels.length} labels; the cohort has ${slots.length} slots and ${labelCount} labels`)
}

/** Writes one study with its patient, items, labels and image measures; the caller holds the transaction. */
export function createStudyWriter(db: Database) {
  const selectPatient = db.prepare<{ cohortId: number; patientKey: string }, { id: number }>('SELECT id FROM patients WHERE cohort_id = :cohortId AND patient_key = :patientKey')
  const insertPatient = db.prepare<{ cohortId: number; patientKey: string }>('INSERT INTO patients (cohort_id, patient_key) VALUES (:cohortId, :patientKey)')
  const insertStudy = db.prepare<StudyRow & OfDelivery>(`INSERT INTO studies (cohort_id, patient_id, study_key, ordinal, source_rows, age_years, sex, site, study_date, date_problems, delivery_id)
    VALUES (:cohort_id, :patient_id, :study_key, :ordinal, :source_rows, :age_years, :sex, :site, :study_date, :date_problems, :delivery_id)`)
  const insertItem = db.prepare<ItemRow & OfDelivery>(`INSERT INTO items (study_id, slot_id, is_present, reason, detail, source_path, sha256, byte_size, width_px, height_px, text, frame, frame_count, delivery_id)
    VALUES (:study_id, :slot_id, :is_present, :reason, :detail, :source_path, :sha256, :byte_size, :width_px, :height_px, :text, :frame, :frame_count, :delivery_id)`)
  const insertLabel = db.prepare<{ studyId: number; labelId: number; value: 0 | 1 }>('INSERT INTO study_labels (study_id, label_id, value) VALUES (:studyId, :labelId, :value)')
  const writeMeasures = createMeasureWriter(db)
  const writeTextSigns = createTextSignWriter(db)
  const { write: writeEvidence } = createLabelEvidence(db)

  function writeItem(studyId: number, item: ImportedStudy['items'][number], deliveryId: number | null): void {
    insertItem.run({ ...itemToRow(studyId, item), delivery_id: deliveryId })
    if (item.isPresent && item.measures && item.sha256 !== null) writeMeasures(item.sha256, item.measures)
    if (item.isPresent && item.textSigns && item.sha256 !== null) writeTextSigns(item.sha256, item.textSigns)
  }
  function writeLabels(studyId: number, labels: ImportedStudy['labels'], labelIds: readonly number[]): void {
    labels.forEach((value, position) => {
      if (value !== null) insertLabel.run({ studyId, labelId: labelIds[position]!, value })
    })
  }

  return {
    patientId: (cohortId: number, patientKey: string): number | null => selectPatient.get({ cohortId, patientKey })?.id ?? null,
    writeItem,
    writeLabels,
    writeEvidence,
    /** @throws AppError STORE_STUDY_TWICE */
    writeStudy: (study: ImportedStudy, { cohortId, deliveryId, labelIds }: StudyPlace): number => {
      const { patientKey } = study
      const patientId = selectPatient.get({ cohortId, patientKey })?.id ?? Number(insertPatient.run({ cohortId, patientKey }).lastInsertRowid)
      let studyId: number
      try {
        studyId = Number(insertStudy.run({
          cohort_id: cohortId, patient_id: patientId, study_key: study.studyKey, ordinal: study.ordinal, source_rows: JSON.stringify(study.rows),
          age_years: study.ageYears, sex: study.sex, site: study.site ?? null, study_date: study.date?.day ?? null, date_problems: JSON.stringify(study.date?.problems ?? []), delivery_id: deliveryId,
        }).lastInsertRowid)
      } catch (error) {
        if (isUniqueViolation(error)) throw new AppError('STORE_STUDY_TWICE', `Row ${study.rows.join(', ')} brings a study that its patient already has.`, { cause: error })
        throw error
      }
      for (const item of study.items) writeItem(studyId, item, deliveryId)
      writeLabels(studyId, study.labels, labelIds)
      writeEvidence(studyId, study.evidence)
      return studyId
    },
  }
}
