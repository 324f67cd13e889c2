-- What `lectern import` has stored, so that a later import can tell what has changed since:
-- `source_digest` in the source, `digest` here. The rows stay when their jobs are deleted, and
-- so a deleted job is not imported again.
CREATE TABLE imported_jobs (
    id INTEGER NOT NULL PRIMARY KEY,
    job_id TEXT NOT NULL CONSTRAINT imported_jobs_job_id_key UNIQUE
        CONSTRAINT imported_jobs_job_id_uuid
        CHECK (job_id GLOB '????????-????-????-????-????????????' AND job_id NOT GLOB '*[^-0-9a-f]*'),
    source_digest TEXT NOT NULL
        CONSTRAINT imported_jobs_source_digest_sha1
        CHECK (length(source_digest) = 40 AND source_digest NOT GLOB '*[^0-9a-f]*'),
    digest TEXT NOT NULL
        CONSTRAINT imported_jobs_digest_sha1
        CHECK (length(digest) = 40 AND digest NOT GLOB '*[^0-9a-f]*')
) STRICT;
