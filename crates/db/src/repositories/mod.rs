//! One repository per table, each returned by a method of [`Conn`].

mod api_keys;
mod audit_entries;
mod clips;
mod content_segments;
mod database_identity;
mod idempotency_keys;
pub(crate) mod job_events;
pub(crate) mod jobs;
mod layout_analyses;
pub(crate) mod log_entries;
pub(crate) mod replace_set;
mod retention_start;
mod silence_regions;
mod stage_pauses;
pub(crate) mod stage_runs;
mod stored_rows;
mod thumbnails;
mod transcript_segments;
mod uploads;

pub use api_keys::ApiKeys;
pub use audit_entries::AuditEntries;
pub use clips::Clips;
pub use content_segments::ContentSegments;
pub use database_identity::DatabaseIdentity;
pub use idempotency_keys::IdempotencyKeys;
pub use job_events::JobEvents;
pub use jobs::{Jobs, UnneededObjects};
pub use layout_analyses::LayoutAnalyses;
pub use log_entries::ProcessingLogs;
pub use replace_set::parts::{RowSets, StagedSet};
pub use replace_set::set_page::{SetCursor, SetPage};
pub use silence_regions::SilenceRegions;
pub use stage_pauses::StagePauses;
pub use stage_runs::StageRuns;
pub use transcript_segments::{AddedRows, TranscriptSelection, Transcripts};
pub use uploads::{AppendStart, ClearedUpload, Uploads};

use crate::connection::{Conn, Tx};

impl<Mode> Conn<'_, Mode> {
    /// The table `row_sets`, which is empty on PostgreSQL.
    pub fn row_sets(&mut self) -> RowSets<'_, Mode> {
        RowSets(self.reborrow())
    }

    /// The table `jobs`.
    pub fn jobs(&mut self) -> Jobs<'_, Mode> {
        Jobs(self.reborrow())
    }

    /// The table `transcripts`: timed segments of speech.
    pub fn transcripts(&mut self) -> Transcripts<'_, Mode> {
        Transcripts(self.reborrow())
    }

    /// The table `silence_regions`: parts of a recording with nothing to hear or
    /// see.
    pub fn silence_regions(&mut self) -> SilenceRegions<'_, Mode> {
        SilenceRegions(self.reborrow())
    }

    /// The table `layout_analysis`: where screen and camera are in the picture.
    pub fn layout_analysis(&mut self) -> LayoutAnalyses<'_, Mode> {
        LayoutAnalyses(self.reborrow())
    }

    /// The table `content_segments`: the topics of a recording.
    pub fn content_segments(&mut self) -> ContentSegments<'_, Mode> {
        ContentSegments(self.reborrow())
    }

    /// The table `clips`.
    pub fn clips(&mut self) -> Clips<'_, Mode> {
        Clips(self.reborrow())
    }

    /// The table `processing_logs`: the audit trail.
    pub fn processing_logs(&mut self) -> ProcessingLogs<'_, Mode> {
        ProcessingLogs(self.reborrow())
    }

    /// The table `stage_runs`: the state of each stage of a job.
    pub fn stage_runs(&mut self) -> StageRuns<'_, Mode> {
        StageRuns(self.reborrow())
    }

    /// The table `stage_pauses`: the stages whose claims give nothing.
    pub fn stage_pauses(&mut self) -> StagePauses<'_, Mode> {
        StagePauses(self.reborrow())
    }

    /// The table `database_identity`: the random id of the database.
    pub fn database_identity(&mut self) -> DatabaseIdentity<'_, Mode> {
        DatabaseIdentity(self.reborrow())
    }

    /// The table `api_keys`: the keys of the interface.
    pub fn api_keys(&mut self) -> ApiKeys<'_, Mode> {
        ApiKeys(self.reborrow())
    }

    /// The table `audit_entries`: who changed what.
    pub fn audit_entries(&mut self) -> AuditEntries<'_, Mode> {
        AuditEntries(self.reborrow())
    }

    /// The tables `uploads` and `upload_parts`: the uploads of pending jobs.
    pub fn uploads(&mut self) -> Uploads<'_, Mode> {
        Uploads(self.reborrow())
    }

    /// The table `job_events`: numbered events for subscribers.
    pub fn job_events(&mut self) -> JobEvents<'_, Mode> {
        JobEvents(self.reborrow())
    }
}

impl Tx<'_> {
    /// The table `idempotency_keys`: the responses to idempotent requests.
    pub fn idempotency_keys(&mut self) -> IdempotencyKeys<'_> {
        IdempotencyKeys(self.reborrow())
    }
}
