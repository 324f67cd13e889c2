-- Uploads of pending jobs: when a job is cleared whose recording does not arrive, and
-- how much of a resumable upload has arrived. `received` is NULL if the recording is sent
-- in one request.
CREATE TABLE uploads (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id UUID NOT NULL CONSTRAINT uploads_job_id_key UNIQUE
        REFERENCES jobs (job_id) ON DELETE CASCADE,
    expires_at TIMESTAMPTZ NOT NULL,
    -- Bytes that are on disk or in the bucket.
    received BIGINT CONSTRAINT uploads_received_not_negative CHECK (received >= 0),
    -- The header Upload-Metadata, as it was sent.
    metadata TEXT CONSTRAINT uploads_metadata_length CHECK (char_length(metadata) <= 8192),
    -- In a bucket, the id of the multipart upload.
    multipart_id TEXT
        CONSTRAINT uploads_multipart_id_length CHECK (char_length(multipart_id) BETWEEN 1 AND 1024),
    -- In a bucket, the append that stored the bytes after the last part: too few for a part.
    tail_id UUID,
    -- The request that appends, and until when no other may.
    append_id UUID,
    append_expires_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    CONSTRAINT uploads_resumable
        CHECK (received IS NOT NULL
               OR (metadata IS NULL AND multipart_id IS NULL AND tail_id IS NULL AND append_id IS NULL)),
    CONSTRAINT uploads_append_whole CHECK ((append_id IS NULL) = (append_expires_at IS NULL))
);

CREATE INDEX uploads_expires_at_idx ON uploads (expires_at);

-- The parts of a multipart upload in a bucket. The service wants them back to complete it.
CREATE TABLE upload_parts (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id UUID NOT NULL REFERENCES jobs (job_id) ON DELETE CASCADE,
    part_number INTEGER NOT NULL
        CONSTRAINT upload_parts_part_number_range CHECK (part_number BETWEEN 1 AND 10000),
    etag TEXT NOT NULL
        CONSTRAINT upload_parts_etag_length CHECK (char_length(etag) BETWEEN 1 AND 255),
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    CONSTRAINT upload_parts_job_id_part_number_key UNIQUE (job_id, part_number)
);

-- Jobs that wait for an upload already. Their URLs are valid for seven days at most, and
-- they are kept for as long again.
INSERT INTO uploads (job_id, expires_at, created_at)
SELECT job_id, updated_at + INTERVAL '14 days', created_at FROM jobs
WHERE status = 'pending' AND current_stage = 'uploading' AND original_s3_key LIKE 'jobs/%';
