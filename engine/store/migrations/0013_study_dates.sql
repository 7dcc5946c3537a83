-- The day of a study, moved by the number of days of its patient, and what speaks against it. NULL and '[]' for everything imported before.
ALTER TABLE studies ADD COLUMN study_date TEXT CHECK (study_date IS NULL OR study_date GLOB '[1-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]');
ALTER TABLE studies ADD COLUMN date_problems TEXT NOT NULL DEFAULT '[]' CHECK (json_type(date_problems) = 'array');
CREATE INDEX studies_with_date_problems ON studies (cohort_id) WHERE date_problems <> '[]';

-- A further kind of decision: whether doubtful days of studies count. The closed list of kinds is part of the table, so it is built anew with its undos.
CREATE TABLE decisions_before AS SELECT * FROM curation_decisions;
CREATE TABLE undos_before AS SELECT * FROM curation_undos;
CREATE TABLE sequence_before AS SELECT seq FROM sqlite_sequence WHERE name = 'curation_decisions';
DROP TABLE curation_undos;
DROP TRIGGER curation_decisions_go_with_their_cohort;
DROP TABLE curation_decisions;

CREATE TABLE curation_decisions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  cohort_id INTEGER NOT NULL REFERENCES cohorts (id) ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind IN ('mask-words', 'drop-slot', 'merge-patients', 'exclude-studies', 'exclude-items', 'judge-dates')),
  parameters_json TEXT NOT NULL CHECK (json_type(parameters_json) = 'object'),
  -- What the decision was said to change before it was made, in words and counts.
  effect TEXT NOT NULL CHECK (length(effect) BETWEEN 1 AND 1000),
  reason TEXT NOT NULL DEFAULT '' CHECK (length(reason) <= 1000),
  made_by TEXT NOT NULL CHECK (length(made_by) BETWEEN 1 AND 200),
  made_at TEXT NOT NULL
) STRICT;
INSERT INTO curation_decisions (id, cohort_id, kind, parameters_json, effect, reason, made_by, made_at)
  SELECT id, cohort_id, kind, parameters_json, effect, reason, made_by, made_at FROM decisions_before;
-- Numbers of decisions that went with their cohort are not given again.
DELETE FROM sqlite_sequence WHERE name = 'curation_decisions';
INSERT INTO sqlite_sequence (name, seq) SELECT 'curation_decisions', seq FROM sequence_before;
CREATE INDEX curation_decisions_by_cohort ON curation_decisions (cohort_id);

CREATE TABLE curation_undos (
  decision_id INTEGER PRIMARY KEY REFERENCES curation_decisions (id) ON DELETE CASCADE,
  reason TEXT NOT NULL DEFAULT '' CHECK (length(reason) <= 1000),
  undone_by TEXT NOT NULL CHECK (length(undone_by) BETWEEN 1 AND 200),
  undone_at TEXT NOT NULL
) STRICT;
INSERT INTO curation_undos (decision_id, reason, undone_by, undone_at) SELECT decision_id, reason, undone_by, undone_at FROM undos_before;

DROP TABLE decisions_before;
DROP TABLE undos_before;
DROP TABLE sequence_before;

CREATE TRIGGER curation_decisions_are_append_only BEFORE UPDATE ON curation_decisions
BEGIN SELECT RAISE(ABORT, 'decisions are undone, not changed'); END;
CREATE TRIGGER curation_undos_are_append_only BEFORE UPDATE ON curation_undos
BEGIN SELECT RAISE(ABORT, 'decisions are undone, not changed'); END;
-- They go with their cohort, whose row a cascade deletes first.
CREATE TRIGGER curation_decisions_go_with_their_cohort BEFORE DELETE ON curation_decisions
WHEN EXISTS (SELECT 1 FROM cohorts WHERE id = OLD.cohort_id)
BEGIN SELECT RAISE(ABORT, 'decisions are undone, not deleted'); END;
CREATE TRIGGER curation_undos_go_with_their_decision BEFORE DELETE ON curation_undos
WHEN EXISTS (SELECT 1 FROM curation_decisions WHERE id = OLD.decision_id)
BEGIN SELECT RAISE(ABORT, 'decisions are undone, not deleted'); END;
