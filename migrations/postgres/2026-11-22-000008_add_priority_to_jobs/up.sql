-- Of two jobs that wait, the one of higher priority is worked on first.
ALTER TABLE jobs ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
