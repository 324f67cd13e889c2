//! What goes over the wire: the bodies and query strings a client sends, the
//! bodies it gets back, and a description of both for machines. No SQL, no
//! HTTP server.
//!
//! A **request** becomes a value of the domain in three steps, and each finds
//! another kind of mistake. [`Request::read`] refuses what does not fit the
//! type; [`Request::into_domain`] first collects every value that is out of
//! bounds and then lets the domain decide.
//!
//! ```
//! use lectern_api::{FieldError, JobCreate, Request};
//! use serde_json::json;
//!
//! let body = json!({ "filename": "lecture.mp4", "file_size": 734_003_200, "s3_key": "in/lecture.mp4" });
//! let new_job = JobCreate::read(body)?.into_domain().unwrap();
//! assert_eq!(new_job.filename.as_str(), "lecture.mp4");
//!
//! let body = json!({ "filename": "", "file_size": 0, "s3_key": "in/lecture.mp4" });
//! let errors = JobCreate::read(body)?.into_domain().unwrap_err();
//! assert_eq!(errors[0], FieldError::new("file_size", "must be 1 or more"));
//! assert_eq!(errors[1], FieldError::new("filename", "must be 1 to 255 characters long"));
//!
//! let body = json!({ "filename": "lecture.mp4", "file_size": "large", "s3_key": "in/lecture.mp4" });
//! assert!(JobCreate::read(body).is_err());
//! # Ok::<(), serde_json::Error>(())
//! ```
//!
//! A **response** is made `From` what the domain has, and leaves out what is
//! internal. What may be absent is `null`, never left out.
//!
//! An **error** is a [`Problem`]; its [`Code`] decides its status.
//!
//! The bounds stand in one place, the `#[validate(…)]` attribute of the field:
//! it checks the value, and [`openapi::document`] reads it to tell the bounds.
//!
//! | noun | sent | answered |
//! |---|---|---|
//! | job | [`JobCreate`], [`JobUpdate`], [`JobListQuery`] | [`JobResponse`], [`JobListResponse`] |
//! | progress | [`ProgressReport`] | [`JobProgress`] |
//! | upload | [`UploadRequest`], [`UploadConfirmBody`] | [`UploadResponse`] |
//! | claim | [`ClaimBody`] | [`ClaimsResponse`] |
//! | work | [`HeartbeatBody`], [`StageCompletionBody`], [`StageFailureBody`] | [`HeartbeatResponse`], [`StageRunResponse`] |
//! | stage run | | [`StagesResponse`] |
//! | event | [`EventsQuery`], [`WsClientMessage`] | [`WsMessage`], [`EventsResponse`] |
//! | transcript | [`TranscriptSegmentsBody`], [`TranscriptQuery`] | [`TranscriptResponse`] |
//! | silence | [`SilenceRegionsBody`], [`SilenceRegionsQuery`] | [`SilenceRegionsResponse`] |
//! | layout | [`LayoutAnalysisBody`] | [`LayoutAnalysisResponse`] |
//! | content segment | [`ContentSegmentsBody`], [`ContentSegmentsQuery`] | [`ContentSegmentsResponse`] |
//! | clip | [`ClipsBody`], [`ClipsQuery`] | [`ClipsResponse`] |
//! | subtitles | [`TranscriptSegmentsBody`], [`SubtitlesQuery`] | [`SubtitlesResponse`] |
//! | log | [`LogEntryBody`], [`LogEntryListQuery`] | [`LogEntry`], [`LogEntryListResponse`] |
//! | results | | [`ResultsResponse`] |
//! | stats | | [`StatsResponse`] |

mod claim;
mod clip;
mod content_segment;
mod event;
mod health;
mod job;
mod layout_analysis;
mod lease;
mod log_entry;
pub mod openapi;
mod results;
#[cfg(test)]
mod samples;
mod silence_region;
mod stage_run;
mod stats;
mod subtitles;
mod transcript_segment;
mod upload;
mod wire;

pub use claim::{ClaimBody, ClaimResponse, ClaimWithWait, ClaimsResponse};
pub use clip::{Clip, ClipBody, ClipFilter, ClipMetadata, ClipsBody, ClipsQuery, ClipsResponse};
pub use content_segment::{
    ContentSegment, ContentSegmentBody, ContentSegmentFilter, ContentSegmentsBody,
    ContentSegmentsQuery, ContentSegmentsResponse,
};
pub use event::page::{EventsQuery, EventsRequest, EventsResponse};
pub use event::ping::WsClientMessage;
pub use event::{WsData, WsError, WsMessage, WsMessageType, WsProgressUpdate, WsStage};
pub use health::{HealthResponse, HealthStatus};
pub use job::list::{JobListQuery, JobListRequest, JobListResponse};
pub use job::progress::{JobProgress, ProgressReport};
pub use job::update::JobUpdate;
pub use job::{JobCreate, JobResponse};
pub use layout_analysis::{LayoutAnalysisBody, LayoutAnalysisResponse, Region};
pub use lease::{HeartbeatBody, HeartbeatResponse, StageCompletionBody, StageFailureBody};
pub use log_entry::{
    LogEntry, LogEntryBody, LogEntryListQuery, LogEntryListRequest, LogEntryListResponse,
};
pub use results::{HighlightVideo, OriginalVideo, ResultsMetadata, ResultsResponse};
pub use silence_region::{
    SilenceRegion, SilenceRegionBody, SilenceRegionsBody, SilenceRegionsQuery,
    SilenceRegionsResponse,
};
pub use stage_run::{StageRunResponse, StagesResponse};
pub use stats::{JobCounts, StatsResponse};
pub use subtitles::{SubtitleSegment, SubtitlesFormat, SubtitlesQuery, SubtitlesResponse};
pub use transcript_segment::{
    TranscriptFilter, TranscriptQuery, TranscriptResponse, TranscriptSegment,
    TranscriptSegmentBody, TranscriptSegmentsBody,
};
pub use upload::{UploadConfirmBody, UploadRequest, UploadResponse};
pub use wire::cursor::{InvalidCursor, JobList, List, LogEntryList, PageCursor};
pub use wire::problem::{Code, Problem};
pub use wire::request::Request;
pub use wire::validation::FieldError;
