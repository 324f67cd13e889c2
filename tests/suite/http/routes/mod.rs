//! The routes below `/api/v1`, one file per resource.

mod audit;
mod cancel_retry;
mod clips;
mod compression;
mod content_segments;
mod job_list;
mod job_status;
mod jobs;
mod layout_analysis;
mod logs;
mod progress;
mod recording_page;
mod recordings_page;
mod rejected_transcript_files;
mod rerun;
mod results;
mod silence_regions;
mod single_rows;
mod stats;
mod subtitles;
mod transcript_files;
mod transcripts;
mod tus;
mod upload_urls;
mod uploads;
