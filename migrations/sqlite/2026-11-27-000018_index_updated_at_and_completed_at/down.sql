DROP INDEX jobs_completed_at_idx;
DROP INDEX jobs_status_settled_at_idx;
ALTER TABLE jobs DROP COLUMN settled_at;
