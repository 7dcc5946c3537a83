-- Labels made from the words of reports by rules. The ids of the items they were read from as JSON; NULL: the label came in a column.
ALTER TABLE labels ADD COLUMN derived_from TEXT CHECK (derived_from IS NULL OR (json_valid(derived_from) AND json_type(derived_from) = 'array'));

-- Why a derived label has its value: the sentences of the scrubbed report that decided. Kept as found, because rules and texts change later.
CREATE TABLE label_evidence (
  study_id INTEGER PRIMARY KEY REFERENCES studies (id) ON DELETE CASCADE,
  evidence_json TEXT NOT NULL CHECK (json_valid(evidence_json) AND json_type(evidence_json) = 'array')
) STRICT;
