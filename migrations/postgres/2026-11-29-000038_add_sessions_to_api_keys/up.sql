-- The session of somebody who has signed in is a key too: of a person whom an identity provider
-- knows, or of whoever signed in with another key. It expires.
ALTER TABLE api_keys
    ADD COLUMN person TEXT
        CONSTRAINT api_keys_person_length CHECK (char_length(person) BETWEEN 1 AND 200),
    -- No foreign key: a session ends when this key is revoked, in the same transaction.
    ADD COLUMN parent_key_id UUID,
    ADD CONSTRAINT api_keys_one_way_to_sign_in CHECK (person IS NULL OR parent_key_id IS NULL),
    ADD CONSTRAINT api_keys_session_expires
        CHECK (expires_at IS NOT NULL OR (person IS NULL AND parent_key_id IS NULL));

CREATE INDEX api_keys_parent_key_id_idx ON api_keys (parent_key_id)
    WHERE parent_key_id IS NOT NULL;

-- The person whose session or token made a change.
ALTER TABLE audit_entries
    ADD COLUMN person TEXT
        CONSTRAINT audit_entries_person_length CHECK (char_length(person) BETWEEN 1 AND 200);
