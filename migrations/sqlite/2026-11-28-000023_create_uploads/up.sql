-- Uploads of pending jobs: when a job is cleared whose recording does not arrive, and
-- how much of a resumable upload has arrived. `received` is NULL if the recording is sent
-- in one request.
CREATE TABLE uploads (
    id INTEGER NOT NULL PRIMARY KEY,
    job_id TEXT NOT NULL CONSTRAINT uploads_job_id_key UNIQUE
        REFERENCES jobs (job_id) ON DELETE CASCADE,
    expires_at TEXT NOT NULL
        CONSTRAINT uploads_expires_at_utc
        CHECK (expires_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    -- Bytes that are on disk or in the bucket.
    received INTEGER CONSTRAINT uploads_received_not_negative CHECK (received >= 0),
    -- The header Upload-Metadata, as it was sent.
    metadata TEXT CONSTRAINT uploads_metadata_length
        CHECK (length(metadata) <= 8192 AND instr(metadata, char(0)) = 0),
    -- In a bucket, the id of the multipart upload.
    multipart_id TEXT CONSTRAINT uploads_multipart_id_length
        CHECK (length(multipart_id) BETWEEN 1 AND 1024 AND instr(multipart_id, char(0)) = 0),
    -- In a bucket, the append that stored the bytes after the last part: too few for a part.
    tail_id TEXT
        CONSTRAINT uploads_tail_id_uuid
        CHECK (tail_id GLOB '????????-????-????-????-????????????' AND tail_id NOT GLOB '*[^-0-9a-f]*'),
    -- The request that appends, and until when no other may.
    append_id TEXT
        CONSTRAINT uploads_append_id_uuid
        CHECK (append_id GLOB '????????-????-????-????-????????????' AND append_id NOT GLOB '*[^-0-9a-f]*'),
    append_expires_at TEXT
        CONSTRAINT uploads_append_expires_at_utc
        CHECK (append_expires_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))
        CONSTRAINT uploads_created_at_utc
        CHECK (created_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    CONSTRAINT uploads_resumable
        CHECK (received IS NOT NULL
               OR (metadata IS NULL AND multipart_id IS NULL AND tail_id IS NULL AND append_id IS NULL)),
    CONSTRAINT uploads_append_whole CHECK ((append_id IS NULL) = (append_expires_at IS NULL))
) STRICT;

CREATE INDEX uploads_expires_at_idx ON uploads (expires_at);

-- The parts of a multipart upload in a bucket. The service wants them back to complete it.
CREATE TABLE upload_parts (
    id INTEGER NOT NULL PRIMARY KEY,
    job_id TEXT NOT NULL REFERENCES jobs (job_id) ON DELETE CASCADE,
    part_number INTEGER NOT NULL
        CONSTRAINT upload_parts_part_number_range CHECK (part_number BETWEEN 1 AND 10000),
    etag TEXT NOT NULL
        CONSTRAINT upload_parts_etag_length CHECK (length(etag) BETWEEN 1 AND 255 AND instr(etag, char(0)) = 0),
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))
        CONSTRAINT upload_parts_created_at_utc
        CHECK (created_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    CONSTRAINT upload_parts_job_id_part_number_key UNIQUE (job_id, part_number)
) STRICT;

-- Jobs that wait for an upload already. Their URLs are valid for seven days at most, and
-- they are kept for as long again. A time that is not in the calendar counts as now.
INSERT INTO uploads (job_id, expires_at, created_at)
SELECT job_id,
       COALESCE(strftime('%Y-%m-%dT%H:%M:%f000Z', updated_at, '+14 days'),
                strftime('%Y-%m-%dT%H:%M:%f000Z', 'now', '+14 days')),
       created_at
FROM jobs
WHERE status = 'pending' AND current_stage = 'uploading' AND original_s3_key LIKE 'jobs/%';
