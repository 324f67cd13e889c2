DROP TABLE imported_jobs;
