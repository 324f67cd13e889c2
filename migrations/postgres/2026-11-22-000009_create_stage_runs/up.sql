-- What has become of each stage of a job: who is on it, until when, and how
-- far. What a run waits for is kept with it, so that a job goes through the
-- pipeline it began with, whatever is configured since.
CREATE TABLE stage_runs (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id UUID NOT NULL CONSTRAINT stage_runs_run_id_key UNIQUE,
    job_id UUID NOT NULL REFERENCES jobs (job_id) ON DELETE CASCADE,
    stage TEXT NOT NULL
        CONSTRAINT stage_runs_stage_known
        CHECK (stage IN ('silence_detection', 'transcription', 'layout_analysis', 'content_analysis', 'segmentation', 'compilation')),
    status TEXT NOT NULL
        CONSTRAINT stage_runs_status_known
        CHECK (status IN ('waiting', 'ready', 'running', 'completed', 'failed', 'cancelled', 'skipped')),
    waits_for JSONB NOT NULL DEFAULT '[]'
        CONSTRAINT stage_runs_waits_for_array CHECK (jsonb_typeof(waits_for) = 'array'),
    -- The job's, kept here so that one index holds the order of the claims.
    priority INTEGER NOT NULL DEFAULT 0,
    attempt INTEGER NOT NULL DEFAULT 0
        CONSTRAINT stage_runs_attempt_range CHECK (attempt BETWEEN 0 AND max_attempts),
    max_attempts INTEGER NOT NULL DEFAULT 3
        CONSTRAINT stage_runs_max_attempts_range CHECK (max_attempts >= 1),
    worker TEXT
        CONSTRAINT stage_runs_worker_length CHECK (char_length(worker) BETWEEN 1 AND 50),
    lease_id UUID CONSTRAINT stage_runs_lease_id_key UNIQUE,
    lease_expires_at TIMESTAMPTZ,
    lease_seconds INTEGER
        CONSTRAINT stage_runs_lease_seconds_range CHECK (lease_seconds BETWEEN 1 AND 3600),
    -- After a failed attempt; NULL: at once.
    available_at TIMESTAMPTZ,
    percent DOUBLE PRECISION NOT NULL DEFAULT 0
        CONSTRAINT stage_runs_percent_range CHECK (percent BETWEEN 0 AND 100),
    message TEXT
        CONSTRAINT stage_runs_message_length CHECK (char_length(message) <= 500),
    eta_seconds INTEGER
        CONSTRAINT stage_runs_eta_seconds_range CHECK (eta_seconds >= 0),
    error TEXT,
    started_at TIMESTAMPTZ,
    finished_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    CONSTRAINT stage_runs_job_id_stage_key UNIQUE (job_id, stage),
    CONSTRAINT stage_runs_lease_whole
        CHECK ((lease_id IS NULL) = (lease_expires_at IS NULL) AND (lease_id IS NULL) = (lease_seconds IS NULL)),
    CONSTRAINT stage_runs_running_started CHECK (status <> 'running' OR started_at IS NOT NULL)
);

-- Claims take the highest priority, then the oldest: of any stage, or of one.
CREATE INDEX stage_runs_ready_idx ON stage_runs (priority DESC, created_at, id) WHERE status = 'ready';
CREATE INDEX stage_runs_ready_stage_idx ON stage_runs (stage, priority DESC, created_at, id) WHERE status = 'ready';
CREATE INDEX stage_runs_lease_expires_at_idx ON stage_runs (lease_expires_at) WHERE status = 'running';
