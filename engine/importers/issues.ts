import type { ErrorCode } from '../domain/errors.ts'
import { errorCatalog } from '../domain/errors.ts'
import type { ImportIssue } from '../domain/import.ts'

type Severity = ImportIssue['severity']

const severityOrder: readonly Severity[] = ['blocks', 'rejects-row', 'marks-missing', 'note']
const maxExamples = 20
/** Notes that put privacy or results in doubt stand before those on housekeeping, however many files the latter count. */
const weightyNotes: ReadonlySet<ErrorCode> = new Set([
  'IMPORT_LABEL_IDENTIFIER', 'IMPORT_PRIVACY_RESIDUE', 'IMPORT_PRIVACY_UNREADABLE', 'IMPORT_PRIVACY_HEADER', 'IMPORT_IMAGE_TEXT', 'IMPORT_LABEL_WORDS', 'IMPORT_DATE_IMPOSSIBLE', 'IMPORT_DATE_AGE', 'IMPORT_DATE_EXCHANGED',
  'IMPORT_AGE_IMPLAUSIBLE', 'IMPORT_ATTRIBUTES_DIFFER',
] satisfies ErrorCode[])

/** Plain title of each kind of problem; the count stands beside it on the page. */
const titles: Partial<Record<ErrorCode, string>> = {
  IMPORT_ID_BLANK: 'Rows without a patient or study ID',
  IMPORT_ROW_CELLS: 'Rows whose cells do not fit the header',
  IMPORT_DUPLICATE_ROW: 'Rows that repeat an earlier row exactly',
  IMPORT_CONFLICTING_ROWS: 'Rows of one study that contradict each other',
  IMPORT_LABEL_INVALID: 'Rows with a label cell that is neither yes, no nor blank',
  IMPORT_LABEL_SPELLINGS: 'Labels written in several spellings',
  IMPORT_DELIVERY_LABELS: 'Labels that the cohort does not have',
  IMPORT_REPORT_AMBIGUOUS: 'Reports that cannot be told apart',
  IMPORT_REPORT_MISSING: 'Report files named in the table that are not in the folder',
  IMPORT_REPORT_UNREADABLE: 'Report files without text that can be read',
  IMPORT_REPORT_NONE: 'Studies without a report file',
  IMPORT_REPORT_UNUSED: 'Report files that belong to no study',
  IMPORT_RULES_CHANGED: 'Rules for labels from reports that changed since this mapping was made',
  IMPORT_LABEL_WORDS: 'Words in the text that give a label away',
  IMPORT_HEADER_REPAIRED: 'Column titles that had to be repaired',
  IMPORT_BLANK_ROWS: 'Empty rows passed over',
  IMPORT_ENCODING_GUESSED: 'The table is not in Unicode; its encoding was guessed',
  IMPORT_TEXT_DAMAGED: 'Cells with letters that were lost before this import',
  IMPORT_AGE_IMPLAUSIBLE: 'Ages that cannot be true',
  IMPORT_DATE_ORDER: 'What comes first in a column of dates',
  IMPORT_DATE_TEXTS: 'Dates in texts are read in another order than those of the table',
  IMPORT_DATE_EXCHANGED: 'Dates whose day and month were probably exchanged',
  IMPORT_DATE_UNREADABLE: 'Dates that cannot be read',
  IMPORT_DATE_IMPOSSIBLE: 'Dates that cannot be true',
  IMPORT_DATE_AGE: 'Ages that contradict the dates',
  IMPORT_DATE_HEADER: 'Images made on another day than the table says',
  IMPORT_DATE_ROWS: 'Rows of one study with different dates',
  IMPORT_AGE_PLACEHOLDER: 'Ages that look like placeholders',
  IMPORT_ATTRIBUTES_DIFFER: 'Rows of one study that differ in age or sex',
  IMPORT_JOIN_UNMATCHED: 'Rows without a partner in the other table',
  IMPORT_TEXT_GAPS: 'Texts from which words were removed (XXXX, [**…**])',
  IMPORT_TEXT_REPEATED: 'Texts that repeat another one word for word',
  IMPORT_VIEW_UNMATCHED: 'Rows whose view belongs to no image slot',
  IMPORT_TABLE_EMPTY: 'The table has no rows',
  IMPORT_FOLDER_UNREADABLE: 'Subfolders that cannot be read',
  IMPORT_IMAGE_AMBIGUOUS: 'Image names that fit several files',
  IMPORT_IMAGE_DUPLICATE: 'The same picture more than once',
  IMPORT_IMAGE_UNUSED: 'Image files that no row of the table names',
  IMAGE_NOT_FOUND: 'Images named in the table that are not in the folder',
  IMAGE_EMPTY: 'Image files with zero bytes',
  IMAGE_DAMAGED: 'Image files that are cut short or damaged',
  IMAGE_UNSUPPORTED: 'Files that are not a supported picture',
  IMAGE_TOO_LARGE: 'Images that are too large',
  DICOM_UNREADABLE: 'DICOM files that cannot be read',
  DICOM_NO_IMAGE: 'DICOM files without a picture (reports, plans, lists)',
  IMPORT_LABEL_IDENTIFIER: 'Labels that may identify a person',
  IMPORT_PRIVACY_RESIDUE: 'Patient numbers that could not be removed',
  IMPORT_PRIVACY_UNREADABLE: 'Texts that no rule can read',
  IMPORT_PRIVACY_HEADER: 'Texts whose DICOM header cannot be read',
  IMPORT_IMAGE_TEXT: 'Images that may show text',
  DICOM_HEADER_INCOMPLETE: 'DICOM images whose header lacks what is needed',
  DICOM_PHOTOMETRIC_UNSUPPORTED: 'DICOM images in a kind of colour that cannot be read',
  DICOM_SYNTAX_UNSUPPORTED: 'DICOM images compressed in a way that cannot be read',
  DICOM_PIXELS_SHORT: 'DICOM images that are cut short',
  DICOM_FRAME_DAMAGED: 'DICOM images whose compressed pixels are damaged',
  DICOM_DIRECTORY_INCOMPLETE: 'Files that the DICOMDIR names are not in the folder',
  DICOM_FOR_PROCESSING: 'Raw detector images, not meant for reading',
  DICOM_MULTI_FRAME: 'DICOM files with several frames, of which one is used',
  DICOM_FRAME_MISSING: 'Files without the chosen frame',
}

/** Collects problems by kind while a source is read; never holds cell contents, IDs or file names of patients. */
export interface IssueCollector {
  /** `count` says how many rows or files this call stands for (default 1). */
  add: (code: ErrorCode, severity: Severity, row: number | null, detail: string, count?: number) => void
  list: () => ImportIssue[]
}

/** An empty collector; `list` sorts worst first, weighty notes before others, then by count. */
export function createIssueCollector(): IssueCollector {
  const issues = new Map<string, ImportIssue>()
  return {
    add(code, severity, row, detail, count = 1) {
      const key = `${code} ${severity}`
      let issue = issues.get(key)
      if (!issue) {
        issue = { code, severity, title: titles[code] ?? code, fix: errorCatalog[code].fix, count: 0, examples: [] }
        issues.set(key, issue)
      }
      issue.count += count
      if (issue.examples.length < maxExamples) issue.examples.push({ row, detail })
    },
    list() {
      return [...issues.values()].sort((a, b) =>
        severityOrder.indexOf(a.severity) - severityOrder.indexOf(b.severity) || Number(weightyNotes.has(b.code)) - Number(weightyNotes.has(a.code)) || b.count - a.count || (a.code < b.code ? -1 : 1))
    },
  }
}
