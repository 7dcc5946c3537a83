-- First shape of the database. Timestamps are ISO 8601 text in UTC; SHA-256 is lower-case hex.

CREATE TABLE meta (
  key TEXT PRIMARY KEY NOT NULL CHECK (length(key) BETWEEN 1 AND 100),
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE cohorts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE COLLATE NOCASE CHECK (length(trim(name)) BETWEEN 1 AND 120),
  status TEXT NOT NULL DEFAULT 'importing' CHECK (status IN ('importing', 'ready')),
  source_dir TEXT NOT NULL,
  table_file TEXT NOT NULL,
  sheet TEXT,
  mapping_json TEXT NOT NULL CHECK (json_valid(mapping_json)),
  slots_json TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(slots_json)),
  task TEXT CHECK (task IN ('multi-label', 'multi-class')),
  table_sha256 TEXT CHECK (table_sha256 IS NULL OR (length(table_sha256) = 64 AND table_sha256 NOT GLOB '*[^0-9a-f]*')),
  -- Hash chain over the studies stored so far, in ordinal order; finishing turns it into content_hash.
  content_chain TEXT NOT NULL DEFAULT '',
  content_hash TEXT CHECK (content_hash IS NULL OR (length(content_hash) = 64 AND content_hash NOT GLOB '*[^0-9a-f]*')),
  created_at TEXT NOT NULL,
  finished_at TEXT,
  next_ordinal INTEGER NOT NULL DEFAULT 0 CHECK (next_ordinal >= 0),
  rows_in INTEGER NOT NULL DEFAULT 0 CHECK (rows_in >= 0),
  study_total INTEGER NOT NULL DEFAULT 0 CHECK (study_total >= 0),
  CHECK ((status = 'ready') = (content_hash IS NOT NULL)),
  CHECK ((status = 'ready') = (finished_at IS NOT NULL)),
  CHECK (status = 'importing' OR (task IS NOT NULL AND table_sha256 IS NOT NULL))
) STRICT;

CREATE TABLE labels (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  cohort_id INTEGER NOT NULL REFERENCES cohorts (id) ON DELETE CASCADE,
  position INTEGER NOT NULL CHECK (position >= 0),
  name TEXT NOT NULL CHECK (length(name) >= 1),
  UNIQUE (cohort_id, position),
  UNIQUE (cohort_id, name)
) STRICT;

CREATE TABLE patients (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  cohort_id INTEGER NOT NULL REFERENCES cohorts (id) ON DELETE CASCADE,
  patient_key TEXT NOT NULL CHECK (length(patient_key) >= 1),
  UNIQUE (cohort_id, patient_key)
) STRICT;

-- Age and sex stand with the study: a patient grows older between visits, and tables contradict themselves.
CREATE TABLE studies (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  cohort_id INTEGER NOT NULL REFERENCES cohorts (id) ON DELETE CASCADE,
  patient_id INTEGER NOT NULL REFERENCES patients (id) ON DELETE CASCADE,
  study_key TEXT NOT NULL,
  ordinal INTEGER NOT NULL CHECK (ordinal >= 0),
  source_rows TEXT NOT NULL CHECK (json_type(source_rows) = 'array'),
  source_row_count INTEGER NOT NULL GENERATED ALWAYS AS (json_array_length(source_rows)) STORED,
  age_years REAL CHECK (age_years IS NULL OR (age_years >= 0 AND age_years < 200)),
  sex TEXT CHECK (sex IN ('female', 'male', 'other')),
  UNIQUE (cohort_id, ordinal),
  UNIQUE (patient_id, study_key)
) STRICT;

CREATE TABLE items (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  study_id INTEGER NOT NULL REFERENCES studies (id) ON DELETE CASCADE,
  slot_id TEXT NOT NULL CHECK (length(slot_id) BETWEEN 1 AND 40 AND slot_id NOT GLOB '*[^0-9a-z-]*'),
  is_present INTEGER NOT NULL CHECK (is_present IN (0, 1)),
  reason TEXT CHECK (reason IN ('not-collected', 'file-missing', 'unreadable', 'excluded')),
  detail TEXT,
  source_path TEXT,
  sha256 TEXT CHECK (sha256 IS NULL OR (length(sha256) = 64 AND sha256 NOT GLOB '*[^0-9a-f]*')),
  byte_size INTEGER CHECK (byte_size >= 0),
  width_px INTEGER CHECK (width_px > 0),
  height_px INTEGER CHECK (height_px > 0),
  text TEXT,
  UNIQUE (study_id, slot_id),
  CHECK ((is_present = 1) = (reason IS NULL)),
  CHECK (is_present = 0 OR (sha256 IS NOT NULL AND (source_path IS NOT NULL OR text IS NOT NULL)))
) STRICT;
-- Presence of a whole cohort is read from this index alone, past the notes.
CREATE INDEX items_by_presence ON items (study_id, slot_id, is_present, reason);
CREATE INDEX items_by_sha256 ON items (sha256) WHERE is_present = 1 AND source_path IS NOT NULL;

-- A label without a row is unknown.
CREATE TABLE study_labels (
  study_id INTEGER NOT NULL REFERENCES studies (id) ON DELETE CASCADE,
  label_id INTEGER NOT NULL REFERENCES labels (id) ON DELETE CASCADE,
  value INTEGER NOT NULL CHECK (value IN (0, 1)),
  PRIMARY KEY (study_id, label_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX study_labels_by_label ON study_labels (label_id, value);

CREATE TABLE rejected_rows (
  id INTEGER PRIMARY KEY,
  cohort_id INTEGER NOT NULL REFERENCES cohorts (id) ON DELETE CASCADE,
  row INTEGER NOT NULL CHECK (row >= 1),
  code TEXT NOT NULL CHECK (length(code) >= 1),
  detail TEXT NOT NULL,
  UNIQUE (cohort_id, row)
) STRICT;

CREATE TABLE label_words (
  id INTEGER PRIMARY KEY,
  cohort_id INTEGER NOT NULL REFERENCES cohorts (id) ON DELETE CASCADE,
  slot_id TEXT NOT NULL,
  word TEXT NOT NULL,
  label_name TEXT NOT NULL,
  studies_with_word INTEGER NOT NULL CHECK (studies_with_word >= 0),
  studies_with_word_and_label INTEGER NOT NULL CHECK (studies_with_word_and_label BETWEEN 0 AND studies_with_word),
  auroc REAL NOT NULL CHECK (auroc BETWEEN 0 AND 1),
  UNIQUE (cohort_id, slot_id, word, label_name)
) STRICT;

CREATE TABLE runs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  cohort_id INTEGER NOT NULL REFERENCES cohorts (id) ON DELETE CASCADE,
  name TEXT NOT NULL CHECK (length(trim(name)) BETWEEN 1 AND 120),
  status TEXT NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'running', 'paused', 'finished', 'failed', 'cancelled')),
  config_json TEXT NOT NULL CHECK (json_valid(config_json)),
  seed INTEGER NOT NULL CHECK (seed >= 0),
  app_version TEXT NOT NULL CHECK (length(app_version) >= 1),
  code_version TEXT NOT NULL CHECK (length(code_version) >= 1),
  cohort_hash TEXT NOT NULL CHECK (length(cohort_hash) = 64),
  weights_hash TEXT,
  split_hash TEXT,
  split_proof_json TEXT CHECK (split_proof_json IS NULL OR json_valid(split_proof_json)),
  device_json TEXT CHECK (device_json IS NULL OR json_valid(device_json)),
  trained_parameters INTEGER CHECK (trained_parameters >= 0),
  total_parameters INTEGER CHECK (total_parameters >= trained_parameters),
  peak_bytes REAL CHECK (peak_bytes >= 0),
  elapsed_ms REAL CHECK (elapsed_ms >= 0),
  notes_json TEXT NOT NULL DEFAULT '[]' CHECK (json_type(notes_json) = 'array'),
  error_code TEXT,
  error_message TEXT,
  created_at TEXT NOT NULL,
  started_at TEXT,
  finished_at TEXT,
  CHECK ((error_code IS NULL) = (error_message IS NULL)),
  CHECK (status <> 'failed' OR error_code IS NOT NULL),
  CHECK (error_code IS NULL OR status IN ('failed', 'paused')),
  CHECK ((split_hash IS NULL) = (split_proof_json IS NULL)),
  CHECK ((status IN ('finished', 'failed', 'cancelled')) = (finished_at IS NOT NULL))
) STRICT;
CREATE INDEX runs_by_cohort ON runs (cohort_id);

CREATE TABLE splits (
  run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  fold INTEGER NOT NULL CHECK (fold >= 0),
  study_id INTEGER NOT NULL REFERENCES studies (id),
  split TEXT NOT NULL CHECK (split IN ('train', 'val', 'test')),
  PRIMARY KEY (run_id, fold, study_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX splits_by_study ON splits (study_id);

CREATE TABLE epochs (
  run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  fold INTEGER NOT NULL CHECK (fold >= 0),
  epoch INTEGER NOT NULL CHECK (epoch >= 0),
  train_loss REAL NOT NULL,
  val_loss REAL,
  val_macro_auroc REAL CHECK (val_macro_auroc BETWEEN 0 AND 1),
  learning_rate REAL NOT NULL CHECK (learning_rate >= 0),
  elapsed_ms REAL NOT NULL CHECK (elapsed_ms >= 0),
  is_best INTEGER NOT NULL CHECK (is_best IN (0, 1)),
  recorded_at TEXT NOT NULL,
  PRIMARY KEY (run_id, fold, epoch)
) STRICT, WITHOUT ROWID;

-- Every saved checkpoint is a row; the last one of a fold and kind is what lies on disk.
CREATE TABLE checkpoints (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  fold INTEGER NOT NULL CHECK (fold >= 0),
  kind TEXT NOT NULL CHECK (kind IN ('best', 'final')),
  epoch INTEGER NOT NULL CHECK (epoch >= 0),
  path TEXT NOT NULL CHECK (length(path) >= 1),
  sha256 TEXT NOT NULL CHECK (length(sha256) = 64 AND sha256 NOT GLOB '*[^0-9a-f]*'),
  created_at TEXT NOT NULL
) STRICT;
CREATE INDEX checkpoints_by_run ON checkpoints (run_id, fold, kind);

-- The key of a presence pattern (see domain/slots.ts) is stored once.
CREATE TABLE patterns (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE
) STRICT;

-- One row for each study a run looked at under one presence pattern; its numbers for each label are in predictions.
CREATE TABLE prediction_sets (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  fold INTEGER NOT NULL CHECK (fold >= 0),
  study_id INTEGER NOT NULL REFERENCES studies (id),
  pattern_id INTEGER NOT NULL REFERENCES patterns (id),
  split TEXT NOT NULL CHECK (split IN ('train', 'val', 'test')),
  is_actual INTEGER NOT NULL CHECK (is_actual IN (0, 1)),
  UNIQUE (run_id, fold, study_id, pattern_id)
) STRICT;
CREATE INDEX prediction_sets_by_study ON prediction_sets (study_id, run_id);
CREATE INDEX prediction_sets_actual ON prediction_sets (run_id, study_id, fold, split) WHERE is_actual = 1;

CREATE TABLE predictions (
  set_id INTEGER NOT NULL REFERENCES prediction_sets (id) ON DELETE CASCADE,
  label_id INTEGER NOT NULL REFERENCES labels (id),
  logit REAL NOT NULL CHECK (abs(logit) < 1e30),
  probability REAL NOT NULL CHECK (probability BETWEEN 0 AND 1),
  threshold REAL NOT NULL CHECK (threshold BETWEEN 0 AND 1),
  PRIMARY KEY (set_id, label_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX predictions_by_label ON predictions (label_id);

CREATE TABLE reviews (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  study_id INTEGER NOT NULL REFERENCES studies (id),
  label_id INTEGER REFERENCES labels (id),
  verdict TEXT NOT NULL CHECK (verdict IN ('agree', 'disagree', 'unsure')),
  comment TEXT NOT NULL DEFAULT '' CHECK (length(comment) <= 4000),
  created_at TEXT NOT NULL
) STRICT;
CREATE INDEX reviews_by_study ON reviews (study_id, run_id);
CREATE INDEX reviews_by_run ON reviews (run_id);
CREATE INDEX reviews_by_label ON reviews (label_id);

CREATE TABLE audit_log (
  sequence INTEGER PRIMARY KEY CHECK (sequence >= 1),
  event TEXT NOT NULL CHECK (length(event) >= 1),
  details_json TEXT NOT NULL CHECK (json_type(details_json) = 'object'),
  created_at TEXT NOT NULL,
  app_version TEXT NOT NULL,
  previous_hash TEXT NOT NULL CHECK (length(previous_hash) = 64),
  hash TEXT NOT NULL UNIQUE CHECK (length(hash) = 64)
) STRICT;

-- What was computed, reviewed or logged is never rewritten. A cascade deletes the parent first, so a row whose run is
-- gone may go with it; that is how deleting a run is told from tampering with one.
CREATE TRIGGER predictions_are_append_only BEFORE UPDATE ON predictions
BEGIN SELECT RAISE(ABORT, 'predictions are append-only'); END;
CREATE TRIGGER prediction_sets_are_append_only BEFORE UPDATE ON prediction_sets
BEGIN SELECT RAISE(ABORT, 'predictions are append-only'); END;
CREATE TRIGGER predictions_go_with_their_set BEFORE DELETE ON predictions
WHEN EXISTS (SELECT 1 FROM prediction_sets WHERE id = OLD.set_id)
BEGIN SELECT RAISE(ABORT, 'predictions are append-only'); END;
CREATE TRIGGER prediction_sets_go_with_their_run BEFORE DELETE ON prediction_sets
WHEN EXISTS (SELECT 1 FROM runs WHERE id = OLD.run_id AND status = 'finished')
BEGIN SELECT RAISE(ABORT, 'predictions of a finished run are kept'); END;

CREATE TRIGGER reviews_are_append_only BEFORE UPDATE ON reviews
BEGIN SELECT RAISE(ABORT, 'reviews are append-only'); END;
CREATE TRIGGER reviews_go_with_their_run BEFORE DELETE ON reviews
WHEN EXISTS (SELECT 1 FROM runs WHERE id = OLD.run_id)
BEGIN SELECT RAISE(ABORT, 'reviews are append-only'); END;

CREATE TRIGGER audit_log_is_append_only BEFORE UPDATE ON audit_log
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_log_is_kept BEFORE DELETE ON audit_log
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

CREATE TRIGGER run_identity_is_fixed
BEFORE UPDATE OF id, cohort_id, config_json, seed, app_version, code_version, cohort_hash, created_at ON runs
BEGIN SELECT RAISE(ABORT, 'what a run was started with is fixed'); END;
CREATE TRIGGER finished_runs_are_final BEFORE UPDATE ON runs
WHEN OLD.status = 'finished' AND (NEW.status IS NOT OLD.status OR NEW.weights_hash IS NOT OLD.weights_hash
  OR NEW.split_hash IS NOT OLD.split_hash OR NEW.split_proof_json IS NOT OLD.split_proof_json
  OR NEW.device_json IS NOT OLD.device_json OR NEW.finished_at IS NOT OLD.finished_at)
BEGIN SELECT RAISE(ABORT, 'a finished run is final'); END;
CREATE TRIGGER splits_are_fixed BEFORE UPDATE ON splits
BEGIN SELECT RAISE(ABORT, 'a split is fixed'); END;
