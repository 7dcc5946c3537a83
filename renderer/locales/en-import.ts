/** Strings of the import wizard and the import report. Numbers arrive formatted. */
export const enImport = {
  title: 'Import data',
}
