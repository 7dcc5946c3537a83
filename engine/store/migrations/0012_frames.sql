-- Which frame of its file an image is, counted from 0: before this every image was the first one. How many frames the file has is known only
-- from now on. `sha256` is the content of the image: that of the file for the first frame, of file and frame for another.
ALTER TABLE items ADD COLUMN frame INTEGER NOT NULL DEFAULT 0 CHECK (frame >= 0);
ALTER TABLE items ADD COLUMN frame_count INTEGER CHECK (frame_count IS NULL OR frame_count > frame);
