DROP INDEX stage_runs_failed_idx;
DROP INDEX stage_runs_completed_idx;
DROP INDEX stage_runs_worker_idx;
DROP INDEX stage_runs_running_idx;
DROP INDEX stage_runs_waiting_idx;
DROP INDEX stage_runs_ready_at_idx;
ALTER TABLE stage_runs DROP COLUMN ready_at;

-- Without these actions, the entries cannot stay.
DELETE FROM audit_entries WHERE action LIKE 'stage.%';

CREATE TABLE new_audit_entries (
    id INTEGER NOT NULL PRIMARY KEY,
    entry_id TEXT NOT NULL CONSTRAINT audit_entries_entry_id_key UNIQUE
        CONSTRAINT audit_entries_entry_id_uuid
        CHECK (entry_id GLOB '????????-????-????-????-????????????' AND entry_id NOT GLOB '*[^-0-9a-f]*'),
    at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))
        CONSTRAINT audit_entries_at_utc
        CHECK (at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    action TEXT NOT NULL
        CONSTRAINT audit_entries_action_known
        CHECK (action IN ('job.update', 'job.cancel', 'job.retry', 'job.rerun', 'job.delete',
                          'clip.update', 'clip.delete',
                          'transcript_segment.update', 'transcript_segment.delete',
                          'content_segment.update', 'content_segment.delete',
                          'key.create', 'key.rotate', 'key.revoke')),
    job_id TEXT
        CONSTRAINT audit_entries_job_id_uuid
        CHECK (job_id GLOB '????????-????-????-????-????????????' AND job_id NOT GLOB '*[^-0-9a-f]*'),
    changed_key_id TEXT
        CONSTRAINT audit_entries_changed_key_id_uuid
        CHECK (changed_key_id GLOB '????????-????-????-????-????????????' AND changed_key_id NOT GLOB '*[^-0-9a-f]*'),
    -- The actor.
    owner TEXT
        CONSTRAINT audit_entries_owner_length
        CHECK (length(owner) BETWEEN 1 AND 100 AND instr(owner, char(0)) = 0),
    key_id TEXT
        CONSTRAINT audit_entries_key_id_uuid
        CHECK (key_id GLOB '????????-????-????-????-????????????' AND key_id NOT GLOB '*[^-0-9a-f]*'),
    address TEXT
        CONSTRAINT audit_entries_address_length
        CHECK (length(address) BETWEEN 1 AND 45 AND instr(address, char(0)) = 0),
    command_line_user TEXT
        CONSTRAINT audit_entries_command_line_user_length
        CHECK (length(command_line_user) BETWEEN 1 AND 100 AND instr(command_line_user, char(0)) = 0),
    old_values TEXT NOT NULL DEFAULT '{}'
        CONSTRAINT audit_entries_old_values_object
        CHECK (CASE WHEN json_valid(old_values) THEN json_type(old_values) = 'object' ELSE FALSE END),
    new_values TEXT NOT NULL DEFAULT '{}'
        CONSTRAINT audit_entries_new_values_object
        CHECK (CASE WHEN json_valid(new_values) THEN json_type(new_values) = 'object' ELSE FALSE END)
) STRICT;
ALTER TABLE new_audit_entries ADD COLUMN person TEXT
    CONSTRAINT audit_entries_person_length
    CHECK (length(person) BETWEEN 1 AND 200 AND instr(person, char(0)) = 0);

INSERT INTO new_audit_entries (id, entry_id, at, action, job_id, changed_key_id, owner, key_id, address, command_line_user, person, old_values, new_values)
SELECT id, entry_id, at, action, job_id, changed_key_id, owner, key_id, address, command_line_user, person, old_values, new_values
FROM audit_entries;
DROP TABLE audit_entries;
ALTER TABLE new_audit_entries RENAME TO audit_entries;

CREATE INDEX audit_entries_at_idx ON audit_entries (at, entry_id);
CREATE INDEX audit_entries_job_id_idx ON audit_entries (job_id, at, entry_id);
CREATE INDEX audit_entries_key_id_idx ON audit_entries (key_id, at, entry_id);
CREATE INDEX audit_entries_changed_key_id_idx ON audit_entries (changed_key_id)
    WHERE changed_key_id IS NOT NULL;

CREATE TRIGGER audit_entries_refuse_update BEFORE UPDATE ON audit_entries
BEGIN
    SELECT RAISE(ABORT, 'audit entries are never changed');
END;

DROP TABLE stage_pauses;
