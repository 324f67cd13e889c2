DROP INDEX jobs_source_job_id_idx;
ALTER TABLE jobs DROP COLUMN source_job_id;
