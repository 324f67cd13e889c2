DROP TRIGGER jobs_count_created_at;
DROP TRIGGER jobs_count_update;
DROP TRIGGER jobs_count_delete;
DROP TRIGGER jobs_count_insert;
DROP TABLE job_hour_counts;
DROP TABLE job_status_counts;
