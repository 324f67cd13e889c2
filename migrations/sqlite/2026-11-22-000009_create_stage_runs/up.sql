-- What has become of each stage of a job: who is on it, until when, and how
-- far. What a run waits for is kept with it, so that a job goes through the
-- pipeline it began with, whatever is configured since.
CREATE TABLE stage_runs (
    id INTEGER NOT NULL PRIMARY KEY,
    run_id TEXT NOT NULL CONSTRAINT stage_runs_run_id_key UNIQUE
        CONSTRAINT stage_runs_run_id_uuid
        CHECK (run_id GLOB '????????-????-????-????-????????????' AND run_id NOT GLOB '*[^-0-9a-f]*'),
    job_id TEXT NOT NULL REFERENCES jobs (job_id) ON DELETE CASCADE,
    stage TEXT NOT NULL
        CONSTRAINT stage_runs_stage_known
        CHECK (stage IN ('silence_detection', 'transcription', 'layout_analysis', 'content_analysis', 'segmentation', 'compilation')),
    status TEXT NOT NULL
        CONSTRAINT stage_runs_status_known
        CHECK (status IN ('waiting', 'ready', 'running', 'completed', 'failed', 'cancelled', 'skipped')),
    waits_for TEXT NOT NULL DEFAULT '[]'
        CONSTRAINT stage_runs_waits_for_array
        CHECK (CASE WHEN json_valid(waits_for) THEN json_type(waits_for) = 'array' ELSE FALSE END),
    -- The job's, kept here so that one index holds the order of the claims.
    priority INTEGER NOT NULL DEFAULT 0
        CONSTRAINT stage_runs_priority_range CHECK (priority BETWEEN -2147483648 AND 2147483647),
    attempt INTEGER NOT NULL DEFAULT 0
        CONSTRAINT stage_runs_attempt_range CHECK (attempt BETWEEN 0 AND max_attempts),
    max_attempts INTEGER NOT NULL DEFAULT 3
        CONSTRAINT stage_runs_max_attempts_range CHECK (max_attempts BETWEEN 1 AND 2147483647),
    worker TEXT
        CONSTRAINT stage_runs_worker_length CHECK (length(worker) BETWEEN 1 AND 50),
    lease_id TEXT CONSTRAINT stage_runs_lease_id_key UNIQUE
        CONSTRAINT stage_runs_lease_id_uuid
        CHECK (lease_id GLOB '????????-????-????-????-????????????' AND lease_id NOT GLOB '*[^-0-9a-f]*'),
    lease_expires_at TEXT
        CONSTRAINT stage_runs_lease_expires_at_utc
        CHECK (lease_expires_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    lease_seconds INTEGER
        CONSTRAINT stage_runs_lease_seconds_range CHECK (lease_seconds BETWEEN 1 AND 3600),
    -- After a failed attempt; NULL: at once.
    available_at TEXT
        CONSTRAINT stage_runs_available_at_utc
        CHECK (available_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    percent REAL NOT NULL DEFAULT 0
        CONSTRAINT stage_runs_percent_range CHECK (percent BETWEEN 0 AND 100),
    message TEXT
        CONSTRAINT stage_runs_message_length CHECK (length(message) <= 500),
    eta_seconds INTEGER
        CONSTRAINT stage_runs_eta_seconds_range CHECK (eta_seconds BETWEEN 0 AND 2147483647),
    error TEXT,
    started_at TEXT
        CONSTRAINT stage_runs_started_at_utc
        CHECK (started_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    finished_at TEXT
        CONSTRAINT stage_runs_finished_at_utc
        CHECK (finished_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))
        CONSTRAINT stage_runs_created_at_utc
        CHECK (created_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    CONSTRAINT stage_runs_job_id_stage_key UNIQUE (job_id, stage),
    CONSTRAINT stage_runs_lease_whole
        CHECK ((lease_id IS NULL) = (lease_expires_at IS NULL) AND (lease_id IS NULL) = (lease_seconds IS NULL)),
    CONSTRAINT stage_runs_running_started CHECK (status <> 'running' OR started_at IS NOT NULL)
) STRICT;

-- Claims take the highest priority, then the oldest: of any stage, or of one.
CREATE INDEX stage_runs_ready_idx ON stage_runs (priority DESC, created_at, id) WHERE status = 'ready';
CREATE INDEX stage_runs_ready_stage_idx ON stage_runs (stage, priority DESC, created_at, id) WHERE status = 'ready';
CREATE INDEX stage_runs_lease_expires_at_idx ON stage_runs (lease_expires_at) WHERE status = 'running';
