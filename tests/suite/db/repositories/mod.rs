//! The repositories, one file per table or per concern of jobs.

mod api_keys;
mod audit_entries;
mod clips;
mod confirm_cancel_retry;
mod content_segments;
mod database_identity;
mod free_form_json;
mod idempotency_keys;
mod job_list;
mod job_metrics;
mod job_updates;
mod jobs;
mod jobs_by_metadata;
mod layout_analysis;
mod missing_jobs;
mod owners;
mod processing_logs;
mod progress;
mod query_counts;
mod results;
mod row_security;
mod row_sets;
mod silence_regions;
mod stored_rows;
mod transcripts;
mod transitions;
