-- Who answered a prediction: parameters trained on its pattern, shared parameters that never saw it, or the base network in place of a
-- set that was never trained. NULL: written before this was recorded.
ALTER TABLE prediction_sets ADD COLUMN served_by TEXT CHECK (served_by IN ('trained', 'extrapolated', 'base'));

-- The presence patterns that a run shows its studies with, by side of the split, and what was said of them before it started.
CREATE TABLE run_missingness (
  run_id INTEGER PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
  hash TEXT NOT NULL CHECK (length(hash) = 64),
  table_json TEXT NOT NULL CHECK (json_valid(table_json))
) STRICT;

CREATE TRIGGER run_missingness_is_fixed BEFORE UPDATE ON run_missingness
BEGIN SELECT RAISE(ABORT, 'what a run was started with is fixed'); END;
