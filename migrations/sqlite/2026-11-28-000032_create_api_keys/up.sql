-- Keys by which programs are recognized. The public id is a part of the key; of its secret
-- only the hash is stored, so that nobody who reads the table can use a key.
CREATE TABLE api_keys (
    id INTEGER NOT NULL PRIMARY KEY,
    key_id TEXT NOT NULL CONSTRAINT api_keys_key_id_key UNIQUE
        CONSTRAINT api_keys_key_id_uuid
        CHECK (key_id GLOB '????????-????-????-????-????????????' AND key_id NOT GLOB '*[^-0-9a-f]*'),
    -- SHA-256.
    secret_hash TEXT NOT NULL
        CONSTRAINT api_keys_secret_hash_hex
        CHECK (length(secret_hash) = 64 AND secret_hash NOT GLOB '*[^0-9a-f]*'),
    name TEXT
        CONSTRAINT api_keys_name_length
        CHECK (length(name) BETWEEN 1 AND 100 AND instr(name, char(0)) = 0),
    role TEXT NOT NULL
        CONSTRAINT api_keys_role_known
        CHECK (role IN ('admin', 'client', 'worker', 'viewer', 'metrics')),
    owner TEXT
        CONSTRAINT api_keys_owner_length
        CHECK (length(owner) BETWEEN 1 AND 100 AND instr(owner, char(0)) = 0),
    -- The stages that a worker may claim; NULL: all.
    stages TEXT
        CONSTRAINT api_keys_stages_array
        CHECK (CASE WHEN stages IS NULL THEN TRUE
                    WHEN json_valid(stages) THEN json_type(stages) = 'array' AND json_array_length(stages) >= 1
                    ELSE FALSE END),
    expires_at TEXT
        CONSTRAINT api_keys_expires_at_utc
        CHECK (expires_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    revoked_at TEXT
        CONSTRAINT api_keys_revoked_at_utc
        CHECK (revoked_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    -- Up to a minute earlier than the last request.
    last_used_at TEXT
        CONSTRAINT api_keys_last_used_at_utc
        CHECK (last_used_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))
        CONSTRAINT api_keys_created_at_utc
        CHECK (created_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    CONSTRAINT api_keys_stages_of_worker CHECK (stages IS NULL OR role = 'worker')
) STRICT;

CREATE TRIGGER api_keys_stages_insert BEFORE INSERT ON api_keys WHEN NEW.stages IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: api_keys_stages_known')
    WHERE EXISTS (SELECT 1 FROM json_each(iif(json_valid(NEW.stages), NEW.stages, '[]')) AS stage
                  WHERE stage.type <> 'text'
                     OR stage.value NOT IN ('silence_detection', 'transcription', 'layout_analysis', 'content_analysis', 'segmentation', 'compilation'));
END;

CREATE TRIGGER api_keys_stages_update BEFORE UPDATE OF stages ON api_keys WHEN NEW.stages IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: api_keys_stages_known')
    WHERE EXISTS (SELECT 1 FROM json_each(iif(json_valid(NEW.stages), NEW.stages, '[]')) AS stage
                  WHERE stage.type <> 'text'
                     OR stage.value NOT IN ('silence_detection', 'transcription', 'layout_analysis', 'content_analysis', 'segmentation', 'compilation'));
END;
