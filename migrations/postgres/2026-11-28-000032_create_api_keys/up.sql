-- Keys by which programs are recognized. The public id is a part of the key; of its secret
-- only the hash is stored, so that nobody who reads the table can use a key.
CREATE TABLE api_keys (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key_id UUID NOT NULL CONSTRAINT api_keys_key_id_key UNIQUE,
    -- SHA-256.
    secret_hash TEXT NOT NULL
        CONSTRAINT api_keys_secret_hash_hex CHECK (secret_hash ~ '^[0-9a-f]{64}$'),
    name TEXT CONSTRAINT api_keys_name_length CHECK (char_length(name) BETWEEN 1 AND 100),
    role TEXT NOT NULL
        CONSTRAINT api_keys_role_known
        CHECK (role IN ('admin', 'client', 'worker', 'viewer', 'metrics')),
    owner TEXT CONSTRAINT api_keys_owner_length CHECK (char_length(owner) BETWEEN 1 AND 100),
    -- The stages that a worker may claim; NULL: all.
    stages JSONB
        CONSTRAINT api_keys_stages_array
        CHECK (CASE WHEN jsonb_typeof(stages) = 'array' THEN jsonb_array_length(stages) >= 1
                    ELSE stages IS NULL END)
        CONSTRAINT api_keys_stages_known
        CHECK (stages <@ '["silence_detection", "transcription", "layout_analysis",
                           "content_analysis", "segmentation", "compilation"]'),
    expires_at TIMESTAMPTZ,
    revoked_at TIMESTAMPTZ,
    -- Up to a minute earlier than the last request.
    last_used_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    CONSTRAINT api_keys_stages_of_worker CHECK (stages IS NULL OR role = 'worker')
);
