DROP TABLE processing_logs;
