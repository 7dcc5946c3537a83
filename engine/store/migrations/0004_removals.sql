-- Deleting a large cohort or run takes seconds, and a window would stand still for them. It is marked first, which takes it from every
-- list and read, and its rows are erased in short transactions after that; what a kill leaves is erased at the next start.
ALTER TABLE cohorts ADD COLUMN removal_began_at TEXT;
ALTER TABLE runs ADD COLUMN removal_began_at TEXT;
CREATE INDEX runs_in_removal ON runs (id) WHERE removal_began_at IS NOT NULL;

CREATE TRIGGER cohort_removal_is_final BEFORE UPDATE OF removal_began_at ON cohorts WHEN OLD.removal_began_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a removal is not taken back'); END;
CREATE TRIGGER run_removal_is_final BEFORE UPDATE OF removal_began_at ON runs WHEN OLD.removal_began_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a removal is not taken back'); END;

-- As before, except that the rows of a run in removal may go before the run.
DROP TRIGGER prediction_sets_go_with_their_run;
CREATE TRIGGER prediction_sets_go_with_their_run BEFORE DELETE ON prediction_sets
WHEN EXISTS (SELECT 1 FROM runs WHERE id = OLD.run_id AND status = 'finished' AND removal_began_at IS NULL)
BEGIN SELECT RAISE(ABORT, 'predictions of a finished run are kept'); END;
DROP TRIGGER reviews_go_with_their_run;
CREATE TRIGGER reviews_go_with_their_run BEFORE DELETE ON reviews
WHEN EXISTS (SELECT 1 FROM runs WHERE id = OLD.run_id AND removal_began_at IS NULL)
BEGIN SELECT RAISE(ABORT, 'reviews are append-only'); END;
