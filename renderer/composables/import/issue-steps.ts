import type { ErrorCode } from '../../../engine/domain/errors.ts'
import type { WizardStep } from './wizard-state.ts'

/** Problems that are solved by another mapping or another source; all others are solved in the files themselves. */
const steps: Partial<Record<ErrorCode, WizardStep>> = {
  IMPORT_TABLE_EMPTY: 'source',
  IMPORT_SHEET_MISSING: 'source',
  IMPORT_TABLE_MISSING: 'source',
  IMPORT_FOLDER_MISSING: 'source',
  IMAGE_NOT_FOUND: 'source',
  IMPORT_ENCODING_GUESSED: 'source',
  IMPORT_COLUMN_MISSING: 'columns',
  IMPORT_MAPPING_INVALID: 'columns',
  IMPORT_CONFLICTING_ROWS: 'columns',
  IMPORT_ID_BLANK: 'columns',
  IMPORT_LABELS_TOO_MANY: 'columns',
  IMPORT_LABEL_INVALID: 'columns',
  IMPORT_LABEL_WORDS: 'columns',
  IMPORT_VIEW_UNMATCHED: 'columns',
  IMPORT_LABEL_IDENTIFIER: 'source',
  IMPORT_PRIVACY_RESIDUE: 'privacy',
  IMPORT_PRIVACY_UNREADABLE: 'source',
  IMPORT_PRIVACY_HEADER: 'source',
  IMPORT_IMAGE_TEXT: 'privacy',
  IMPORT_IMAGE_AMBIGUOUS: 'columns',
  IMPORT_AGE_IMPLAUSIBLE: 'columns',
  IMPORT_DATE_ORDER: 'columns',
  IMPORT_DATE_TEXTS: 'privacy',
  IMPORT_DATE_EXCHANGED: 'columns',
  IMPORT_DATE_ROWS: 'columns',
  IMPORT_DATE_UNREADABLE: 'columns',
  DICOM_MULTI_FRAME: 'columns',
  DICOM_FRAME_MISSING: 'columns',
  STORE_STUDY_TWICE: 'columns',
}

/** Handled by themselves: what the engine did is right unless the reader knows better. */
const settled = new Set<ErrorCode>(['IMPORT_DUPLICATE_ROW', 'IMPORT_BLANK_ROWS', 'IMPORT_IMAGE_UNUSED'])

/** False for problems that ask nothing of the reader. */
export const needsAction = (code: ErrorCode): boolean => !settled.has(code)

/** The step where a problem can be solved; null when only the files can be put right. */
export function stepOfIssue(code: ErrorCode): WizardStep | null {
  return steps[code] ?? null
}
