-- Results of a finished run on its test patients with worse images or shorter texts, one row for each level. Aggregates only: no patient stands here.
CREATE TABLE degraded_results (
  run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  degradation_json TEXT NOT NULL CHECK (json_type(degradation_json, '$.kind') = 'text'),
  results_json TEXT NOT NULL CHECK (json_valid(results_json)),
  app_version TEXT NOT NULL,
  created_at TEXT NOT NULL,
  PRIMARY KEY (run_id, degradation_json)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER degraded_results_are_append_only BEFORE UPDATE ON degraded_results
BEGIN SELECT RAISE(ABORT, 'results are append-only'); END;
