-- Decisions over an imported cohort: words masked, modalities dropped, patients merged, studies and items excluded. The imported rows stay
-- as they are; what a reading of the cohort gives is derived from them and from the decisions that are not undone (see curation/effective-cohort.ts).
CREATE TABLE curation_decisions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  cohort_id INTEGER NOT NULL REFERENCES cohorts (id) ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind IN ('mask-words', 'drop-slot', 'merge-patients', 'exclude-studies', 'exclude-items')),
  parameters_json TEXT NOT NULL CHECK (json_type(parameters_json) = 'object'),
  -- What the decision was said to change before it was made, in words and counts.
  effect TEXT NOT NULL CHECK (length(effect) BETWEEN 1 AND 1000),
  reason TEXT NOT NULL DEFAULT '' CHECK (length(reason) <= 1000),
  made_by TEXT NOT NULL CHECK (length(made_by) BETWEEN 1 AND 200),
  made_at TEXT NOT NULL
) STRICT;
CREATE INDEX curation_decisions_by_cohort ON curation_decisions (cohort_id);

CREATE TABLE curation_undos (
  decision_id INTEGER PRIMARY KEY REFERENCES curation_decisions (id) ON DELETE CASCADE,
  reason TEXT NOT NULL DEFAULT '' CHECK (length(reason) <= 1000),
  undone_by TEXT NOT NULL CHECK (length(undone_by) BETWEEN 1 AND 200),
  undone_at TEXT NOT NULL
) STRICT;

-- The decisions that a run was planned under, and the alarms that were open when it began. A run without a row had no decisions.
CREATE TABLE run_curation (
  run_id INTEGER PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
  decision_ids TEXT NOT NULL CHECK (json_type(decision_ids) = 'array'),
  alarms_json TEXT NOT NULL CHECK (json_valid(alarms_json))
) STRICT;

-- What the alarms found, for each state that a cohort was looked at in; may be deleted at any time and is found again.
CREATE TABLE alarm_reports (
  cohort_id INTEGER NOT NULL REFERENCES cohorts (id) ON DELETE CASCADE,
  effective_hash TEXT NOT NULL CHECK (length(effective_hash) = 64),
  rules_version INTEGER NOT NULL,
  report_json TEXT NOT NULL CHECK (json_type(report_json) = 'object'),
  made_at TEXT NOT NULL,
  PRIMARY KEY (cohort_id, effective_hash, rules_version)
) STRICT, WITHOUT ROWID;

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
CREATE TRIGGER run_curation_is_fixed BEFORE UPDATE ON run_curation
BEGIN SELECT RAISE(ABORT, 'what a run was started with is fixed'); END;
