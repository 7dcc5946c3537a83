/**
 * The closed list of everything that can go wrong because of a user, a file or the machine.
 * Each code carries one concrete fix in plain words; the message of a thrown AppError says what happened and where.
 * Only bugs are assertions; those never get a code.
 */
export const errorCatalog = {
  // requests and contract
  REQUEST_INVALID: { fix: 'Restart Lacuna. If it happens again, report the steps that led here.' },
  REQUEST_FORBIDDEN: { fix: 'Only the application window may ask for this. Restart Lacuna.' },
  // store
  STORE_NEWER_THAN_APP: { fix: 'Open this database with the newer version of Lacuna that wrote it.' },
  STORE_MIGRATION_FAILED: { fix: 'Restore the backup that lies beside the database, then report the message.' },
  STORE_CORRUPT: { fix: 'Restore the last backup of the database; originals were not touched.' },
  STORE_LOCKED: { fix: 'Close the other Lacuna window or command that uses this database, then try again.' },
  STORE_DISK_FULL: { fix: 'Free some disk space, then resume; everything saved so far is kept.' },
  STORE_NOT_FOUND: { fix: 'Check the identifier; the item may have been deleted.' },
  STORE_KEY_INVALID: { fix: 'Restore the file that ends in ".key" beside the database from a backup; other pseudonyms would be made without it.' },
  STORE_KEY_MISSING: { fix: 'Put the file that ends in ".key" back beside the database, from a backup. Without it new data of the same patients would get other pseudonyms, and the images could not be found. If it is lost for good, import into a new database.' },
  STORE_KEY_NOT_WRITTEN: { fix: 'Check the rights and the free space of the folder of the database, then start again.' },
  STORE_NAME_TAKEN: { fix: 'Choose another name.' },
  STORE_FILE_MISSING: { fix: 'Check the path of the database file.' },
  STORE_NOT_LACUNA: { fix: 'Choose a database that Lacuna wrote, or a new file name.' },
  STORE_NOT_WRITABLE: { fix: 'Check the rights of the folder, or copy the database to a folder you can write to.' },
  STORE_UPDATE_NEEDED: { fix: 'Open this database in the app once, which brings it up to date, then try again.' },
  STORE_WRONG_STATE: { fix: 'Reload the page; the item has moved on since it was shown.' },
  STORE_IMPORT_INCOMPLETE: { fix: 'Resume the import; it cannot be finished before every row is accounted for.' },
  STORE_IMPORT_CHANGED: { fix: 'The table or mapping is not the one this import began with. Import it as a new cohort.' },
  STORE_STUDY_TWICE: { fix: 'Map a study column that tells the visits of a patient apart.' },
  STORE_PREDICTIONS_DIFFER: { fix: 'Start a new run; the predictions stored for this one came from other weights.' },
  // decisions over a cohort
  CURATION_INVALID: { fix: 'Open the alarms of the cohort again; it changed, or the decision names something that it does not have.' },
  CURATION_UNDONE: { fix: 'Nothing is to be done: the decision does not count any more.' },
  // runs
  RUN_NO_STUDIES: { fix: 'Choose modalities that at least some studies of the cohort have.' },
  RUN_TOO_FEW_PATIENTS: { fix: 'Import more patients, or use fewer folds.' },
  RUN_LABEL_UNUSABLE: { fix: 'Leave this label out of the run.' },
  RUN_TASK_UNFIT: { fix: 'Let several labels apply (task "multi-label"), or choose classes of which each study has exactly one.' },
  RUN_MISSINGNESS_INVALID: { fix: 'Change the simulated missingness in the run settings as the message says.' },
  RUN_COHORT_CHANGED: { fix: 'Start a new run on the cohort as it is now.' },
  RUN_COHORT_NOT_READY: { fix: 'Finish the import of this cohort first (Cohorts, Resume).' },
  RUN_FILE_CHANGED: { fix: 'Put the original file back, or import the changed delivery as a new cohort.' },
  RUN_WRONG_STATE: { fix: 'Reload the run page; the run has moved on.' },
  RUN_CHECKPOINT_MISSING: { fix: 'Train the run again; its checkpoint folder was moved or deleted.' },
  RUN_CHECKPOINT_MISMATCH: { fix: 'Use the checkpoint with the backbone and modalities it was trained on.' },
  RUN_CHECKPOINT_DAMAGED: { fix: 'Copy the checkpoint folder again as a whole, or train the run again.' },
  RUN_DIVERGED: { fix: 'Lower the learning rate (try a tenth) and start again.' },
  EXPORT_FAILED: { fix: 'Choose another folder with enough space that you may write to.' },
  REIDENTIFY_FILE: { fix: 'Name a file written by "lacuna reidentify export".' },
  REIDENTIFY_PASSPHRASE: { fix: 'Use the passphrase the file was written with; a new one needs at least 12 characters.' },
  CLI_USAGE: { fix: 'Run "npx lacuna help" to see the commands and their options.' },
  // import
  IMPORT_FOLDER_MISSING: { fix: 'Connect the drive or choose the folder again, then resume; everything imported so far is kept.' },
  IMPORT_FOLDER_UNREADABLE: { fix: 'Ask for the right to read this folder, or copy it to a place you can read, then resume.' },
  IMPORT_FILE_FAILED: { fix: 'Check the drive or network connection, then resume; everything imported so far is kept.' },
  IMPORT_TABLE_MISSING: { fix: 'Choose the table again; it was moved, renamed or its drive is not connected.' },
  IMPORT_TABLE_UNSUPPORTED: { fix: 'Open the table in a spreadsheet program and save it as XLSX or CSV without a password.' },
  IMPORT_TABLE_UNREADABLE: { fix: 'Open the table in a spreadsheet program, check the named row and save it again as CSV (UTF-8) or XLSX.' },
  IMPORT_TABLE_TOO_LARGE: { fix: 'Save the table as CSV, or split it into several tables.' },
  IMPORT_TABLE_EMPTY: { fix: 'Choose a table with a header line and at least one row below it.' },
  IMPORT_SHEET_MISSING: { fix: 'Choose one of the sheets of this workbook.' },
  IMPORT_SOURCE_CHANGED: { fix: 'Put the first version of the table back to resume, or import the new one as a new cohort.' },
  IMPORT_IMAGES_CHANGED: { fix: 'Put the first delivery of the images back to resume, or import the new one as a new cohort.' },
  IMPORT_COLUMN_MISSING: { fix: 'Map this field to one of the columns of the table.' },
  IMPORT_MAPPING_INVALID: { fix: 'Go back to the Columns step and correct the mapping.' },
  IMPORT_LABELS_TOO_MANY: { fix: 'Choose a label column with at most 200 different labels, or change how its cells are split.' },
  IMPORT_ID_BLANK: { fix: 'Fill in the patient or study ID of these rows, or leave them out.' },
  IMPORT_ROW_CELLS: { fix: 'Correct these rows in the table: a separator or quotation mark is missing or too many.' },
  IMPORT_DUPLICATE_ROW: { fix: 'Nothing to do: the first copy is imported. Remove the repeats if they were meant to differ.' },
  IMPORT_CONFLICTING_ROWS: { fix: 'Keep one row for each patient, map a study column, or choose "one row = one study".' },
  IMPORT_LABEL_INVALID: { fix: 'Correct the label cells: 1, 0, yes, no, true, false, x or blank for unknown.' },
  IMPORT_LABEL_SPELLINGS: { fix: 'Check that the spellings mean the same; they were joined.' },
  IMPORT_LABEL_WORDS: { fix: 'Leave this text out, or use text written before the diagnosis; a model would read the answer instead of learning it.' },
  IMPORT_HEADER_REPAIRED: { fix: 'Check the named columns; give every column its own title in the table.' },
  IMPORT_BLANK_ROWS: { fix: 'Nothing to do: empty rows are passed over.' },
  IMPORT_ENCODING_GUESSED: { fix: 'Check accents and special letters in the preview; if they look wrong, save the table as CSV (UTF-8).' },
  IMPORT_TEXT_DAMAGED: { fix: 'Export the table again as UTF-8 if these letters matter; the replacement signs are kept as they are.' },
  IMPORT_AGE_IMPLAUSIBLE: { fix: 'Check the ages; these are stored as unknown.' },
  IMPORT_REPORT_AMBIGUOUS: { fix: 'Name the report file of each study in a column of the table, or choose a column or pattern that only one file fits.' },
  IMPORT_REPORT_MISSING: { fix: 'Put the report files into the folder of the images, or correct their names in the table.' },
  IMPORT_REPORT_UNREADABLE: { fix: 'Export these reports again as text, or as PDF with text in it; a scan has to go through text recognition first.' },
  IMPORT_REPORT_NONE: { fix: 'Nothing to do if these studies have no report; otherwise choose another column or pattern for the names of the report files.' },
  IMPORT_REPORT_UNUSED: { fix: 'Nothing to do, unless these reports were meant to be imported; then check their names against the table.' },
  IMPORT_RULES_CHANGED: { fix: 'Import the source as a new cohort, so that all its reports are read with the same rules.' },
  IMPORT_VALUE_NOT_NUMBER: { fix: 'Correct these cells, or map the column as a category; they are stored as unknown.' },
  IMPORT_DATE_ORDER: { fix: 'Choose what comes first in this date column (Columns step, or --study-date-order and --birth-date-order), or import without it.' },
  IMPORT_DATE_TEXTS: { fix: 'Choose the same order on the Privacy step (or with --date-order), unless the texts were written elsewhere; otherwise their dates are moved to wrong days.' },
  IMPORT_DATE_EXCHANGED: { fix: 'Have this column written again as year-month-day by the system it comes from. To import it as it stands, choose its order; check some dates first.' },
  IMPORT_DATE_UNREADABLE: { fix: 'Write these dates as year-month-day, such as 2020-03-14, or blank them; their studies are imported without a day.' },
  IMPORT_DATE_IMPOSSIBLE: { fix: 'Correct these dates in the table; until somebody decides on the Alarms page, they do not count.' },
  IMPORT_DATE_AGE: { fix: 'Check date of birth, date and age of these rows: one of them is wrong.' },
  IMPORT_DATE_HEADER: { fix: 'Check that the image belongs to this row: its file was made on another day than the table says.' },
  IMPORT_DATE_ROWS: { fix: 'If these rows are different visits, choose a column with the study ID, or take every row as a study (Columns step); otherwise correct the dates.' },
  IMPORT_AGE_PLACEHOLDER: { fix: 'Check whether this age stands for "unknown"; if so, blank it in the table.' },
  IMPORT_ATTRIBUTES_DIFFER: { fix: 'Check age and sex in these rows; the first age is kept, a contradicting sex is stored as unknown.' },
  IMPORT_JOIN_UNMATCHED: { fix: 'Check that both columns hold the same IDs; rows that find no partner are kept without its cells.' },
  IMPORT_TEXT_GAPS: { fix: 'Nothing to do, unless the removed words matter; a model reads the placeholder as a word.' },
  IMPORT_TEXT_REPEATED: { fix: 'Nothing to do for standard sentences; texts of one patient stay on one side of a split, those of two patients may not.' },
  PRIVACY_LIST_UNREADABLE: { fix: 'Choose a plain text file in UTF-8 of at most 1 MB, one word or name in each line.' },
  IMPORT_PRIVACY_UNREADABLE: { fix: 'Save the table again as CSV (UTF-8) or XLSX from the program that wrote it, or blank these texts; then check again.' },
  IMPORT_PRIVACY_HEADER: { fix: 'Export these files again from their archive, or blank their names in the table; then check again.' },
  IMPORT_PRIVACY_RESIDUE: { fix: 'Add the word to your own list in the privacy step, blank it in the table, or map another column as the label.' },
  IMPORT_LABEL_IDENTIFIER: { fix: 'Correct these label cells in the table; where the word is no name but a class, write it as another word, or switch off the rule that took it in the privacy step.' },
  IMPORT_VIEW_UNMATCHED: { fix: 'Add the view of these rows to one of the image slots if their images are wanted.' },
  IMPORT_IMAGE_AMBIGUOUS: { fix: 'Write the subfolder into the table, or make the file names unique.' },
  IMPORT_IMAGE_DUPLICATE: { fix: 'Check these rows: the same picture under two patients makes results look better than they are.' },
  IMPORT_IMAGE_TEXT: { fix: 'Look at these images after the import (cohort page, Text in images): keep or leave out each; or choose to leave them out in the privacy step.' },
  IMPORT_IMAGE_UNUSED: { fix: 'Nothing to do, unless these images were meant to be imported; then check the file names in the table.' },
  IMPORT_DELIVERY_RUN_ACTIVE: { fix: 'Wait for the run to end, or cancel it, then try again.' },
  IMPORT_DELIVERY_MISFIT: { fix: 'Use the mapping that the cohort was imported with, or import the delivery as a new cohort.' },
  IMPORT_DELIVERY_LABELS: { fix: 'Leave the new labels out, or import the delivery as a new cohort, where they become labels of their own.' },
  IMPORT_UNDO_USED: { fix: 'Delete these runs first if they are no longer needed; their predictions and reviews go with them.' },
  IMPORT_UNDO_ORDER: { fix: 'Undo the later deliveries first, or remove the whole cohort.' },
  IMPORT_ORIGINALS_GONE: { fix: 'Plug the drive in, or choose where the folder lies now under "Check the originals" on the cohort page.' },
  IMPORT_ORIGINALS_DIFFER: { fix: 'Choose the folder that holds the same files. Files that were changed on purpose are a delivery of their own ("Add a delivery").' },
  IMPORT_MAPPING_FILE: { fix: 'Choose a JSON file that Lacuna exported as a mapping.' },
  // engine
  ENGINE_CRASHED: { fix: 'Resume the job; at most one epoch or one batch of files is repeated.' },
  ENGINE_UNAVAILABLE: { fix: 'Restart Lacuna. If it repeats, ask whoever installed it to set it up again ("npm run setup" says what is missing); cohorts and runs stay.' },
  ENGINE_BUSY: { fix: 'Wait for the running job to finish, or cancel it in the jobs tray.' },
  ENGINE_UNRESPONSIVE: { fix: 'The job was stopped; resume it. If it repeats, lower the batch size.' },
  // text and images
  TOKENIZER_INVALID: { fix: 'Choose the tokenizer.json or vocab.txt that was delivered with this backbone.' },
  IMAGE_NOT_FOUND: { fix: 'Put the file back, or map the image column to the folder where it lies.' },
  IMAGE_EMPTY: { fix: 'Copy the file again from its source; it has no content.' },
  IMAGE_UNSUPPORTED: { fix: 'Export the image as JPEG, PNG or TIFF and import it again.' },
  IMAGE_DAMAGED: { fix: 'Copy the file again from its source; it is cut short or damaged.' },
  IMAGE_TOO_LARGE: { fix: 'Export the image at a smaller size and import it again.' },
  DICOM_UNREADABLE: { fix: 'Export the file again from its archive; it is damaged or not a DICOM file.' },
  DICOM_NO_IMAGE: { fix: 'Nothing to do if a report or plan was meant; otherwise export the image itself from the archive.' },
  DICOM_HEADER_INCOMPLETE: { fix: 'Export the image again from its archive; its header lacks what is needed to show it rightly.' },
  DICOM_PHOTOMETRIC_UNSUPPORTED: { fix: 'Export the image as greyscale or RGB from its archive.' },
  DICOM_SYNTAX_UNSUPPORTED: { fix: 'Export the image uncompressed ("Explicit VR Little Endian") from its archive.' },
  DICOM_PIXELS_SHORT: { fix: 'Copy or export the file again; a part of its pixels is missing.' },
  DICOM_MULTI_FRAME: { fix: 'Nothing to do if that frame is the one that is meant; otherwise choose another (Columns step, or --frame). For several frames, make one item of each.' },
  DICOM_FRAME_MISSING: { fix: 'Choose a frame that every file has, such as the middle one (Columns step, or --frame), or export these files again with all of their frames.' },
  DICOM_DIRECTORY_INCOMPLETE: { fix: 'Copy the whole medium again; files that its DICOMDIR names are missing from the folder.' },
  DICOM_FOR_PROCESSING: { fix: 'Export these images "for presentation" as well, if the archive has them: raw ones look different from what was reported on.' },
  DICOM_FRAME_DAMAGED: { fix: 'Copy or export the file again; its compressed pixels are damaged.' },
  // compute and backbones
  COMPUTE_UNAVAILABLE: { fix: 'Ask whoever installed Lacuna to set it up again ("npm run setup" names what is missing on this machine); cohorts and runs stay.' },
  COMPUTE_CHOICE_FAILED: { fix: 'Do what the message says, or let Lacuna choose again on the page "This workstation" ("npx lacuna device --use auto").' },
  COMPUTE_OUT_OF_MEMORY: { fix: 'Close other programs, or use a smaller backbone, fewer images for each patient or a shorter text length; then resume.' },
  COMPUTE_DEVICE_LOST: { fix: 'Resume the run: it goes on from the last finished epoch. If it repeats, update the graphics driver or choose the processor on the page "This workstation" ("npx lacuna device --use cpu").' },
  WEIGHTS_FILE_MISSING: { fix: 'Add the backbone again from its original folder. If it is the built-in one, ask whoever installed Lacuna to set it up again ("npm run setup").' },
  WEIGHTS_FILE_INVALID: { fix: 'Copy or download the weights file again; it was probably cut short.' },
  WEIGHTS_CLAIM_TOO_LARGE: { fix: 'Do not use this file; it claims more data than it holds. Get it again from its publisher.' },
  WEIGHTS_PICKLE_REFUSED: { fix: 'Ask for the model as safetensors, or save only its tensors (the state dict) in the library that wrote it.' },
  WEIGHTS_NOT_FINITE: { fix: 'Get the weights again from their publisher; these were damaged or their training broke down.' },
  WEIGHTS_TENSOR_MISSING: { fix: 'Check that the weights belong to this architecture (config.json beside them).' },
  WEIGHTS_SHAPE_MISMATCH: { fix: 'Check that config.json and the weights file come from the same model.' },
  BACKBONE_FOLDER_INCOMPLETE: { fix: 'Choose the whole folder as its publisher offers it: config.json, the weights and the files of the tokeniser.' },
  BACKBONE_ALREADY_ADDED: { fix: 'Use the one that is there; its name, licence and source can be edited.' },
  BACKBONE_NOT_FOUND: { fix: 'Choose one of the backbones on the Backbones screen.' },
  BACKBONE_REMOVED: { fix: 'Add the backbone again from the same files; a run finds it by its content.' },
  BACKBONE_IN_USE: { fix: 'Wait for these runs to end, or cancel them, then remove the backbone.' },
  BACKBONE_LACKS_MODALITY: { fix: 'Leave this modality out of the run, or choose a backbone that reads it.' },
  BACKBONE_METHOD_UNSUPPORTED: { fix: 'Choose late fusion or a baseline for separate encoders, or a backbone that reads text and images together.' },
  BACKBONE_CONFIG_UNSUPPORTED: { fix: 'Use one of the architectures listed on the Backbones screen.' },
  BACKBONE_CHANGED: { fix: 'Restore the weights file the run was trained with, or train again on the new one.' },
  TEXT_TOO_LONG: { fix: 'Lower the text length in the run settings; longer notes are then cut at that length.' },
  IMAGE_SHAPE_UNSUPPORTED: { fix: 'Leave this image out, or crop it to a less extreme shape.' },
  METHOD_UNKNOWN: { fix: 'Choose one of the methods listed on the run screen.' },
  METHOD_COMBINATION_UNTRAINED: { fix: 'Train on patients with this combination, or let the base network answer ("untrained combinations" in the run settings).' },
  TRAINING_INPUT_EMPTY: { fix: 'Leave this patient out, or give at least one modality.' },
  TRAINING_DIVERGED: { fix: 'Lower the learning rate, or check the labels for mistakes, then start again.' },
  CHECKPOINT_MISMATCH: { fix: 'Load the checkpoint with the method, labels and modalities it was trained with.' },
} as const satisfies Record<string, { fix: string }>

export type ErrorCode = keyof typeof errorCatalog

/** An error the user can act on: a code from the catalog, a message saying what and where, a concrete fix. */
export class AppError extends Error {
  readonly code: ErrorCode
  readonly fix: string
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'AppError'
    this.code = code
    this.fix = errorCatalog[code].fix
  }
}

/** What crosses a process boundary in place of an Error object. */
export interface ErrorOutcome {
  code: ErrorCode
  message: string
  fix: string
}

/** Turns any thrown value into an outcome; an unknown error is reported under `fallback` with its own message. */
export function toErrorOutcome(error: unknown, fallback: ErrorCode): ErrorOutcome {
  if (error instanceof AppError) return { code: error.code, message: error.message, fix: error.fix }
  const message = withoutPaths(error instanceof Error ? error.message : String(error))
  return { code: fallback, message, fix: errorCatalog[fallback].fix }
}

/**
 * A message of a library or of the system without what it cites: paths, whose parts name patients more often than not, and the pieces of a text
 * that a parser or a pattern stumbled over. Places in our own code stay.
 */
export function withoutPaths(text: string): string {
  return text
    .replace(/Unexpected token .*? is not valid JSON/gs, 'Unexpected token in a text that is not valid JSON')
    .replace(/Invalid regular expression: \/.*\/[a-z]*:/gs, 'Invalid regular expression: …')
    .replace(/(['"`])[^'"`\n]*[\\/][^'"`\n]*\1/g, '$1…$1')
    .replace(/(?<![\w.:/\\…])(?:[A-Za-z]:[\\/]|[\\/])[^\s'"`()<>|]+(?: [^\s'"`()<>|]*[\\/][^\s'"`()<>|]*)*/g, (token) => (/\.[cm]?[jt]sx?(?::\d+)*$/.test(token) ? token : '…'))
}

/** Rebuilds the AppError on the receiving side of a process boundary. */
export function fromErrorOutcome(outcome: ErrorOutcome): AppError {
  return new AppError(outcome.code, outcome.message)
}
