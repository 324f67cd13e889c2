-- A pipeline limits the attempts at each of its stages. The limits are stored with the
-- run, so that a job keeps those of its pipeline when the configuration changes.
ALTER TABLE stage_runs ADD COLUMN timeout_seconds INTEGER
    CONSTRAINT stage_runs_timeout_seconds_range CHECK (timeout_seconds BETWEEN 1 AND 604800);
ALTER TABLE stage_runs ADD COLUMN backoff_first_seconds INTEGER NOT NULL DEFAULT 2
    CONSTRAINT stage_runs_backoff_first_seconds_range CHECK (backoff_first_seconds BETWEEN 0 AND 86400);
ALTER TABLE stage_runs ADD COLUMN backoff_factor REAL NOT NULL DEFAULT 2
    CONSTRAINT stage_runs_backoff_factor_range CHECK (backoff_factor BETWEEN 1 AND 100);
ALTER TABLE stage_runs ADD COLUMN backoff_max_seconds INTEGER NOT NULL DEFAULT 300
    CONSTRAINT stage_runs_backoff_max_seconds_range
    CHECK (backoff_max_seconds BETWEEN backoff_first_seconds AND 86400);
