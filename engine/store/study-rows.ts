import type { TextMask } from '../domain/curation.ts'
import type { ImportedItem } from '../domain/import.ts'
import type { Sex, StudyItem } from '../domain/records.ts'
import type { AbsenceReason, Slot } from '../domain/slots.ts'

/** Columns of `studies` and `items`: written by the import, read by the patient page, and named nowhere else. */

export interface StudyRow {
  cohort_id: number
  patient_id: number
  study_key: string
  ordinal: number
  source_rows: string
  age_years: number | null
  sex: Sex | null
  site: string | null
  /** Moved; see domain/visit-dates.ts. */
  study_date: string | null
  date_problems: string
}

export interface ItemRow {
  study_id: number
  slot_id: string
  is_present: 0 | 1
  reason: AbsenceReason | null
  detail: string | null
  source_path: string | null
  sha256: string | null
  byte_size: number | null
  width_px: number | null
  height_px: number | null
  text: string | null
  frame: number
  frame_count: number | null
}

export function itemToRow(studyId: number, item: ImportedItem): ItemRow {
  return {
    study_id: studyId, slot_id: item.slotId, is_present: item.isPresent ? 1 : 0, reason: item.reason, detail: item.detail, source_path: item.sourcePath,
    sha256: item.sha256, byte_size: item.byteSize, width_px: item.widthPx, height_px: item.heightPx, text: item.text,
    frame: item.frame ?? 0, frame_count: item.frameCount ?? null,
  }
}

/** The item as decisions leave it: `isExcluded` takes it away, `mask` hides words of its text. */
export function rowToItem(row: ItemRow, slot: Slot, { isExcluded, mask }: { isExcluded: boolean; mask: TextMask | undefined }): StudyItem {
  const isPresent = row.is_present === 1 && !isExcluded
  const parts = row.text === null || mask === undefined ? null : mask.parts(row.text)
  return {
    slotId: row.slot_id, modality: slot.modality, title: slot.title, letter: slot.letter, isPresent, reason: row.is_present === 1 && isExcluded ? 'excluded' : row.reason, detail: row.detail,
    sourcePath: row.source_path, sha256: row.sha256, byteSize: row.byte_size, widthPx: row.width_px, heightPx: row.height_px, text: isPresent ? (mask && row.text !== null ? mask.apply(row.text) : row.text) : null,
    frame: row.frame, ...(row.frame_count === null ? {} : { frameCount: row.frame_count }),
    textParts: isPresent && parts?.some(({ isMasked }) => isMasked) === true ? parts : null,
  }
}
