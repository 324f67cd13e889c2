-- Requests that are to be done once however often they are sent, each with the
-- answer to send again. A key is taken before the job is made, in the same
-- transaction; that is why the job may be absent here, but never after a commit.
CREATE TABLE idempotency_keys (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key TEXT NOT NULL CONSTRAINT idempotency_keys_key_key UNIQUE
        CONSTRAINT idempotency_keys_key_length CHECK (char_length(key) BETWEEN 1 AND 255),
    fingerprint TEXT NOT NULL
        CONSTRAINT idempotency_keys_fingerprint_hex CHECK (fingerprint ~ '^[0-9a-f]{64}$'),
    job_id UUID REFERENCES jobs (job_id) ON DELETE CASCADE,
    answer JSONB,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE INDEX idempotency_keys_job_id_idx ON idempotency_keys (job_id);
CREATE INDEX idempotency_keys_created_at_idx ON idempotency_keys (created_at);
