-- Of two jobs that wait, the one of higher priority is worked on first.
ALTER TABLE jobs ADD COLUMN priority INTEGER NOT NULL DEFAULT 0
    CONSTRAINT jobs_priority_range CHECK (priority BETWEEN -2147483648 AND 2147483647);
