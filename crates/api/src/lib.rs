//! The wire format: the bodies and query strings of requests, the bodies of responses,
//! and the OpenAPI document of both. Contains no SQL and no HTTP server.
//!
//! A **request** is converted into a value of the domain in three steps, and each step
//! finds a different kind of error. [`Request::read`] refuses wrong types and missing or
//! unknown fields. [`Request::into_domain`] first collects all values that are out of
//! bounds, and then applies the rules of the domain.
//!
//! ```
//! use lectern_api::{FieldError, JobCreate, JobCreation, Request};
//! use serde_json::json;
//!
//! let body = json!({ "filename": "lecture.mp4", "file_size": 734_003_200, "s3_key": "in/lecture.mp4" });
//! let creation = JobCreate::read(body)?.into_domain().unwrap();
//! assert!(matches!(creation, JobCreation::Object(job) if job.filename.as_str() == "lecture.mp4"));
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
//! A **response** is converted `From` a value of the domain and omits internal fields.
//! The fields have types of the domain, which serialize as plain strings and numbers; an
//! absent value is `null`.
//!
//! An **error** is a [`Problem`]; its [`Code`] determines its status.
//!
//! The bounds of a field are in its `#[validate(…)]` attribute, as constants of the
//! domain. The attribute validates requests, and [`openapi::document`] shows the
//! same bounds.
//!
//! | noun | request | response |
//! |---|---|---|
//! | job | [`JobCreate`], [`JobUpdate`], [`RerunBody`], [`JobListQuery`] | [`JobResponse`], [`JobListResponse`] |
//! | progress | [`ProgressReport`] | [`JobProgress`] |
//! | upload | [`UploadRequest`], [`UploadConfirmBody`], [`TusUpload`] | [`UploadResponse`] |
//! | claim | [`ClaimBody`] | [`ClaimsResponse`] |
//! | lease | [`HeartbeatBody`], [`StageCompletionBody`], [`StageReleaseBody`], [`StageFailureBody`] | [`HeartbeatResponse`], [`StageRunResponse`] |
//! | stage run | | [`StagesResponse`] |
//! | event | [`EventsQuery`], [`WsClientMessage`], [`WatchTokenBody`] | [`WsMessage`], [`EventsResponse`], [`WatchTokenResponse`] |
//! | transcript segment | [`TranscriptSegmentsBody`], [`TranscriptSegmentUpdateBody`], [`TranscriptQuery`], [`TranscriptSegmentQuery`] | [`TranscriptSegment`], [`TranscriptResponse`] |
//! | silence region | [`SilenceRegionsBody`], [`SilenceRegionsQuery`] | [`SilenceRegionsResponse`] |
//! | layout analysis | [`LayoutAnalysisBody`] | [`LayoutAnalysisResponse`] |
//! | waveform | | [`Waveform`] |
//! | content segment | [`ContentSegmentsBody`], [`ContentSegmentUpdateBody`], [`ContentSegmentsQuery`] | [`ContentSegment`], [`ContentSegmentsResponse`] |
//! | clip | [`ClipsBody`], [`NewClipBody`], [`ClipUpdateBody`], [`ClipsQuery`] | [`Clip`], [`ClipsResponse`] |
//! | subtitles | [`TranscriptSegmentsBody`], [`SubtitlesQuery`] | [`SubtitlesResponse`] |
//! | log entry | [`LogEntryBody`], [`LogEntryListQuery`] | [`LogEntry`], [`LogEntryListResponse`] |
//! | audit | [`AuditQuery`] | [`AuditResponse`] |
//! | results | | [`ResultsResponse`] |
//! | stats | | [`StatsResponse`] |
//!
//! Types that all nouns share, such as [`Request`], [`PageCursor`] and [`Problem`],
//! are in `wire/`.

mod active_worker;
mod audit;
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
mod session;
mod silence_region;
mod stage_run;
mod stats;
mod subtitles;
mod timed_word;
mod transcript_segment;
mod tus;
mod upload;
mod waveform;
mod wire;
mod work_history;
mod work_object;
mod work_stats;

pub use active_worker::{ActiveWorker, HeldLease, WorkerCursor, WorkersQuery, WorkersResponse};
pub use audit::{AuditActor, AuditEntry, AuditQuery, AuditRequest, AuditResponse};
pub use claim::{ClaimBody, ClaimResponse, ClaimWithWait, ClaimsResponse};
pub use clip::{
    AddedClip, Clip, ClipBody, ClipFilter, ClipMetadata, ClipUpdateBody, ClipsBody, ClipsQuery,
    ClipsResponse, NewClipBody,
};
pub use content_segment::{
    ContentSegment, ContentSegmentBody, ContentSegmentFilter, ContentSegmentUpdateBody,
    ContentSegmentsBody, ContentSegmentsQuery, ContentSegmentsResponse,
};
pub use event::{
    AllEventsQuery, AllEventsRequest, AllEventsResponse, EventCursor, EventFilter, EventsQuery,
    EventsResponse, FeedStart, WatchTokenBody, WatchTokenResponse, WsClientMessage, WsData,
    WsDeletion, WsError, WsMessage, WsMessageType, WsProgressUpdate, WsStage,
};
pub use health::{HealthResponse, HealthStatus};
pub use job::{
    JobCreate, JobCreation, JobListInclude, JobListQuery, JobListRequest, JobListResponse,
    JobProgress, JobResponse, JobUpdate, ProgressReport, RerunBody,
};
pub use layout_analysis::{LayoutAnalysisBody, LayoutAnalysisResponse, Region};
pub use lease::{
    HeartbeatBody, HeartbeatResponse, StageCompletion, StageCompletionBody, StageFailureBody,
    StageReleaseBody,
};
pub use log_entry::{
    LogEntry, LogEntryBody, LogEntryListQuery, LogEntryListRequest, LogEntryListResponse,
};
pub use results::{HighlightVideo, OriginalVideo, ResultsMetadata, ResultsResponse};
pub use session::SessionResponse;
pub use silence_region::{
    SilenceRegion, SilenceRegionBody, SilenceRegionsBody, SilenceRegionsQuery,
    SilenceRegionsResponse,
};
pub use stage_run::{StageRunResponse, StagesResponse};
pub use stats::{JobCounts, StatsResponse};
pub use subtitles::{SubtitleSegment, SubtitlesFormat, SubtitlesQuery, SubtitlesResponse};
pub use timed_word::{TimedWord, TimedWordBody};
pub use transcript_segment::{
    TranscriptFilter, TranscriptQuery, TranscriptResponse, TranscriptSegment,
    TranscriptSegmentBody, TranscriptSegmentQuery, TranscriptSegmentUpdateBody,
    TranscriptSegmentView, TranscriptSegmentWithWords, TranscriptSegmentsBody,
};
pub use tus::{
    TUS_CHECKSUM_ALGORITHMS, TUS_EXTENSIONS, TUS_VERSION, TusChecksum, TusUpload, parse_size,
};
pub use upload::{UploadConfirmBody, UploadRequest, UploadResponse};
pub use waveform::Waveform;
pub use wire::{
    AuditEntryList, BodyShape, Code, FieldError, FieldErrors, InvalidCursor, Items, JobPageCursor,
    List, LogEntryList, PageCursor, Problem, Request,
};
pub use work_history::{
    PointDuration, StageHistoryEntry, StageHistoryPoint, WorkHistoryQuery, WorkHistoryResponse,
};
pub use work_object::{
    WorkObject, WorkObjectsQuery, WorkObjectsResponse, WorkUploadRequest, WorkUploadResponse,
};
pub use work_stats::{
    CompletedCounts, StageDuration, StagePauseResponse, StageRunCounts, StageStatsEntry,
    WorkStatsResponse,
};
