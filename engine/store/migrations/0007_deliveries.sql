-- Imports after the first one of a cohort. What they bring hangs on them, so that it can be taken back and its files found in their own folder.
CREATE TABLE deliveries (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  cohort_id INTEGER NOT NULL REFERENCES cohorts (id) ON DELETE CASCADE,
  -- The first import of a cohort counts as number 1 and has no row here.
  number INTEGER NOT NULL CHECK (number >= 2),
  status TEXT NOT NULL DEFAULT 'importing' CHECK (status IN ('importing', 'done', 'undoing', 'undone')),
  on_changed TEXT NOT NULL CHECK (on_changed IN ('keep', 'replace')),
  source_dir TEXT NOT NULL,
  table_file TEXT NOT NULL,
  sheet TEXT,
  mapping_json TEXT NOT NULL CHECK (json_valid(mapping_json)),
  table_sha256 TEXT CHECK (table_sha256 IS NULL OR (length(table_sha256) = 64 AND table_sha256 NOT GLOB '*[^0-9a-f]*')),
  rows_in INTEGER NOT NULL DEFAULT 0 CHECK (rows_in >= 0),
  study_total INTEGER NOT NULL DEFAULT 0 CHECK (study_total >= 0),
  -- Place in the delivery's own table to go on from.
  next_ordinal INTEGER NOT NULL DEFAULT 0 CHECK (next_ordinal >= 0),
  -- The cohort before this delivery: what an undo goes back to, and what runs of that time were trained on.
  cohort_before_json TEXT NOT NULL CHECK (json_valid(cohort_before_json)),
  hash_before TEXT NOT NULL CHECK (length(hash_before) = 64 AND hash_before NOT GLOB '*[^0-9a-f]*'),
  hash_after TEXT CHECK (hash_after IS NULL OR (length(hash_after) = 64 AND hash_after NOT GLOB '*[^0-9a-f]*')),
  counts_json TEXT CHECK (counts_json IS NULL OR json_valid(counts_json)),
  created_at TEXT NOT NULL,
  finished_at TEXT,
  undone_at TEXT,
  UNIQUE (cohort_id, number),
  CHECK ((status = 'undone') = (undone_at IS NOT NULL)),
  CHECK (status <> 'done' OR (hash_after IS NOT NULL AND counts_json IS NOT NULL AND finished_at IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX one_open_delivery ON deliveries (cohort_id) WHERE status IN ('importing', 'undoing');

-- NULL: of the first import. Which folder an item's file lies in, and which studies an undo takes back.
ALTER TABLE studies ADD COLUMN delivery_id INTEGER REFERENCES deliveries (id);
ALTER TABLE items ADD COLUMN delivery_id INTEGER REFERENCES deliveries (id);
CREATE INDEX studies_by_delivery ON studies (delivery_id) WHERE delivery_id IS NOT NULL;
CREATE INDEX items_by_delivery ON items (delivery_id) WHERE delivery_id IS NOT NULL;

-- What became of each study of a delivery. A replaced study is kept as it was until the delivery can no longer be undone.
CREATE TABLE delivery_studies (
  id INTEGER PRIMARY KEY,
  delivery_id INTEGER NOT NULL REFERENCES deliveries (id) ON DELETE CASCADE,
  study_id INTEGER NOT NULL REFERENCES studies (id) ON DELETE CASCADE,
  outcome TEXT NOT NULL CHECK (outcome IN ('added', 'unchanged', 'kept', 'kept-used', 'replaced')),
  row_count INTEGER NOT NULL CHECK (row_count >= 1),
  changes_json TEXT NOT NULL DEFAULT '[]' CHECK (json_type(changes_json) = 'array'),
  previous_json TEXT CHECK (previous_json IS NULL OR json_valid(previous_json)),
  CHECK (outcome <> 'replaced' OR previous_json IS NOT NULL)
) STRICT;
CREATE INDEX delivery_studies_by_delivery ON delivery_studies (delivery_id, outcome);
CREATE INDEX delivery_studies_by_study ON delivery_studies (study_id);

CREATE TABLE delivery_rejections (
  delivery_id INTEGER NOT NULL REFERENCES deliveries (id) ON DELETE CASCADE,
  row INTEGER NOT NULL CHECK (row >= 1),
  code TEXT NOT NULL CHECK (length(code) >= 1),
  detail TEXT NOT NULL,
  PRIMARY KEY (delivery_id, row)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER delivery_identity_is_fixed
BEFORE UPDATE OF id, cohort_id, number, on_changed, table_file, sheet, mapping_json, cohort_before_json, hash_before, created_at ON deliveries
BEGIN SELECT RAISE(ABORT, 'what a delivery was started with is fixed'); END;

-- Mappings kept under a name of their own for the next delivery; the content is sealed, as it may hold a user's own words.
CREATE TABLE saved_mappings (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE COLLATE NOCASE CHECK (length(trim(name)) BETWEEN 1 AND 120),
  content TEXT NOT NULL,
  created_at TEXT NOT NULL,
  used_at TEXT
) STRICT;
