DROP TABLE stage_runs;
