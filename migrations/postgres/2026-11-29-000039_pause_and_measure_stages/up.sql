-- Claims of a stage that has a row here give nothing, whichever server they come to.
CREATE TABLE stage_pauses (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stage TEXT NOT NULL CONSTRAINT stage_pauses_stage_key UNIQUE
        CONSTRAINT stage_pauses_stage_known
        CHECK (stage IN ('silence_detection', 'transcription', 'layout_analysis', 'content_analysis', 'segmentation', 'compilation')),
    paused_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

-- Pauses are audited.
ALTER TABLE audit_entries DROP CONSTRAINT audit_entries_action_known;
ALTER TABLE audit_entries ADD CONSTRAINT audit_entries_action_known
        CHECK (action IN ('job.update', 'job.cancel', 'job.retry', 'job.rerun', 'job.delete',
                          'clip.update', 'clip.delete',
                          'transcript_segment.update', 'transcript_segment.delete',
                          'content_segment.update', 'content_segment.delete',
                          'stage.pause', 'stage.resume',
                          'key.create', 'key.rotate', 'key.revoke'));

-- Since when a ready run could be claimed, or from when on it can be, after a failed attempt. Of no
-- meaning unless the run is ready. How long the oldest ready run has waited says
-- whether there are enough workers; created_at does not, because most stages wait for others.
ALTER TABLE stage_runs ADD COLUMN ready_at TIMESTAMPTZ;
UPDATE stage_runs SET ready_at = COALESCE(available_at, finished_at, created_at)
WHERE status = 'ready';

-- What is waiting, what has failed, and what was completed lately, by stage. With the times and
-- the owner, counts and durations are read from the index alone.
CREATE INDEX stage_runs_ready_at_idx ON stage_runs (stage, ready_at, owner_id)
    WHERE status = 'ready';
CREATE INDEX stage_runs_waiting_idx ON stage_runs (stage, owner_id) WHERE status = 'waiting';
CREATE INDEX stage_runs_running_idx ON stage_runs (stage, owner_id) WHERE status = 'running';
CREATE INDEX stage_runs_worker_idx ON stage_runs (worker COLLATE "C") WHERE status = 'running';
CREATE INDEX stage_runs_completed_idx ON stage_runs (stage, finished_at, started_at, owner_id)
    WHERE status = 'completed';
CREATE INDEX stage_runs_failed_idx ON stage_runs (stage, owner_id)
    WHERE status = 'failed';
