-- Whether labels that the cohort does not have were left out of a delivery; a resume must do the same.
ALTER TABLE deliveries ADD COLUMN leave_out_new_labels INTEGER NOT NULL DEFAULT 0 CHECK (leave_out_new_labels IN (0, 1));
