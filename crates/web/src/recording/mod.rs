//! The page of one recording.

mod clips;
mod cutting;
pub(crate) mod editing_words;
mod failure_hint;
mod heading;
mod player;
mod stages;
mod timeline;
mod transcript;
pub(crate) mod words;

use chrono::{DateTime, Utc};
use lectern_api::{
    Clip, ContentSegment, EventCursor, JobResponse, LogEntry, SilenceRegion, StageRunResponse,
    TranscriptSegment,
};
use lectern_domain::{Stage, VideoDuration};
use maud::html;
use serde_json::{Value, json};

use crate::assets::RECORDING_STYLE;
use crate::language::Language;
use crate::layout::{Layout, PageHeader};

/// Everything that the page of a recording shows.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts about different parts of the page"
)]
pub struct Recording {
    /// The job of the recording.
    pub job: JobResponse,
    /// Where the recording can be downloaded and played; `None` before it has arrived.
    pub media_url: Option<String>,
    /// A part of the transcript.
    pub transcript: TranscriptPart,
    /// Changes with the waveform; `None` if there is none.
    pub waveform_version: Option<String>,
    /// Changes with the thumbnails; `None` if there are none.
    pub thumbnails_version: Option<String>,
    /// Whether there is a layout analysis.
    pub has_layout: bool,
    /// Silence regions by time.
    pub silence_regions: Vec<SilenceRegion>,
    /// Content segments in their order.
    pub topics: Vec<ContentSegment>,
    /// Clips in their order.
    pub clips: Vec<ClipWithUrls>,
    /// Where all clips, joined to one video, can be downloaded; `None` before they were.
    pub reel_url: Option<String>,
    /// Whether this video has other clips, or another order. That clips need cutting is known from
    /// the clips.
    pub has_outdated_reel: bool,
    /// Whether there are more clips than these.
    pub has_more_clips: bool,
    /// Stage runs in the order of the pipeline.
    pub stages: Vec<StageRunResponse>,
    /// The first entries of the log.
    pub log: Vec<LogEntry>,
    /// Whether the log has more entries than these.
    pub has_more_log: bool,
    /// Before the first event that the page may not contain.
    pub events_after: EventCursor,
    /// For whom the page is.
    pub reader: ReaderRights,
    /// The time of the page, to which the bars of running stages extend.
    pub now: DateTime<Utc>,
}

/// What the reader of a page may see and do.
#[derive(Debug, Clone, Copy)]
pub struct ReaderRights {
    /// Whether the reader may see recordings of several owners.
    pub has_owners: bool,
    /// Whether the reader may change recordings. Otherwise the page has no buttons that do.
    pub may_change: bool,
    /// What the header of the page offers.
    pub header: PageHeader,
}

/// A part of a transcript.
#[derive(Debug, Default)]
pub struct TranscriptPart {
    /// Its segments by time.
    pub segments: Vec<TranscriptSegment>,
    /// The number of segments in the whole transcript.
    pub total: i64,
    /// The start of the first segment after the part, in seconds; `None` at the end.
    pub next_start: Option<f64>,
    /// The text that the segments contain, if only those are shown.
    pub search: Option<String>,
    /// Whether the part begins later than the transcript.
    pub is_continued: bool,
}

/// A clip, and where its files are.
#[derive(Debug)]
pub struct ClipWithUrls {
    /// The clip.
    pub clip: Clip,
    /// Where its video can be downloaded; `None` before it was cut.
    pub url: Option<String>,
    /// Where its picture can be downloaded.
    pub thumbnail_url: Option<String>,
}

impl Recording {
    /// The length in seconds: that of the recording, or the end of what was found in it.
    fn seconds(&self) -> f64 {
        let known = self.job.video_duration.map(VideoDuration::get);
        known.filter(|seconds| *seconds > 0.0).unwrap_or_else(|| {
            let topics = self.topics.iter().map(|topic| topic.end_time);
            let clips = self.clips.iter().map(|found| found.clip.end_time);
            let silences = self.silence_regions.iter().map(|region| region.end_time);
            let lines = self.transcript.segments.iter().map(|line| line.end_time);
            let ends = topics.chain(clips).chain(silences).chain(lines);
            ends.fold(0.0, f64::max)
        })
    }

    /// The address of its job in the API, relative to the page.
    fn api(&self) -> String {
        format!("../api/v1/jobs/{}", self.job.job_id)
    }
}

/// The page, which is one path segment below the root of the service, followed by the id.
pub fn recording_page(language: Language, recording: &Recording) -> String {
    let editing = language.editing_words();
    let content = html! {
        div #recording .recording data-job-id=(recording.job.job_id)
            data-events-after=(recording.events_after)
            data-may-change=[recording.reader.may_change.then_some("")] data-labels=(labels(language)) {
            p #notice .notice role="alert" hidden {}
            // Says a new status to those who do not see it.
            p #announcement .unseen role="status" {}
            (heading::section(language, recording))
            div .watch {
                div .picture {
                    (player::section(language, recording))
                    (timeline::section(language, recording))
                }
                (transcript::section(language, recording))
            }
            (clips::section(language, recording))
            (stages::section(language, recording))
            @if recording.reader.may_change {
                div #selection .selection hidden {
                    span .soft { (editing.selection) " " span .selected-times {} }
                    button .main type="button" { (editing.make_clip) }
                }
            }
        }
    };
    let layout = Layout {
        language,
        title: &recording.job.filename,
        depth: 1,
        script: Some("recording"),
        style: Some(RECORDING_STYLE),
        header: recording.reader.header,
    };
    layout.render(&content)
}

/// The words that the script shows.
fn labels(language: Language) -> String {
    let (words, own) = (language.words(), language.recording_words());
    let editing = language.editing_words();
    let stages = Stage::ALL.iter();
    let stages: Value = stages
        .map(|stage| (stage.to_string(), words.stage(*stage).into()))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let labels = json!({
        "stages": stages,
        "save": own.save,
        "discard": own.discard,
        "edit_line": own.edit_line,
        "line_found": own.line_found,
        "lines_found": own.lines_found,
        "none_found": own.none_found,
        "not_playable": own.not_playable,
        "changed_meanwhile": own.changed_meanwhile,
        "failure": own.failure,
        "time_format": own.time_format,
        "confirm_delete_clip": own.confirm_delete_clip,
        "deleted": own.deleted,
        "clip": own.clip,
        "edge_start": editing.edge_start,
        "edge_end": editing.edge_end,
        "edge_help": editing.edge_help,
        "screen": own.screen,
        "camera": own.camera,
    });
    labels.to_string()
}

#[cfg(test)]
mod tests;
