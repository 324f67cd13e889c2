DROP TABLE job_events;
ALTER TABLE jobs DROP COLUMN last_seq;
