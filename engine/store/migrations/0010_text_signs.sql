-- Images that may show text, by content, as the import found them; and what somebody decided who looked.

CREATE TABLE image_text_signs (
  sha256 TEXT PRIMARY KEY NOT NULL CHECK (length(sha256) = 64 AND sha256 NOT GLOB '*[^0-9a-f]*'),
  reasons_json TEXT NOT NULL CHECK (json_type(reasons_json) = 'array'),
  likelihood REAL NOT NULL CHECK (likelihood BETWEEN 0 AND 1),
  -- Shares of width and height, see domain/text-signs.ts.
  regions_json TEXT NOT NULL CHECK (json_type(regions_json) = 'array')
) STRICT;

-- For each cohort by itself. An image that is left out names the decision of the cohort that leaves it out; undone there, it is open again here.
CREATE TABLE text_decisions (
  cohort_id INTEGER NOT NULL REFERENCES cohorts (id) ON DELETE CASCADE,
  sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
  decision TEXT NOT NULL CHECK (decision IN ('keep', 'exclude')),
  curation_decision_id INTEGER REFERENCES curation_decisions (id) ON DELETE CASCADE,
  decided_at TEXT NOT NULL,
  PRIMARY KEY (cohort_id, sha256),
  CHECK ((decision = 'exclude') = (curation_decision_id IS NOT NULL))
) STRICT, WITHOUT ROWID;
