-- Several jobs over one uploaded recording share its object, which belongs to the job for
-- which it was uploaded. No foreign key: the others keep the object when this job is deleted.
ALTER TABLE jobs ADD COLUMN source_job_id TEXT
    CONSTRAINT jobs_source_job_id_uuid
    CHECK (source_job_id GLOB '????????-????-????-????-????????????' AND source_job_id NOT GLOB '*[^-0-9a-f]*');
-- Whether an object is shared is asked whenever a job is deleted.
CREATE INDEX jobs_source_job_id_idx ON jobs (source_job_id) WHERE source_job_id IS NOT NULL;
