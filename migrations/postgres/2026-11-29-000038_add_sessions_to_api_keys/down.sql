ALTER TABLE audit_entries DROP COLUMN person;

-- Sessions would be keys that nobody has made.
DELETE FROM api_keys WHERE person IS NOT NULL OR parent_key_id IS NOT NULL;
DROP INDEX api_keys_parent_key_id_idx;
ALTER TABLE api_keys
    DROP CONSTRAINT api_keys_session_expires,
    DROP CONSTRAINT api_keys_one_way_to_sign_in,
    DROP COLUMN parent_key_id,
    DROP COLUMN person;
