//! The types, ids and rules of Lectern, and the state machine of a job. No I/O, no
//! SQL, no HTTP.
//!
//! Every value is made by a constructor that checks it, so a value that exists is
//! valid: code that has a [`Filename`] does not check its length again, and the
//! end of a [`TimeRange`] is never before its start. The error of a constructor is
//! [`Invalid`], which names the field.
//!
//! ```
//! use lectern_domain::{JobStatus, NewClip, NewJob, NewTranscriptSegment, TimeRange};
//!
//! let job = NewJob::new("lecture.mp4")?;
//! assert!(JobStatus::from(job.status).can_become(JobStatus::Running));
//!
//! let segment = NewTranscriptSegment::new("Welcome back.", TimeRange::new(0.0, 4.2)?)?;
//! assert_eq!(segment.time.duration(), 4.2);
//!
//! let error = NewClip::new("", segment.time).unwrap_err();
//! assert_eq!(error.to_string(), "title must be 1 to 200 characters long");
//! # Ok::<(), lectern_domain::Invalid>(())
//! ```
//!
//! Each noun has a file here and, under the same name, in the crates above:
//! `lectern-db` stores it, `lectern-api` puts it on the wire. A value to be stored
//! is a `New…`; the stored value holds it as `data`, next to its id and times.
//!
//! | noun | types |
//! |---|---|
//! | job | [`Job`], [`NewJob`], [`JobUpdate`], [`JobMetrics`], [`ProcessingConfig`] |
//! | list of jobs | [`JobFilter`], [`JobOrder`], [`JobPageRequest`], [`JobCursor`], [`JobSummary`] |
//! | status of a job | [`JobStatus`], [`Transition`], [`Requirement`] |
//! | progress | [`Progress`], [`JobProgress`], [`ProgressReport`] |
//! | transcript segment | [`TranscriptSegment`], [`NewTranscriptSegment`], [`TranscriptFormat`] |
//! | silence region | [`SilenceRegion`], [`NewSilenceRegion`], [`SilenceType`] |
//! | layout analysis | [`LayoutAnalysis`], [`NewLayoutAnalysis`], [`LayoutStretches`], [`LayoutStretch`], [`LayoutType`], [`Region`] |
//! | content segment | [`ContentSegment`], [`NewContentSegment`] |
//! | clip | [`Clip`], [`NewClip`], [`ClipMedia`] |
//! | log entry | [`LogEntry`], [`NewLogEntry`], [`LogStatus`] |
//! | upload | [`NewUpload`], [`ResumableUpload`], [`AppendedBytes`] |
//! | type of a recording | [`RecordingType`], [`RECORDING_TYPES`], [`check_recording`] |
//! | name of a download | [`DownloadName`] |
//! | object of a worker | [`NewWorkObject`], [`WorkObjectName`] |
//! | idempotency key | [`IdempotencyKey`], [`Fingerprint`] |
//! | pipeline | [`Pipeline`], [`Pipelines`], [`Step`], [`Stage`] |
//! | stage run | [`StageRun`], [`StageRunStatus`] |
//! | stages over all jobs | [`StageStats`], [`RunCounts`], [`Durations`] |
//! | stages over time | [`WorkHistory`], [`StageHistory`], [`HistoryPoint`] |
//! | worker | [`ActiveWorker`], [`HeldLease`] |
//! | results of a stage | [`StageResults`], [`RecordingProperties`], [`ClipFiles`] |
//! | claim | [`ClaimRequest`], [`Claim`] |
//! | lease | [`Lease`], [`Heartbeat`], [`LeaseState`], [`StageFailure`] |
//! | event | [`JobEvent`], [`Event`], [`EventPosition`] |
//! | results | [`JobResults`] |
//! | audit | [`AuditEntry`], [`AuditChange`], [`AuditAction`], [`Actor`] |
//! | key | [`ApiKey`], [`NewApiKey`], [`ApiKeyText`], [`Role`], [`Scope`], [`Access`], [`WatchTokenLifetime`] |
//!
//! Times in a recording are seconds from its start (`f64`). Wall-clock times are UTC, to the
//! microsecond, and come from a [`Clock`].
//!
//! # Rules
//!
//! Each rule is stated once, by a constructor in this crate. The wire types take
//! their bounds from the constants below, and a constraint of the database repeats
//! each rule for other programs that write to the tables.
//!
//! | type | rule |
//! |---|---|
//! | every text, every string and key in JSON | no NUL, which PostgreSQL cannot store |
//! | [`Filename`], [`ContentType`], [`StorageKey`], [`TaskId`], [`Title`], [`Topic`], [`Keyword`], [`WorkerName`], [`PipelineName`], [`CutRecord`], [`ApiKeyName`], [`OwnerName`], [`ClientAddress`], [`CommandLineUser`] | not empty, at most `MAX` characters |
//! | [`ProgressMessage`], [`SpeakerId`], [`AgentName`], [`ClipTopic`], [`FilenamePart`] | at most `MAX` characters |
//! | [`SpokenText`] | at least one character that is not in [`WHITE_SPACE`] |
//! | [`IdempotencyKey`] | 1 to [`MAX`](IdempotencyKey::MAX) visible ASCII characters |
//! | [`Ratio`] | 0 to 1 |
//! | [`Percent`] | 0 to 100 |
//! | [`Seconds`], [`NonNegativeInt`] | not negative |
//! | [`VideoDuration`], [`FileSize`] | more than 0 |
//! | [`AttemptTimeout`] | 1 second to a week |
//! | [`WatchTokenLifetime`] | 1 second to a day |
//! | [`HistoryPeriod`] | 1 hour to 30 days |
//! | [`RetryAfter`] | at most a day |
//! | [`Backoff`] | pauses of at most a day, a factor of 1 to 100 |
//! | every `f64` | finite, and 0.0 instead of -0.0 |
//! | [`TimeRange`] | `0 <= start <= end` |
//! | [`JsonObject`] | an object, nested at most [`MAX_JSON_DEPTH`] levels |
//! | [`ProcessingConfig`] | a [`JsonObject`] with a known `processing_mode`, a [`PipelineName`] as `pipeline`, and [`ProcessingOptions`], where these are neither absent nor null |
//! | [`Region`] | four integers that are not negative |
//! | keywords and concepts | JSON arrays of [`Keyword`]s |
//! | enumerations | the text of one of their variants |
//! | `clip_order`, `segment_order` | unique within a job ([`assign_positions`]) |
//! | [`Stages`], [`Pipeline`] | stages of [`Stage::WORK`] |
//! | [`NewApiKey`] | stages only with the role `worker` |
//! | [`Transition`] | the state machine of a job's status |

mod active_worker;
mod api_key;
mod audit;
mod audited_row;
mod claim;
mod clip;
mod clock;
mod content_segment;
mod deserialize;
mod download_name;
mod error_chain;
mod event;
mod id;
mod idempotency_key;
mod job;
mod job_quota;
mod language_tag;
mod layout_analysis;
mod layout_stretch;
mod layout_type;
mod lease;
mod log_entry;
mod owner;
mod pipeline;
mod recording_type;
mod results;
mod retry_delay;
mod role;
mod scope;
mod silence_region;
mod stage;
mod stage_history;
mod stage_note;
mod stage_results;
mod stage_run;
mod stage_stats;
mod timed_words;
mod transcript_segment;
mod transcript_source;
mod upload;
mod value;
mod watch_token;
mod work_object;

pub use active_worker::{ActiveWorker, HeldLease, WorkerPage, WorkerPageRequest};
pub use api_key::{
    ApiKey, ApiKeyName, ApiKeyState, ApiKeyText, NewApiKey, PersonName, SecretHash, Session,
};
pub use audit::{
    Actor, AuditAction, AuditChange, AuditEntry, AuditFilter, ClientAddress, CommandLineUser,
    MAX_AUDIT_VALUE,
};
pub use audited_row::AuditedRow;
pub use claim::{Claim, ClaimLimit, ClaimRequest, Stages};
pub use clip::{
    Clip, ClipItem, ClipMedia, ClipMediaUpdate, ClipTopic, ClipUpdate, Cut, CutRecord, NewClip,
    Title,
};
pub use clock::{Clock, ManualClock, SystemClock};
pub use content_segment::{
    ContentSegment, ContentSegmentUpdate, Keyword, NewContentSegment, Topic,
};
pub use deserialize::{DeserializeError, Reason, TypedErrors};
pub use download_name::DownloadName;
pub use error_chain::error_chain;
pub use event::{Event, EventPage, EventPosition, EventType, JobEvent, JobState, StageState};
pub use id::{
    ApiKeyId, AppendId, AuditEntryId, ClipId, ContentSegmentId, DatabaseId, JobId,
    LayoutAnalysisId, LeaseId, LogEntryId, SilenceRegionId, StageRunId, TranscriptSegmentId,
};
pub use idempotency_key::{Fingerprint, IdempotencyKey};
pub use job::{
    AudioTrack, ClipCount, ClipLayout, ClipSeconds, ClipShare, FilenamePart, Job, JobCursor,
    JobFilter, JobMetrics, JobOrder, JobPageRequest, JobProgress, JobStatus, JobSummary, JobUpdate,
    Loudness, MetadataFilter, NewJob, NewJobOfSource, NewJobStatus, OptionValue, ProcessingConfig,
    ProcessingMode, ProcessingOptions, Progress, ProgressReport, Requirement, Resolution,
    SilenceLevel, SummaryMetadata, Transition,
};
pub use job_quota::{ExceededQuota, JobQuota, JobUsage};
pub use language_tag::LanguageTag;
pub use layout_analysis::{LayoutAnalysis, NewLayoutAnalysis};
pub use layout_stretch::{LayoutStretch, LayoutStretches};
pub use layout_type::{LayoutType, Region};
pub use lease::{Heartbeat, Lease, LeaseDuration, LeaseState, StageFailure};
pub use log_entry::{LogEntry, LogEntryFilter, LogStatus, NewLogEntry};
pub use owner::OwnerName;
pub use pipeline::{Pipeline, Pipelines, Step};
pub use recording_type::{RECORDING_TYPES, RecordingType, check_recording, recording_media_type};
pub use results::JobResults;
pub use retry_delay::{Backoff, retry_delay};
pub use role::Role;
pub use scope::{Access, Scope};
pub use silence_region::{NewSilenceRegion, SilenceRegion, SilenceRegionFilter, SilenceType};
pub use stage::Stage;
pub use stage_history::{
    HistoryBuckets, HistoryPeriod, HistoryPoint, MeanAndMax, RunGroup, RunOutcome, RunTimes,
    StageHistory, WorkHistory,
};
pub use stage_note::{NoteLevel, NoteOfStage, NoteText, StageNote, StageNotes};
pub use stage_results::{ClipFiles, RecordingProperties, StageResults};
pub use stage_run::{StageRun, StageRunStatus, stages_from};
pub use stage_stats::{Durations, RunCounts, StageStats};
pub use timed_words::{TimedWord, TimedWords, WordText};
pub use transcript_segment::{
    NewTranscriptSegment, SpeakerId, SpokenText, TranscriptFormat, TranscriptSegment,
    TranscriptSegmentUpdate,
};
pub use transcript_source::TranscriptSource;
pub use upload::{
    AppendedBytes, MultipartId, NewUpload, PartEtag, ResumableUpload, UploadMetadata,
};
pub use value::{
    AgentName, AttemptTimeout, BoundedText, ContentType, Cursor, Decibels, Direction, FieldError,
    FileSize, Filename, IdValue, InField, Invalid, JsonObject, JsonValue, LongText, MAX_JSON_DEPTH,
    NonNegativeInt, NumberValue, ObjectUpdate, Page, PageLimit, PageRequest, ParseEnumError, Patch,
    Percent, PipelineName, ProgressMessage, Ratio, RetryAfter, Seconds, StorageKey, TaskId,
    TextValue, TimeRange, Total, VideoDuration, WHITE_SPACE, Window, WorkerName, assign_positions,
    fold_case, json_memory, normalize_numbers,
};
pub use watch_token::WatchTokenLifetime;
pub use work_object::{NewWorkObject, WorkObjectName};
