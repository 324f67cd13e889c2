-- Changes of single clips, transcript segments and content segments by clients are audited.
ALTER TABLE audit_entries DROP CONSTRAINT audit_entries_action_known;
ALTER TABLE audit_entries ADD CONSTRAINT audit_entries_action_known
        CHECK (action IN ('job.update', 'job.cancel', 'job.retry', 'job.rerun', 'job.delete',
                          'clip.update', 'clip.delete',
                          'transcript_segment.update', 'transcript_segment.delete',
                          'content_segment.update', 'content_segment.delete',
                          'key.create', 'key.rotate', 'key.revoke'));
