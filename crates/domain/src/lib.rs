//! What a recording, a job, a clip and a stage **are**: types, ids, rules and
//! the state machine. No I/O, no SQL, no HTTP.
//!
//! Everything here is made through a constructor that checks it, so a value
//! that exists is a value that fits: whoever holds a [`Filename`] need not ask
//! how long it is, and whoever holds a [`TimeRange`] knows which end is first.
//! A constructor's error is [`Invalid`], which names the field.
//!
//! ```
//! use lectern_domain::{At, JobStatus, NewJob, NewTranscriptSegment, SpokenText, TimeRange};
//!
//! let job = NewJob::new("lecture.mp4")?;
//! let segment = NewTranscriptSegment {
//!     time: TimeRange::new(0.0, 4.2)?,
//!     text: SpokenText::new("Welcome back.").at("text")?,
//!     confidence: None,
//!     speaker_id: None,
//! };
//! assert!(JobStatus::from(job.status).can_become(JobStatus::Running));
//! assert_eq!(segment.time.duration(), 4.2);
//! # Ok::<(), lectern_domain::Invalid>(())
//! ```
//!
//! Each noun has a file of its own, and the same name in the crates above:
//! `lectern-db` stores it, `lectern-api` puts it on the wire.
//!
//! | noun | types |
//! |---|---|
//! | job | [`Job`], [`NewJob`], [`JobUpdate`], [`JobStatus`], [`JobFilter`], [`ProcessingConfig`] |
//! | progress | [`JobProgress`], [`ProgressReport`], [`Stage`] |
//! | transcript | [`TranscriptSegment`], [`NewTranscriptSegment`], [`TranscriptFormat`] |
//! | silence | [`SilenceRegion`], [`NewSilenceRegion`], [`SilenceType`] |
//! | layout | [`LayoutAnalysis`], [`NewLayoutAnalysis`], [`LayoutType`], [`Region`] |
//! | content segment | [`ContentSegment`], [`NewContentSegment`] |
//! | clip | [`Clip`], [`NewClip`], [`ClipMedia`] |
//! | log entry | [`LogEntry`], [`NewLogEntry`], [`LogStatus`] |
//! | upload | [`NewUpload`], [`IdempotencyKey`] |
//! | pipeline | [`Pipeline`], [`Pipelines`], [`Step`] |
//! | stage run | [`StageRun`], [`StageRunStatus`], [`Lease`] |
//! | work | [`ClaimRequest`], [`Claim`], [`Heartbeat`], [`StageFailure`] |
//! | event | [`JobEvent`], [`Event`] |
//! | results | [`JobResults`], [`JobMetrics`] |
//!
//! Times on the media axis are seconds (`f64`); wall-clock times are UTC to
//! the microsecond and come from a [`Clock`].

mod clip;
mod clock;
mod content_segment;
mod error_chain;
mod event;
mod id;
mod idempotency;
mod job;
mod layout_analysis;
mod lease;
mod log_entry;
mod pipeline;
mod results;
mod silence_region;
mod stage;
mod stage_run;
mod transcript_segment;
mod upload;
mod value;

pub use clip::{Clip, ClipMedia, ClipMediaUpdate, NewClip};
pub use clock::{Clock, ManualClock, SystemClock};
pub use content_segment::{ContentSegment, NewContentSegment};
pub use error_chain::error_chain;
pub use event::{Event, EventType, JobEvent, JobState, StageState};
pub use id::{
    ClipId, ContentSegmentId, JobId, LayoutAnalysisId, LeaseId, LogEntryId, SilenceRegionId,
    StageRunId, TranscriptSegmentId,
};
pub use idempotency::{Fingerprint, IdempotencyKey};
pub use job::filter::JobFilter;
pub use job::processing::{ProcessingConfig, ProcessingMode, Resolution};
pub use job::progress::{JobProgress, ProgressReport};
pub use job::status::{JobStatus, Requirement, Transition};
pub use job::update::JobUpdate;
pub use job::{Job, NewJob, NewJobStatus};
pub use layout_analysis::{LayoutAnalysis, LayoutType, NewLayoutAnalysis, Region};
pub use lease::{
    Claim, ClaimLimit, ClaimRequest, Heartbeat, LeaseDuration, LeaseState, StageFailure, Stages,
    retry_delay,
};
pub use log_entry::{LogEntry, LogEntryFilter, LogStatus, NewLogEntry};
pub use pipeline::{Pipeline, Pipelines, Step};
pub use results::{JobMetrics, JobResults};
pub use silence_region::{NewSilenceRegion, SilenceRegion, SilenceRegionFilter, SilenceType};
pub use stage::Stage;
pub use stage_run::{Lease, StageRun, StageRunStatus};
pub use transcript_segment::{NewTranscriptSegment, TranscriptFormat, TranscriptSegment};
pub use upload::{NewUpload, RECORDING_TYPES, check_recording, recording_media_type};
pub use value::invalid::{At, FieldError, Invalid};
pub use value::json::{JsonObject, MAX_JSON_DEPTH};
pub use value::number::{
    Decibels, FileSize, NonNegativeInt, Percent, Ratio, Seconds, VideoDuration,
};
pub use value::page::{Cursor, Page, PageLimit, PageRequest};
pub use value::patch::Patch;
pub use value::plain::{BoundedText, IdValue, JsonValue, NumberValue, TextValue};
pub use value::position::assign_positions;
pub use value::progress::Progress;
pub use value::string_enum::ParseEnumError;
pub use value::text::{
    AgentName, ClipTopic, ContentType, Filename, Keyword, LongText, PipelineName, ProgressMessage,
    SpeakerId, SpokenText, StorageKey, TaskId, Title, Topic, WHITE_SPACE, WorkerName,
};
pub use value::time_range::{TimeRange, Window};
