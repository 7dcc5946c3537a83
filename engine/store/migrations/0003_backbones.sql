-- Imported backbones. The id is made of the architecture and the content hash, so the same files always get the same id.
-- A removed backbone keeps its rows: runs name it.

CREATE TABLE backbones (
  id TEXT PRIMARY KEY NOT NULL CHECK (length(id) BETWEEN 1 AND 64 AND id NOT GLOB '*[^0-9a-z-]*'),
  name TEXT NOT NULL CHECK (length(trim(name)) BETWEEN 1 AND 120),
  architecture TEXT NOT NULL CHECK (architecture IN ('vilt', 'bert', 'vit', 'deit', 'clip')),
  reads TEXT NOT NULL CHECK (reads IN ('joint', 'pair', 'text', 'image')),
  sizes_json TEXT NOT NULL CHECK (json_type(sizes_json) = 'object'),
  parameter_count INTEGER NOT NULL CHECK (parameter_count >= 0),
  content_hash TEXT NOT NULL UNIQUE CHECK (length(content_hash) = 64 AND content_hash NOT GLOB '*[^0-9a-f]*'),
  licence TEXT NOT NULL DEFAULT '' CHECK (length(licence) <= 300),
  source TEXT NOT NULL DEFAULT '' CHECK (length(source) <= 1000),
  notes_json TEXT NOT NULL DEFAULT '[]' CHECK (json_type(notes_json) = 'array'),
  added_at TEXT NOT NULL,
  removed_at TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE backbone_files (
  backbone_id TEXT NOT NULL REFERENCES backbones (id) ON DELETE CASCADE,
  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200 AND instr(name, '/') = 0 AND instr(name, '\') = 0),
  byte_size INTEGER NOT NULL CHECK (byte_size >= 0),
  sha256 TEXT NOT NULL CHECK (length(sha256) = 64 AND sha256 NOT GLOB '*[^0-9a-f]*'),
  PRIMARY KEY (backbone_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE backbone_tensors (
  backbone_id TEXT NOT NULL REFERENCES backbones (id) ON DELETE CASCADE,
  position INTEGER NOT NULL CHECK (position >= 0),
  name TEXT NOT NULL CHECK (length(name) >= 1),
  stored_type TEXT NOT NULL CHECK (length(stored_type) >= 1),
  shape_json TEXT NOT NULL CHECK (json_type(shape_json) = 'array'),
  element_count INTEGER NOT NULL CHECK (element_count >= 0),
  is_used INTEGER NOT NULL CHECK (is_used IN (0, 1)),
  PRIMARY KEY (backbone_id, position)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER backbone_identity_is_fixed
BEFORE UPDATE OF id, architecture, reads, sizes_json, parameter_count, content_hash ON backbones
BEGIN SELECT RAISE(ABORT, 'what a backbone is made of is fixed'); END;
CREATE TRIGGER backbone_files_are_fixed BEFORE UPDATE ON backbone_files
BEGIN SELECT RAISE(ABORT, 'the files of a backbone are fixed'); END;
CREATE TRIGGER backbone_tensors_are_fixed BEFORE UPDATE ON backbone_tensors
BEGIN SELECT RAISE(ABORT, 'the tensors of a backbone are fixed'); END;
CREATE TRIGGER backbones_are_kept BEFORE DELETE ON backbones
BEGIN SELECT RAISE(ABORT, 'runs name their backbone: it is marked as removed, not deleted'); END;
