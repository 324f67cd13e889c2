-- Requests that are to be done once however often they are sent, each with the
-- answer to send again. A key is taken before the job is made, in the same
-- transaction; that is why the job may be absent here, but never after a commit.
CREATE TABLE idempotency_keys (
    id INTEGER NOT NULL PRIMARY KEY,
    key TEXT NOT NULL CONSTRAINT idempotency_keys_key_key UNIQUE
        CONSTRAINT idempotency_keys_key_length CHECK (length(key) BETWEEN 1 AND 255),
    fingerprint TEXT NOT NULL
        CONSTRAINT idempotency_keys_fingerprint_hex
        CHECK (length(fingerprint) = 64 AND fingerprint NOT GLOB '*[^0-9a-f]*'),
    job_id TEXT REFERENCES jobs (job_id) ON DELETE CASCADE,
    answer TEXT
        CONSTRAINT idempotency_keys_answer_json CHECK (answer IS NULL OR json_valid(answer)),
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))
        CONSTRAINT idempotency_keys_created_at_utc
        CHECK (created_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z')
) STRICT;

CREATE INDEX idempotency_keys_job_id_idx ON idempotency_keys (job_id);
CREATE INDEX idempotency_keys_created_at_idx ON idempotency_keys (created_at);
