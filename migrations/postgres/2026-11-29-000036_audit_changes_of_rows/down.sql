-- Without these actions, the entries cannot stay.
DELETE FROM audit_entries
WHERE action LIKE 'clip.%' OR action LIKE 'transcript_segment.%' OR action LIKE 'content_segment.%';
ALTER TABLE audit_entries DROP CONSTRAINT audit_entries_action_known;
ALTER TABLE audit_entries ADD CONSTRAINT audit_entries_action_known
        CHECK (action IN ('job.update', 'job.cancel', 'job.retry', 'job.rerun', 'job.delete',
                          'key.create', 'key.rotate', 'key.revoke'));
