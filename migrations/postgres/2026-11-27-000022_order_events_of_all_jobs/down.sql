DROP TABLE event_feed;
DROP TRIGGER jobs_record_deletion ON jobs;
DROP FUNCTION lectern_record_deleted_jobs();
DROP TABLE job_deletions;
ALTER TABLE job_events DROP COLUMN transaction_id, DROP COLUMN id;
