DROP INDEX jobs_created_at_idx;
CREATE INDEX jobs_created_at_idx ON jobs (created_at, job_id);
DROP TRIGGER jobs_metadata_update;
DROP TRIGGER jobs_metadata_delete;
DROP TRIGGER jobs_metadata_insert;
DROP TABLE job_metadata;
