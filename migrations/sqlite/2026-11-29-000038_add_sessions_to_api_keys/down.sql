ALTER TABLE audit_entries DROP COLUMN person;

-- Sessions would be keys that nobody has made.
DELETE FROM api_keys WHERE person IS NOT NULL OR parent_key_id IS NOT NULL;
DROP INDEX api_keys_parent_key_id_idx;
ALTER TABLE api_keys DROP COLUMN parent_key_id;
ALTER TABLE api_keys DROP COLUMN person;
