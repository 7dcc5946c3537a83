-- What was measured of each image's content while it was decoded, and the place of examination, which a mapping may name.

CREATE TABLE image_measures (
  sha256 TEXT PRIMARY KEY NOT NULL CHECK (length(sha256) = 64 AND sha256 NOT GLOB '*[^0-9a-f]*'),
  width_px INTEGER NOT NULL CHECK (width_px > 0),
  height_px INTEGER NOT NULL CHECK (height_px > 0),
  byte_size INTEGER NOT NULL CHECK (byte_size >= 0),
  format TEXT NOT NULL CHECK (format IN ('jpeg', 'png', 'gif', 'webp', 'tiff', 'dicom')),
  channels INTEGER NOT NULL CHECK (channels IN (1, 3)),
  mean_luminance REAL NOT NULL CHECK (mean_luminance BETWEEN 0 AND 255),
  sd_luminance REAL NOT NULL CHECK (sd_luminance BETWEEN 0 AND 255),
  perceptual_hash TEXT NOT NULL CHECK (length(perceptual_hash) = 16 AND perceptual_hash NOT GLOB '*[^0-9a-f]*'),
  -- 28 little-endian float32 and 32 x 32 bytes, see domain/image-measures.ts.
  border BLOB NOT NULL CHECK (length(border) = 112),
  thumbnail BLOB NOT NULL CHECK (length(thumbnail) = 1024)
) STRICT;

-- A pseudonym: the name of a hospital is an identifier (PS3.15, Institution Name). NULL: no column says it.
ALTER TABLE studies ADD COLUMN site TEXT CHECK (site IS NULL OR length(site) BETWEEN 1 AND 80);
