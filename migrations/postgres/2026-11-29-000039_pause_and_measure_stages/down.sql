DROP INDEX stage_runs_failed_idx;
DROP INDEX stage_runs_completed_idx;
DROP INDEX stage_runs_worker_idx;
DROP INDEX stage_runs_running_idx;
DROP INDEX stage_runs_waiting_idx;
DROP INDEX stage_runs_ready_at_idx;
ALTER TABLE stage_runs DROP COLUMN ready_at;

-- Without these actions, the entries cannot stay.
DELETE FROM audit_entries WHERE action LIKE 'stage.%';
ALTER TABLE audit_entries DROP CONSTRAINT audit_entries_action_known;
ALTER TABLE audit_entries ADD CONSTRAINT audit_entries_action_known
        CHECK (action IN ('job.update', 'job.cancel', 'job.retry', 'job.rerun', 'job.delete',
                          'clip.update', 'clip.delete',
                          'transcript_segment.update', 'transcript_segment.delete',
                          'content_segment.update', 'content_segment.delete',
                          'key.create', 'key.rotate', 'key.revoke'));

DROP TABLE stage_pauses;
