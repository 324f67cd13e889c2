-- What `lectern import` has stored, so that a later import can tell what has changed since:
-- `source_digest` in the source, `digest` here. The rows stay when their jobs are deleted, and
-- so a deleted job is not imported again.
CREATE TABLE imported_jobs (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id UUID NOT NULL CONSTRAINT imported_jobs_job_id_key UNIQUE,
    source_digest TEXT NOT NULL
        CONSTRAINT imported_jobs_source_digest_sha1 CHECK (source_digest ~ '^[0-9a-f]{40}$'),
    digest TEXT NOT NULL
        CONSTRAINT imported_jobs_digest_sha1 CHECK (digest ~ '^[0-9a-f]{40}$')
);
