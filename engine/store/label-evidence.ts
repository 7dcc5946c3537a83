import type { Database } from 'better-sqlite3'
import { labelEvidenceSchema, type LabelEvidence } from '../domain/report-labels.ts'

/** Evidence of a study's derived labels, one JSON text for each study. */
export function createLabelEvidence(db: Database) {
  const upsert = db.prepare<{ studyId: number; evidence: string }>('INSERT INTO label_evidence (study_id, evidence_json) VALUES (:studyId, :evidence) ON CONFLICT (study_id) DO UPDATE SET evidence_json = excluded.evidence_json')
  const select = db.prepare<{ studyId: number }>('SELECT evidence_json FROM label_evidence WHERE study_id = :studyId').pluck()
  return {
    write: (studyId: number, evidence: readonly LabelEvidence[] | undefined): void => {
      if (evidence !== undefined) upsert.run({ studyId, evidence: JSON.stringify(evidence) })
    },
    /** Empty for a study without derived labels. */
    read: (studyId: number): LabelEvidence[] => {
      const stored = select.get({ studyId }) as string | undefined
      return stored === undefined ? [] : labelEvidenceSchema.array().parse(JSON.parse(stored))
    },
  }
}

/** A row of `labels` with what it was derived from, where it was. */
export function openDerived<T extends object>({ derivedFrom, ...label }: T & { derivedFrom: string | null }): Omit<T, 'derivedFrom'> & { derivedFrom?: string[] } {
  return derivedFrom === null ? label : { ...label, derivedFrom: JSON.parse(derivedFrom) as string[] }
}
