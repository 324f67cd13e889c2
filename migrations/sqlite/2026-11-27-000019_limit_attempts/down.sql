ALTER TABLE stage_runs DROP COLUMN backoff_max_seconds;
ALTER TABLE stage_runs DROP COLUMN backoff_factor;
ALTER TABLE stage_runs DROP COLUMN backoff_first_seconds;
ALTER TABLE stage_runs DROP COLUMN timeout_seconds;
