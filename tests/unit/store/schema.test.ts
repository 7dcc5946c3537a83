import SqliteDatabase from 'better-sqlite3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { join } from 'node:path'
import { openStore } from '../../../engine/store/open.ts'
import { addCohort, addRun, makeBlock, sha256, summary, temporaryFolder } from './fixtures.ts'

/** A filled database, opened past the store: what the tables themselves hold against a wrong or hostile writer. */
function openFilled(finish = true): SqliteDatabase.Database {
  const path = join(temporaryFolder(), 'a.db')
  const store = openStore(path, { appVersion: '0.1.0' })
  const cohortId = addCohort(store, 6)
  const runId = addRun(store, cohortId)
  const { labels } = store.cohorts.get(cohortId)
  store.runs.setStatus(runId, 'running')
  store.predictions.addBlock(runId, makeBlock(store.patients.listStudyIds({ cohortId })), labels.map((label) => label.labelId))
  store.reviews.add({ runId, studyId: 1, labelId: null, verdict: 'agree', comment: '' })
  if (finish) store.runs.finish(runId, summary)
  store.close()
  const db = new SqliteDatabase(path)
  db.pragma('foreign_keys = ON')
  onTestFinished(() => void db.close())
  return db
}

const hash = sha256('x')
const cohort = (values: string) => `INSERT INTO cohorts (name, status, source_dir, table_file, mapping_json, created_at, ${values}`
const item = (isPresent: number, reason: string, source: string, digest: string) => `INSERT INTO items (study_id, slot_id, is_present, reason, source_path, sha256) VALUES (1, 'extra', ${isPresent}, ${reason}, ${source}, ${digest})`
const run = (columns: string, values: string) => `INSERT INTO runs (cohort_id, name, config_json, seed, app_version, code_version, cohort_hash, created_at${columns}) VALUES (1, 'r', '{}', 1, '1', 'c', '${hash}', 't'${values})`

const refused: [string, string][] = [
  ['a meta key without a name', `INSERT INTO meta VALUES ('', 'x')`],
  ['a blank cohort name', cohort(`sheet) VALUES ('  ', 'importing', '', '', '{}', 't', NULL)`)],
  ['a cohort name in other case', cohort(`sheet) VALUES ('EYES', 'importing', '', '', '{}', 't', NULL)`)],
  ['an unknown cohort status', cohort(`sheet) VALUES ('n', 'done', '', '', '{}', 't', NULL)`)],
  ['a mapping that is not JSON', cohort(`sheet) VALUES ('n', 'importing', '', '', '{', 't', NULL)`)],
  ['slots that are not JSON', cohort(`slots_json) VALUES ('n', 'importing', '', '', '{}', 't', '[')`)],
  ['an unknown task', cohort(`task) VALUES ('n', 'importing', '', '', '{}', 't', 'regression')`)],
  ['a table hash that is none', cohort(`table_sha256) VALUES ('n', 'importing', '', '', '{}', 't', 'abc')`)],
  ['a negative ordinal of a cohort', cohort(`next_ordinal) VALUES ('n', 'importing', '', '', '{}', 't', -1)`)],
  ['negative rows', cohort(`rows_in) VALUES ('n', 'importing', '', '', '{}', 't', -1)`)],
  ['a negative study total', cohort(`study_total) VALUES ('n', 'importing', '', '', '{}', 't', -1)`)],
  ['a ready cohort without a hash', cohort(`finished_at) VALUES ('n', 'ready', '', '', '{}', 't', 't')`)],
  ['a ready cohort without an end', cohort(`content_hash) VALUES ('n', 'ready', '', '', '{}', 't', '${hash}')`)],
  ['a ready cohort without a task', cohort(`content_hash, finished_at) VALUES ('n', 'ready', '', '', '{}', 't', '${hash}', 't')`)],
  ['a label without a cohort', `INSERT INTO labels (cohort_id, position, name) VALUES (99, 0, 'x')`],
  ['a second label at a position', `INSERT INTO labels (cohort_id, position, name) VALUES (1, 0, 'x')`],
  ['a label twice', `INSERT INTO labels (cohort_id, position, name) VALUES (1, 9, 'glaucoma')`],
  ['a label without a name', `INSERT INTO labels (cohort_id, position, name) VALUES (1, 9, '')`],
  ['a patient twice', `INSERT INTO patients (cohort_id, patient_key) VALUES (1, 'P00000')`],
  ['a patient without a key', `INSERT INTO patients (cohort_id, patient_key) VALUES (1, '')`],
  ['a study twice', `INSERT INTO studies (cohort_id, patient_id, study_key, ordinal, source_rows) VALUES (1, 1, 'visit-0', 99, '[1]')`],
  ['an ordinal twice', `INSERT INTO studies (cohort_id, patient_id, study_key, ordinal, source_rows) VALUES (1, 1, 'new', 0, '[1]')`],
  ['source rows that are no list', `INSERT INTO studies (cohort_id, patient_id, study_key, ordinal, source_rows) VALUES (1, 1, 'new', 99, '{}')`],
  ['a negative age', `INSERT INTO studies (cohort_id, patient_id, study_key, ordinal, source_rows, age_years) VALUES (1, 1, 'new', 99, '[1]', -1)`],
  ['an unknown sex', `INSERT INTO studies (cohort_id, patient_id, study_key, ordinal, source_rows, sex) VALUES (1, 1, 'new', 99, '[1]', 'F')`],
  ['presence that is neither', item(2, 'NULL', `'a'`, `'${hash}'`)],
  ['a present item with a reason', item(1, `'excluded'`, `'a'`, `'${hash}'`)],
  ['an absent item without a reason', item(0, 'NULL', `'a'`, 'NULL')],
  ['an unknown reason', item(0, `'lost'`, 'NULL', 'NULL')],
  ['a present item without a hash', item(1, 'NULL', `'a'`, 'NULL')],
  ['a present item without file or words', item(1, 'NULL', 'NULL', `'${hash}'`)],
  ['a hash in capitals', item(1, 'NULL', `'a'`, `'${hash.toUpperCase()}'`)],
  ['an item twice', `INSERT INTO items (study_id, slot_id, is_present, reason) VALUES (1, 'notes', 0, 'excluded')`],
  ['an impossible slot', `INSERT INTO items (study_id, slot_id, is_present, reason) VALUES (1, 'Right Eye', 0, 'excluded')`],
  ['a negative size', `INSERT INTO items (study_id, slot_id, is_present, reason, byte_size) VALUES (1, 'extra', 0, 'excluded', -1)`],
  ['an image without width', `INSERT INTO items (study_id, slot_id, is_present, reason, width_px) VALUES (1, 'extra', 0, 'excluded', 0)`],
  ['a label value that is neither', `UPDATE study_labels SET value = 2`],
  ['a rejected row before the table', `INSERT INTO rejected_rows (cohort_id, row, code, detail) VALUES (1, 0, 'X', '')`],
  ['more labelled studies than studies with the word', `INSERT INTO label_words (cohort_id, slot_id, word, label_name, studies_with_word, studies_with_word_and_label, auroc) VALUES (1, 'notes', 'w', 'l', 1, 2, 0.5)`],
  ['an AUROC above one', `INSERT INTO label_words (cohort_id, slot_id, word, label_name, studies_with_word, studies_with_word_and_label, auroc) VALUES (1, 'notes', 'w', 'l', 2, 1, 1.5)`],
  ['an unknown run status', run(', status', `, 'done'`)],
  ['a failed run without an error', run(', status, finished_at', `, 'failed', 't'`)],
  ['half an error', run(', status, error_code, finished_at', `, 'failed', 'X', 't'`)],
  ['a queued run with an error', run(', error_code, error_message', `, 'X', 'm'`)],
  ['a finished run without an end', run(', status', `, 'finished'`)],
  ['a split hash without a proof', run(', split_hash', `, 'h'`)],
  ['more trained than all parameters', run(', trained_parameters, total_parameters', ', 2, 1')],
  ['an unknown split', `INSERT INTO splits VALUES (1, 0, 1, 'holdout')`],
  ['a negative fold', `INSERT INTO splits VALUES (1, -1, 1, 'test')`],
  ['an epoch with an impossible AUROC', `INSERT INTO epochs VALUES (1, 0, 0, 0.5, NULL, 1.2, 0.1, 1, 0, 't')`],
  ['an epoch without a loss', `INSERT INTO epochs VALUES (1, 0, 0, NULL, NULL, NULL, 0.1, 1, 0, 't')`],
  ['an unknown kind of checkpoint', `INSERT INTO checkpoints (run_id, fold, kind, epoch, path, sha256, created_at) VALUES (1, 0, 'last', 0, 'p', '${hash}', 't')`],
  ['a probability above one', `INSERT INTO predictions SELECT max(id), (SELECT id FROM labels WHERE position = 0), 0, 1.1, 0.5 FROM prediction_sets`],
  ['a prediction set of no study', `INSERT INTO prediction_sets (run_id, fold, study_id, pattern_id, split, is_actual) VALUES (1, 0, 999, 1, 'test', 1)`],
  ['an unknown verdict', `INSERT INTO reviews (run_id, study_id, verdict, created_at) VALUES (1, 1, 'maybe', 't')`],
  ['an audit line whose details are no object', `INSERT INTO audit_log VALUES (99, 'e', '[]', 't', 'v', '${hash}', '${hash}')`],
  ['a text where a number belongs', `UPDATE studies SET age_years = 'old'`],
  // what was computed, reviewed or logged
  ['a changed prediction', 'UPDATE predictions SET probability = 1'],
  ['a deleted prediction', 'DELETE FROM predictions'],
  ['a changed prediction set', `UPDATE prediction_sets SET split = 'train'`],
  ['deleted predictions of a finished run', 'DELETE FROM prediction_sets'],
  ['a changed review', `UPDATE reviews SET verdict = 'disagree'`],
  ['a deleted review', 'DELETE FROM reviews'],
  ['a changed audit line', `UPDATE audit_log SET event = 'x'`],
  ['a deleted audit line', 'DELETE FROM audit_log'],
  ['a changed configuration', `UPDATE runs SET config_json = '{}'`],
  ['a changed seed', 'UPDATE runs SET seed = 2'],
  ['a finished run that runs again', `UPDATE runs SET status = 'running', finished_at = NULL`],
  ['new weights in a finished run', `UPDATE runs SET weights_hash = 'other'`],
  ['a study deleted under its predictions', 'DELETE FROM studies'],
]

describe('the schema', () => {
  const db = () => openFilled()
  it.each(refused)('refuses %s', (_name, sql) => {
    expect(() => db().exec(sql)).toThrow(expect.objectContaining({ code: expect.stringMatching(/^SQLITE_CONSTRAINT/) }))
  })

  it('lets reviews and predictions go with their run', () => {
    const filled = db()
    filled.exec('DELETE FROM runs')
    for (const table of ['predictions', 'prediction_sets', 'reviews']) expect(filled.prepare(`SELECT count(*) FROM ${table}`).pluck().get()).toBe(0)
  })

  it('lets the predictions of a fold go while the run is not finished', () => {
    const filled = openFilled(false)
    filled.exec('DELETE FROM prediction_sets')
    expect(filled.prepare('SELECT count(*) FROM predictions').pluck().get()).toBe(0)
  })
})
