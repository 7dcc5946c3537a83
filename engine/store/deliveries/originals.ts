import { found, type StoreContext } from '../context.ts'

export interface OriginalFile {
  studyId: number
  patientKey: string
  slotId: string
  /** Relative to the folder it was imported from. */
  path: string
  sha256: string
  byteSize: number
  /** Counted from 0. */
  frame: number
}

export interface OriginalFolder {
  /** Null: the folder of the first import. */
  deliveryId: number | null
  number: number
  sourceDir: string
}

export interface OriginalRepository {
  folders: (cohortId: number) => OriginalFolder[]
  files: (cohortId: number, deliveryId: number | null) => OriginalFile[]
  /** Content hashes of the images that one delivery, or a whole cohort, brought. */
  imageHashes: (of: { deliveryId: number } | { cohortId: number }) => string[]
  /** Whether any study holds an image of this content. */
  isHeld: (sha256: string) => boolean
  /** Takes another folder for the same files. The caller has compared them by content. */
  relink: (cohortId: number, deliveryId: number | null, sourceDir: string, found: { there: number; missing: number }) => void
}

/** Where the original files of a cohort lie, and what they were when they were imported. */
export function createOriginalRepository({ db, audit }: StoreContext): OriginalRepository {
  const selectFirst = db.prepare<{ cohortId: number }, { sourceDir: string }>('SELECT source_dir AS sourceDir FROM cohorts WHERE id = :cohortId AND removal_began_at IS NULL')
  const selectDeliveries = db.prepare<{ cohortId: number }, OriginalFolder>(`SELECT id AS deliveryId, number, source_dir AS sourceDir FROM deliveries WHERE cohort_id = :cohortId AND status <> 'undone' ORDER BY number`)
  const selectFiles = db.prepare<{ cohortId: number; deliveryId: number | null }, OriginalFile>(`
    SELECT studies.id AS studyId, patient_key AS patientKey, slot_id AS slotId, source_path AS path, sha256, byte_size AS byteSize, frame
    FROM studies JOIN patients ON patients.id = studies.patient_id JOIN items ON items.study_id = studies.id
    WHERE studies.cohort_id = :cohortId AND items.delivery_id IS :deliveryId AND items.is_present = 1 AND items.source_path IS NOT NULL AND items.sha256 IS NOT NULL
      AND items.byte_size IS NOT NULL ORDER BY studies.ordinal, slot_id`)
  const selectHashesOfDelivery = db.prepare<{ deliveryId: number }>('SELECT DISTINCT sha256 FROM items WHERE delivery_id = :deliveryId AND is_present = 1 AND source_path IS NOT NULL').pluck()
  const selectHashesOfCohort = db.prepare<{ cohortId: number }>('SELECT DISTINCT sha256 FROM studies JOIN items ON items.study_id = studies.id WHERE cohort_id = :cohortId AND is_present = 1 AND source_path IS NOT NULL').pluck()
  const selectHeld = db.prepare<{ sha256: string }>('SELECT 1 FROM items WHERE sha256 = :sha256 AND is_present = 1 AND source_path IS NOT NULL LIMIT 1').pluck()
  const updateFirst = db.prepare<{ cohortId: number; sourceDir: string }>('UPDATE cohorts SET source_dir = :sourceDir WHERE id = :cohortId')
  const updateDelivery = db.prepare<{ cohortId: number; deliveryId: number; sourceDir: string }>('UPDATE deliveries SET source_dir = :sourceDir WHERE id = :deliveryId AND cohort_id = :cohortId')

  const relink = db.transaction((cohortId: number, deliveryId: number | null, sourceDir: string, seen: { there: number; missing: number }): void => {
    const { changes } = deliveryId === null ? updateFirst.run({ cohortId, sourceDir }) : updateDelivery.run({ cohortId, deliveryId, sourceDir })
    found(changes === 0 ? undefined : changes, 'delivery', deliveryId ?? cohortId)
    audit('originals.relinked', { cohortId, deliveryId, sameFiles: seen.there, missingFiles: seen.missing })
  })

  return {
    folders: (cohortId) => [{ deliveryId: null, number: 1, sourceDir: found(selectFirst.get({ cohortId }), 'cohort', cohortId).sourceDir }, ...selectDeliveries.all({ cohortId })],
    files: (cohortId, deliveryId) => selectFiles.all({ cohortId, deliveryId }),
    imageHashes: (of) => ('deliveryId' in of ? selectHashesOfDelivery.all(of) : selectHashesOfCohort.all(of)) as string[],
    isHeld: (sha256) => selectHeld.get({ sha256 }) !== undefined,
    relink: (cohortId, deliveryId, sourceDir, seen) => relink.immediate(cohortId, deliveryId, sourceDir, seen),
  }
}
