//! Compares a job of the source with what is stored of it: what has changed in the source
//! since the last import, and what has changed here.

use std::collections::{HashMap, HashSet};

use lectern_domain::{
    Clip, ContentSegment, ContentSegmentId, CutRecord, Decibels, Job, JobId, JsonObject, JsonValue,
    Keyword, LayoutAnalysis, LogEntry, Ratio, Region, Seconds, SilenceRegion, TimeRange,
    TranscriptSegment,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::digest::Digest;
use super::mapping::MappedJob;
use crate::connection::Conn;
use crate::error::Error;

/// A row that belongs to a job.
pub(super) trait ImportedRow {
    fn id(&self) -> Uuid;

    /// What the row says, in a form that never changes, because a digest of it is stored: a
    /// field of a later version belongs to it only if it differs from its default.
    fn content(&self) -> Value;
}

fn times(time: TimeRange) -> [f64; 2] {
    [time.start(), time.end()]
}

impl ImportedRow for TranscriptSegment {
    fn id(&self) -> Uuid {
        self.segment_id.as_uuid()
    }

    fn content(&self) -> Value {
        let mut content = vec![
            json!(times(self.time)),
            json!(self.text.as_str()),
            json!(self.confidence.map(Ratio::get)),
            json!(self.speaker_id.as_deref()),
        ];
        // Never imported, and not part of the digests of earlier versions.
        if self.language.is_some() || self.words.is_some() {
            content.push(json!(self.language.as_deref()));
            content.push(json!(self.words.as_ref().map(JsonValue::to_json)));
        }
        Value::Array(content)
    }
}

impl ImportedRow for SilenceRegion {
    fn id(&self) -> Uuid {
        self.region_id.as_uuid()
    }

    fn content(&self) -> Value {
        json!([
            times(self.time),
            self.silence_type.as_str(),
            self.amplitude_threshold.map(Decibels::get),
        ])
    }
}

impl ImportedRow for LayoutAnalysis {
    fn id(&self) -> Uuid {
        self.layout_id.as_uuid()
    }

    fn content(&self) -> Value {
        let region = |region: Option<Region>| {
            region.map(|r| [r.x.get(), r.y.get(), r.width.get(), r.height.get()])
        };
        let mut content = json!([
            self.layout_type.as_str(),
            region(self.screen_region),
            region(self.camera_region),
            self.split_ratio.map(Ratio::get),
            self.confidence_score.get(),
            self.sample_frame_time.map(Seconds::get),
        ]);
        // Imported rows have none, and digests of earlier versions do not cover them.
        if let (Some(content), stretches @ [_, ..]) =
            (content.as_array_mut(), self.stretches.as_slice())
        {
            content.push(json!(stretches.len()));
        }
        content
    }
}

impl ImportedRow for ContentSegment {
    fn id(&self) -> Uuid {
        self.segment_id.as_uuid()
    }

    fn content(&self) -> Value {
        let words = |words: &[Keyword]| -> Vec<String> {
            words.iter().map(|word| word.as_str().to_owned()).collect()
        };
        json!([
            times(self.time),
            self.topic.as_str(),
            self.description.as_deref(),
            self.importance_score.get(),
            words(&self.keywords),
            words(&self.concepts),
            self.segment_order.get(),
        ])
    }
}

impl ImportedRow for Clip {
    fn id(&self) -> Uuid {
        self.clip_id.as_uuid()
    }

    fn content(&self) -> Value {
        json!([
            times(self.data.time),
            self.data.content_segment_id.map(ContentSegmentId::as_uuid),
            self.data.title.as_str(),
            self.data.topic.as_deref(),
            self.data.importance_score.map(Ratio::get),
            self.data.media.s3_key.as_deref(),
            self.data.media.thumbnail_s3_key.as_deref(),
            self.data.media.subtitle_s3_key.as_deref(),
            self.data.clip_order.get(),
            self.data.extra_metadata.get(),
            self.cut.stale_since,
            self.cut.record.as_ref().map(CutRecord::as_str),
        ])
    }
}

impl ImportedRow for LogEntry {
    fn id(&self) -> Uuid {
        self.log_id.as_uuid()
    }

    fn content(&self) -> Value {
        json!([
            self.stage.as_str(),
            self.status.as_str(),
            self.agent_name.as_deref(),
            self.message.as_deref(),
            self.error_details.as_ref().map(JsonObject::get),
            self.duration_seconds.map(Seconds::get),
            self.timestamp,
        ])
    }
}

/// Whether a job says the same as the stored one, apart from the counters of its changes, times
/// that the source does not have, and, if it was changed here, the time of that.
pub(super) fn is_same_job(source: &MappedJob, stored: &Job, was_changed_here: bool) -> bool {
    let mut job = source.job.clone();
    job.version = stored.version;
    job.last_seq = stored.last_seq;
    if was_changed_here || !source.has_times {
        job.updated_at = stored.updated_at;
    }
    if !source.has_times {
        job.created_at = stored.created_at;
        job.completed_at = stored.completed_at;
    }
    job == *stored
}

/// The rows of one table of a job, compared.
#[derive(Debug, Default)]
pub(super) struct Difference {
    /// The positions in the source of the rows that are not stored.
    pub(super) added: Vec<usize>,
    /// The positions in the source of the rows that say something else than the stored ones.
    pub(super) updated: Vec<usize>,
    /// The stored rows that the source does not have.
    pub(super) removed: Vec<Uuid>,
}

impl Difference {
    pub(super) fn of<T: ImportedRow>(source: &[(String, T)], stored: &[(String, T)]) -> Self {
        let by_id: HashMap<_, _> = stored.iter().map(|(_, row)| (row.id(), row)).collect();
        let mut difference = Self::default();
        let mut ids = HashSet::new();
        for (position, (_, row)) in source.iter().enumerate() {
            ids.insert(row.id());
            match by_id.get(&row.id()) {
                None => difference.added.push(position),
                Some(stored) if stored.content() != row.content() => {
                    difference.updated.push(position);
                }
                Some(_) => {}
            }
        }
        let stored = stored.iter().map(|(_, row)| row.id());
        difference.removed = stored.filter(|id| !ids.contains(id)).collect();
        difference
    }

    pub(super) fn is_empty(&self) -> bool {
        self.added.is_empty() && self.updated.is_empty() && self.removed.is_empty()
    }
}

/// A stored job with its rows; their ids in the source are unknown.
pub(super) fn load<Mode>(
    conn: &mut Conn<'_, Mode>,
    job_id: JobId,
) -> Result<Option<MappedJob>, Error> {
    fn rows<T>(rows: impl IntoIterator<Item = T>) -> Vec<(String, T)> {
        rows.into_iter().map(|row| (String::new(), row)).collect()
    }
    let Some(job) = conn.jobs().find(job_id)? else {
        return Ok(None);
    };
    Ok(Some(MappedJob {
        old_id: String::new(),
        source_digest: String::new(),
        has_times: true,
        job,
        transcripts: rows(conn.transcripts().for_job(job_id)?),
        silence_regions: rows(conn.silence_regions().for_job(job_id)?),
        layout: rows(conn.layout_analysis().find_for_job(job_id)?),
        content_segments: rows(conn.content_segments().for_job(job_id)?),
        clips: rows(conn.clips().for_job(job_id)?),
        logs: rows(conn.processing_logs().for_job(job_id)?),
    }))
}

/// The digest of what is stored of a job. Every change of the job increments its version, so
/// its other columns do not count.
pub(super) fn stored_digest(job: &MappedJob) -> String {
    fn add<T: ImportedRow>(digest: &mut Digest, rows: &[(String, T)]) {
        let mut rows: Vec<_> = rows.iter().map(|(_, row)| (row.id(), row)).collect();
        rows.sort_by_key(|(id, _)| *id);
        digest.add_count(rows.len());
        for (id, row) in rows {
            digest.add_id(id);
            digest.add_text(&row.content().to_string());
        }
    }
    let mut digest = Digest::default();
    digest.add_number(job.job.version);
    add(&mut digest, &job.transcripts);
    add(&mut digest, &job.silence_regions);
    add(&mut digest, &job.layout);
    add(&mut digest, &job.content_segments);
    add(&mut digest, &job.clips);
    add(&mut digest, &job.logs);
    digest.in_hexadecimal()
}
