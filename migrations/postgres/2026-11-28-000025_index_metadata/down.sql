DROP INDEX jobs_extra_metadata_idx;
