-- Who changed what: which key, from which address, or who on the command line, with the old
-- and the new values of the fields that changed. Written by the transaction of the change.
-- job_id and changed_key_id are no foreign keys: an entry outlives what it is about.
CREATE TABLE audit_entries (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entry_id UUID NOT NULL CONSTRAINT audit_entries_entry_id_key UNIQUE,
    at TIMESTAMPTZ NOT NULL DEFAULT now(),
    action TEXT NOT NULL
        CONSTRAINT audit_entries_action_known
        CHECK (action IN ('job.update', 'job.cancel', 'job.retry', 'job.rerun', 'job.delete',
                          'key.create', 'key.rotate', 'key.revoke')),
    job_id UUID,
    changed_key_id UUID,
    -- The actor.
    owner TEXT
        CONSTRAINT audit_entries_owner_length CHECK (char_length(owner) BETWEEN 1 AND 100),
    key_id UUID,
    address TEXT
        CONSTRAINT audit_entries_address_length CHECK (char_length(address) BETWEEN 1 AND 45),
    command_line_user TEXT
        CONSTRAINT audit_entries_command_line_user_length
        CHECK (char_length(command_line_user) BETWEEN 1 AND 100),
    old_values JSONB NOT NULL DEFAULT '{}'
        CONSTRAINT audit_entries_old_values_object CHECK (jsonb_typeof(old_values) = 'object'),
    new_values JSONB NOT NULL DEFAULT '{}'
        CONSTRAINT audit_entries_new_values_object CHECK (jsonb_typeof(new_values) = 'object')
);

CREATE INDEX audit_entries_at_idx ON audit_entries (at, entry_id);
CREATE INDEX audit_entries_job_id_idx ON audit_entries (job_id, at, entry_id);
CREATE INDEX audit_entries_key_id_idx ON audit_entries (key_id, at, entry_id);
CREATE INDEX audit_entries_changed_key_id_idx ON audit_entries (changed_key_id)
    WHERE changed_key_id IS NOT NULL;

CREATE FUNCTION lectern_refuse_audit_update() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit entries are never changed';
END
$$;

CREATE TRIGGER audit_entries_refuse_update BEFORE UPDATE ON audit_entries
    FOR EACH STATEMENT EXECUTE FUNCTION lectern_refuse_audit_update();
