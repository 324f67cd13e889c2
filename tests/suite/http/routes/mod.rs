//! The routes below `/api/v1`, one file per resource.

mod cancel_retry;
mod clips;
mod content_segments;
mod job_list;
mod jobs;
mod layout_analysis;
mod logs;
mod progress;
mod results;
mod silence_regions;
mod stats;
mod subtitles;
mod transcript_files;
mod transcripts;
mod uploads;
