/** Text items that come from files: what the wizard says of them. */
export const enReportFiles = {
  textBy: 'Where the text stands',
  textBys: { template: 'In columns of the table', files: 'In report files of the folder' },
  summary: (columns: readonly string[], pattern: string) => `files named by ${columns.join(', ') || '…'}${pattern === '{id}' ? '' : ` as ${pattern}`}`,
  columns: 'Columns that name the file',
  columnsHint: 'Tried in this order: a file path or name, the patient ID, an accession number, a study UID, the name of an image. DICOM reports are also found by the numbers in their headers.',
  addColumn: 'Add a column',
  removeColumn: (column: string) => `Remove ${column}`,
  pattern: 'File name',
  patternHint: '{id} stands for the cell, * for any characters; the ending may be left out. A file that fits several studies, or a study that several files fit, is left out and told.',
  kinds: 'Text files (.txt), PDF with text, DICOM structured reports, and PDF inside DICOM are read. Scanned pages hold no text and are told.',
}
