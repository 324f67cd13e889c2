//! Maps a job of the source, with its rows, to values of the domain.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use lectern_domain::{
    AgentName, Clip, ClipMedia, ClipTopic, ContentSegment, ContentType, Cut, Decibels, FileSize,
    Filename, Job, JobProgress, JobStatus, JsonObject, JsonValue as _, LayoutAnalysis,
    LayoutStretches, LayoutType, LogEntry, LogStatus, LongText, NewClip, NewContentSegment, NewJob,
    NewLayoutAnalysis, NewLogEntry, NewSilenceRegion, NewTranscriptSegment, NonNegativeInt,
    Percent, Pipelines, ProcessingConfig, ProcessingOptions, Progress, ProgressMessage, Ratio,
    SilenceRegion, SilenceType, SpeakerId, SpokenText, Stage, StorageKey, TaskId, Title, Topic,
    TranscriptSegment, VideoDuration,
};
use serde_json::{Map, Value};
use sha1::{Digest as _, Sha1};
use uuid::{Uuid, uuid};

use super::ImportNote;
use super::source::{SourceJob, SourceRow};
use super::values::{Choice, Fields, normalized};

/// The namespace of the ids that are made of ids in the source. Never changes, because a
/// later import must find the jobs of an earlier one.
const NAMESPACE: Uuid = uuid!("0d0fb1b6-64b5-4f0a-9a43-6a2f2c5d7e11");

/// The key of `extra_metadata` that has the id in the source.
pub(super) const LEGACY_ID: &str = "legacy_id";

/// A job to be stored. The rows have their ids in the source.
#[derive(Debug, Clone)]
pub(super) struct MappedJob {
    pub(super) old_id: String,
    /// The digest of the job in the source.
    pub(super) source_digest: String,
    /// Whether the source knows when the job was created. Otherwise it is the time of the
    /// import.
    pub(super) has_times: bool,
    pub(super) job: Job,
    pub(super) transcripts: Vec<(String, TranscriptSegment)>,
    pub(super) silence_regions: Vec<(String, SilenceRegion)>,
    pub(super) layout: Vec<(String, LayoutAnalysis)>,
    pub(super) content_segments: Vec<(String, ContentSegment)>,
    pub(super) clips: Vec<(String, Clip)>,
    pub(super) logs: Vec<(String, LogEntry)>,
}

impl MappedJob {
    /// The number of rows of the other tables.
    pub(super) fn rows(&self) -> usize {
        self.rows_by_table()[1..].iter().map(|(_, rows)| rows).sum()
    }

    /// The number of rows of each table, of `jobs` first.
    pub(super) fn rows_by_table(&self) -> [(&'static str, usize); 7] {
        [
            ("jobs", 1),
            ("transcripts", self.transcripts.len()),
            ("silence_regions", self.silence_regions.len()),
            ("layout_analysis", self.layout.len()),
            ("content_segments", self.content_segments.len()),
            ("clips", self.clips.len()),
            ("processing_logs", self.logs.len()),
        ]
    }
}

/// The `UUIDv5` of an id of the source.
pub(super) fn derived_uuid(table: &str, old_id: &str) -> Uuid {
    let mut hash = Sha1::new();
    hash.update(NAMESPACE.as_bytes());
    hash.update(table.as_bytes());
    hash.update(b":");
    hash.update(old_id.as_bytes());
    let hash: [u8; 20] = hash.finalize().into();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    uuid::Builder::from_sha1_bytes(bytes).into_uuid()
}

/// The id here of an id in the source: a UUID stays, with or without hyphens.
pub(super) fn uuid_of(table: &str, old_id: &str) -> Uuid {
    match Uuid::parse_str(old_id) {
        Ok(uuid) if matches!(old_id.len(), 32 | 36) => uuid,
        _ => derived_uuid(table, old_id),
    }
}

const STATUSES: &[(&str, JobStatus)] = &[
    ("done", JobStatus::Completed),
    ("complete", JobStatus::Completed),
    ("success", JobStatus::Completed),
    ("succeeded", JobStatus::Completed),
    ("finished", JobStatus::Completed),
    ("processed", JobStatus::Completed),
    ("error", JobStatus::Failed),
    ("failure", JobStatus::Failed),
    ("processing", JobStatus::Running),
    ("in_progress", JobStatus::Running),
    ("started", JobStatus::Running),
    ("canceled", JobStatus::Cancelled),
    ("revoked", JobStatus::Cancelled),
    ("uploading", JobStatus::Pending),
    ("uploaded", JobStatus::Queued),
    ("waiting", JobStatus::Queued),
];

const STAGES: &[(&str, Stage)] = &[
    ("upload", Stage::Uploading),
    ("silence", Stage::SilenceDetection),
    ("transcribe", Stage::Transcription),
    ("transcribing", Stage::Transcription),
    ("layout", Stage::LayoutAnalysis),
    ("layout_detection", Stage::LayoutAnalysis),
    ("content", Stage::ContentAnalysis),
    ("analysis", Stage::ContentAnalysis),
    ("analyzing", Stage::ContentAnalysis),
    ("segment", Stage::Segmentation),
    ("segmenting", Stage::Segmentation),
    ("compile", Stage::Compilation),
    ("compiling", Stage::Compilation),
    ("clipping", Stage::Compilation),
    ("rendering", Stage::Compilation),
    ("completed", Stage::Complete),
    ("done", Stage::Complete),
    ("finished", Stage::Complete),
];

/// Maps a job. `None` for one that cannot be imported, which is noted.
#[expect(clippy::too_many_lines, reason = "one part per table")]
pub(super) fn map(
    source: SourceJob,
    pipelines: &Pipelines,
    now: DateTime<Utc>,
    notes: &mut Vec<ImportNote>,
) -> Option<MappedJob> {
    let source_digest = source.digest();
    let SourceJob { row, mut children } = source;
    if row.job_id.is_empty() {
        let mut fields = Fields {
            table: "jobs",
            row: &row,
            notes,
        };
        fields.dropped("it has no id");
        return None;
    }
    let (job, has_times) = map_job(&row, pipelines, now, notes);
    let mut mapped = MappedJob {
        old_id: row.job_id.clone(),
        source_digest,
        has_times,
        transcripts: Vec::new(),
        silence_regions: Vec::new(),
        layout: Vec::new(),
        content_segments: Vec::new(),
        clips: Vec::new(),
        logs: Vec::new(),
        job,
    };
    let job = &mapped.job;
    let mut each = |table: &'static str, map: &mut dyn FnMut(&mut Fields<'_>)| {
        for row in children.remove(table).unwrap_or_default() {
            let row = with_id(row, table);
            map(&mut Fields {
                table,
                row: &row,
                notes,
            });
        }
    };
    each("transcripts", &mut |fields| {
        mapped.transcripts.extend(map_segment(fields, job));
    });
    each("silence_regions", &mut |fields| {
        mapped.silence_regions.extend(map_region(fields, job));
    });
    each("layout_analysis", &mut |fields| {
        if let Some(layout) = map_layout(fields, job) {
            if let Some((old_id, _)) = mapped.layout.pop() {
                let row = SourceRow {
                    id: old_id,
                    ..fields.row.clone()
                };
                let notes = &mut *fields.notes;
                let mut earlier = Fields {
                    table: "layout_analysis",
                    row: &row,
                    notes,
                };
                earlier.dropped("a later one of the same job is imported");
            }
            mapped.layout.push(layout);
        }
    });
    let mut orders = Vec::new();
    each("content_segments", &mut |fields| {
        if let Some(segment) = map_content_segment(fields, job) {
            orders.push(order_of(fields, "segment_order"));
            mapped.content_segments.push(segment);
        }
    });
    if let Some(orders) = renumbered(&orders) {
        for ((_, segment), order) in mapped.content_segments.iter_mut().zip(orders) {
            segment.data.segment_order = order;
        }
        push_renumbered(notes, "content_segments", "segment_order", &row);
    } else {
        for ((_, segment), order) in mapped.content_segments.iter_mut().zip(orders) {
            segment.data.segment_order = order.unwrap_or(NonNegativeInt::ZERO);
        }
    }
    let segments: HashSet<_> = mapped
        .content_segments
        .iter()
        .map(|(_, segment)| segment.segment_id)
        .collect();
    let mut orders = Vec::new();
    for child in children.remove("clips").unwrap_or_default() {
        let child = with_id(child, "clips");
        let mut fields = Fields {
            table: "clips",
            row: &child,
            notes,
        };
        if let Some(mut clip) = map_clip(&mut fields, job) {
            let segment = &mut clip.1.data.content_segment_id;
            if segment.is_some_and(|id| !segments.contains(&id)) {
                *segment = None;
                fields.changed("content_segment_id", "not a content segment of this job");
            }
            orders.push(order_of(&fields, "clip_order"));
            mapped.clips.push(clip);
        }
    }
    let new_orders = renumbered(&orders);
    if new_orders.is_some() {
        push_renumbered(notes, "clips", "clip_order", &row);
    }
    let orders = new_orders.unwrap_or_else(|| orders.into_iter().flatten().collect());
    for ((_, clip), order) in mapped.clips.iter_mut().zip(orders) {
        clip.data.clip_order = order;
    }
    for child in children.remove("processing_logs").unwrap_or_default() {
        let child = with_id(child, "processing_logs");
        let mut fields = Fields {
            table: "processing_logs",
            row: &child,
            notes,
        };
        mapped.logs.push(map_log(&mut fields, job));
    }
    Some(mapped)
}

/// A row without an id has one made of its number, or of its values.
fn with_id(row: SourceRow, table: &str) -> SourceRow {
    if !row.id.is_empty() {
        return row;
    }
    let mut values: Vec<_> = row.values.iter().collect();
    values.sort();
    let id = derived_uuid(table, &format!("{values:?}")).to_string();
    SourceRow { id, ..row }
}

/// Maps the row of a job. Also returns whether the source knows when the job was created.
#[expect(clippy::too_many_lines, reason = "one part per column")]
fn map_job(
    row: &SourceRow,
    pipelines: &Pipelines,
    now: DateTime<Utc>,
    notes: &mut Vec<ImportNote>,
) -> (Job, bool) {
    let fields = &mut Fields {
        table: "jobs",
        row,
        notes,
    };
    let mut kept = Map::new();
    let (status, running) = match fields.choice("status", STATUSES) {
        Choice::Known(JobStatus::Running) => (JobStatus::Cancelled, true),
        Choice::Known(status) => (status, false),
        Choice::Unknown(text) => {
            kept.insert("legacy_status".to_owned(), text.into());
            (JobStatus::Cancelled, false)
        }
        Choice::Missing => {
            fields.changed("status", "missing");
            (JobStatus::Cancelled, false)
        }
    };
    if running {
        fields.changed("status", "its worker does not report here: cancelled");
    }
    let stage = match fields.choice("current_stage", STAGES) {
        Choice::Known(stage) => Some(stage),
        Choice::Unknown(text) => {
            kept.insert("legacy_stage".to_owned(), text.into());
            None
        }
        Choice::Missing => None,
    };
    let percent = fields.clamped("progress_percent", 100.0);
    let percent = percent.and_then(|percent| Percent::new(percent).ok());
    let message: Option<ProgressMessage> = fields.text("progress_message");
    let eta = fields.integer("eta_seconds", non_negative);
    let progress = |stage, percent, message, eta_seconds| JobProgress {
        stage,
        progress: Progress {
            percent,
            message,
            eta_seconds,
        },
        agent_name: None,
    };
    let progress = match (status, stage) {
        (JobStatus::Completed, _) => Some(progress(Stage::Complete, Percent::DONE, None, None)),
        (JobStatus::Pending, _) => Some(progress(
            Stage::Uploading,
            percent.unwrap_or(Percent::ZERO),
            message,
            eta,
        )),
        (JobStatus::Queued, _) | (_, None) => None,
        (_, Some(stage)) => Some(progress(
            stage,
            percent.unwrap_or(Percent::ZERO),
            message,
            None,
        )),
    };
    let created = fields.time("created_at");
    let updated = fields.time("updated_at");
    let completed = fields.time("completed_at");
    let known = created.or(updated).or(completed);
    let created_at = known.unwrap_or(now);
    if created.is_none() {
        fields.changed(
            "created_at",
            "missing: another time of the job, or of the import",
        );
    }
    let updated_at = updated.or(completed).unwrap_or(created_at);
    let completed_at = match (status, completed) {
        (JobStatus::Completed, None) => {
            fields.changed("completed_at", "missing: the time of the last change");
            Some(updated_at)
        }
        (JobStatus::Completed, completed) => completed,
        (_, Some(_)) => {
            fields.changed("completed_at", "the job is not completed");
            None
        }
        (_, None) => None,
    };
    let filename: Option<Filename> = fields.text("filename");
    if filename.is_none() {
        fields.changed("filename", "missing");
    }
    let content_type: Option<ContentType> = fields.name("content_type");
    let default = NewJob::new(filename.as_ref().map_or("recording", |name| name.as_str()));
    let default_type = default.ok().map(|job| job.content_type);
    let job = Job {
        job_id: uuid_of("jobs", &row.job_id).into(),
        content_type: content_type
            .or(default_type)
            .unwrap_or_else(|| text("application/octet-stream")),
        filename: filename.unwrap_or_else(|| text("recording")),
        file_size: fields.integer("file_size", |size| FileSize::new(size).ok()),
        original_s3_key: fields.name::<StorageKey>("original_s3_key"),
        source_job_id: None,
        transcript_source: None,
        owner_id: None,
        compiled_video_s3_key: fields.name("compiled_video_s3_key"),
        video_duration: fields.number("video_duration", |d| VideoDuration::new(d).ok()),
        video_metadata: object(fields.object("video_metadata").unwrap_or_default()),
        status,
        error_message: fields.long::<LongText>("error_message"),
        celery_task_id: fields.name::<TaskId>("celery_task_id"),
        progress,
        processing_config: processing_config(fields, pipelines),
        extra_metadata: job_metadata(fields, kept),
        priority: fields
            .integer("priority", |priority| i32::try_from(priority).ok())
            .unwrap_or_default(),
        version: 1,
        last_seq: 1,
        created_at,
        updated_at,
        completed_at,
    };
    (job, known.is_some())
}

/// A text that is valid by its constants.
fn text<T: TryFrom<String, Error = lectern_domain::Invalid>>(text: &str) -> T {
    match T::try_from(text.to_owned()) {
        Ok(text) => text,
        Err(_) => unreachable!("a constant that is valid"),
    }
}

fn object(map: Map<String, Value>) -> JsonObject {
    JsonObject::new(map).unwrap_or_default()
}

fn non_negative(number: i64) -> Option<NonNegativeInt> {
    i32::try_from(number)
        .ok()
        .and_then(|number| NonNegativeInt::new(number).ok())
}

fn processing_config(fields: &mut Fields<'_>, pipelines: &Pipelines) -> Option<ProcessingConfig> {
    let mut settings = fields.object("processing_config")?;
    let others = ["processing_mode", "pipeline"];
    for &key in others.iter().chain(ProcessingOptions::NAMES) {
        let only = settings
            .get(key)
            .map(|value| Map::from_iter([(key.to_owned(), value.clone())]));
        let config = only.map(ProcessingConfig::new);
        let is_valid = match config {
            None => true,
            Some(config) => config.is_ok_and(|config| pipelines.for_config(Some(&config)).is_ok()),
        };
        if !is_valid && let Some(value) = settings.remove(key) {
            settings.insert(format!("legacy_{key}"), value);
            fields.changed(
                "processing_config",
                "a setting has an unknown value: renamed",
            );
        }
    }
    // A minimum above its maximum has no effect.
    ProcessingConfig::from_json(Value::Object(settings)).ok()
}

fn job_metadata(fields: &mut Fields<'_>, kept: Map<String, Value>) -> JsonObject {
    let column = match fields.raw("extra_metadata") {
        None => "metadata",
        Some(_) => "extra_metadata",
    };
    let mut map = fields.object(column).unwrap_or_default();
    if let Some(value) = map.remove(LEGACY_ID) {
        map.insert("legacy_legacy_id".to_owned(), value);
        fields.changed(column, "had a key `legacy_id`: renamed");
    }
    map.extend(kept);
    // In JSON too, a text has no NUL.
    let old_id = fields.row.job_id.replace('\0', "\u{fffd}");
    map.insert(LEGACY_ID.to_owned(), old_id.into());
    object(map)
}

fn created_at(fields: &mut Fields<'_>, job: &Job) -> DateTime<Utc> {
    fields.time("created_at").unwrap_or(job.updated_at)
}

fn map_segment(fields: &mut Fields<'_>, job: &Job) -> Option<(String, TranscriptSegment)> {
    let time = fields.range()?;
    let Some(text) = fields.long::<SpokenText>("text") else {
        fields.dropped("its text is blank");
        return None;
    };
    let data = NewTranscriptSegment {
        time,
        text,
        confidence: fields.ratio("confidence"),
        speaker_id: fields.text::<SpeakerId>("speaker_id"),
        language: None,
        words: None,
    };
    let segment = TranscriptSegment {
        segment_id: uuid_of("transcripts", &fields.row.id).into(),
        job_id: job.job_id,
        data,
        created_at: created_at(fields, job),
    };
    Some((fields.row.id.clone(), segment))
}

fn map_region(fields: &mut Fields<'_>, job: &Job) -> Option<(String, SilenceRegion)> {
    let time = fields.range()?;
    let others = [
        ("audio", SilenceType::AudioSilence),
        ("silence", SilenceType::AudioSilence),
        ("blank", SilenceType::BlankScreen),
        ("video", SilenceType::BlankScreen),
    ];
    let silence_type = match fields.choice("silence_type", &others) {
        Choice::Known(silence_type) => silence_type,
        _ => SilenceType::AudioSilence,
    };
    let threshold = fields.number("amplitude_threshold", |level| Decibels::new(level).ok());
    let region = SilenceRegion {
        region_id: uuid_of("silence_regions", &fields.row.id).into(),
        job_id: job.job_id,
        data: NewSilenceRegion {
            time,
            silence_type,
            amplitude_threshold: threshold,
        },
        created_at: created_at(fields, job),
    };
    Some((fields.row.id.clone(), region))
}

fn map_layout(fields: &mut Fields<'_>, job: &Job) -> Option<(String, LayoutAnalysis)> {
    let others = [
        ("pip", LayoutType::PictureInPicture),
        ("split", LayoutType::SideBySide),
        ("screen", LayoutType::ScreenOnly),
        ("camera", LayoutType::CameraOnly),
    ];
    let layout_type = match fields.choice("layout_type", &others) {
        Choice::Known(layout_type) => layout_type,
        _ => LayoutType::Unknown,
    };
    let data = NewLayoutAnalysis {
        layout_type,
        screen_region: fields.region("screen_region"),
        camera_region: fields.region("camera_region"),
        split_ratio: fields.ratio("split_ratio"),
        confidence_score: fields.ratio("confidence_score").or(Ratio::new(0.0).ok())?,
        sample_frame_time: fields.seconds("sample_frame_time"),
        stretches: LayoutStretches::default(),
    };
    let layout = LayoutAnalysis {
        layout_id: uuid_of("layout_analysis", &fields.row.id).into(),
        job_id: job.job_id,
        data,
        created_at: created_at(fields, job),
    };
    Some((fields.row.id.clone(), layout))
}

fn map_content_segment(fields: &mut Fields<'_>, job: &Job) -> Option<(String, ContentSegment)> {
    let time = fields.range()?;
    let topic: Option<Topic> = fields.text("topic");
    if topic.is_none() {
        fields.changed("topic", "missing");
    }
    let data = NewContentSegment {
        time,
        topic: topic.unwrap_or_else(|| text("Untitled")),
        description: fields.long("description"),
        importance_score: fields.ratio("importance_score").or(Ratio::new(0.0).ok())?,
        keywords: fields.words("keywords"),
        concepts: fields.words("concepts"),
        segment_order: NonNegativeInt::ZERO,
    };
    let segment = ContentSegment {
        segment_id: uuid_of("content_segments", &fields.row.id).into(),
        job_id: job.job_id,
        data,
        created_at: created_at(fields, job),
    };
    Some((fields.row.id.clone(), segment))
}

fn map_clip(fields: &mut Fields<'_>, job: &Job) -> Option<(String, Clip)> {
    let time = fields.range()?;
    let title: Option<Title> = fields.text("title");
    if title.is_none() {
        fields.changed("title", "missing");
    }
    let segment = fields.raw("content_segment_id").filter(|id| !id.is_empty());
    let segment = segment.map(|id| uuid_of("content_segments", id).into());
    let metadata = match fields.raw("extra_metadata") {
        None => fields.object("metadata"),
        Some(_) => fields.object("extra_metadata"),
    };
    let data = NewClip {
        content_segment_id: segment,
        title: title.unwrap_or_else(|| text("Untitled")),
        topic: fields.text::<ClipTopic>("topic"),
        importance_score: fields.ratio("importance_score"),
        time,
        media: ClipMedia {
            s3_key: fields.name("s3_key"),
            thumbnail_s3_key: fields.name("thumbnail_s3_key"),
            subtitle_s3_key: fields.name("subtitle_s3_key"),
        },
        clip_order: NonNegativeInt::ZERO,
        extra_metadata: object(metadata.unwrap_or_default()),
    };
    let clip = Clip {
        clip_id: uuid_of("clips", &fields.row.id).into(),
        job_id: job.job_id,
        data,
        cut: Cut::default(),
        created_at: created_at(fields, job),
    };
    Some((fields.row.id.clone(), clip))
}

/// An entry of the log is always imported: what has no place is put into its message.
fn map_log(fields: &mut Fields<'_>, job: &Job) -> (String, LogEntry) {
    let mut words = Vec::new();
    let stage = match fields.choice("stage", STAGES) {
        Choice::Known(stage) => stage,
        Choice::Unknown(text) => {
            words.push(format!("[stage {text}]"));
            Stage::Complete
        }
        Choice::Missing => Stage::Complete,
    };
    let others = [
        ("running", LogStatus::Started),
        ("in_progress", LogStatus::Started),
        ("done", LogStatus::Completed),
        ("success", LogStatus::Completed),
        ("complete", LogStatus::Completed),
        ("error", LogStatus::Failed),
        ("failure", LogStatus::Failed),
    ];
    let status = match fields.choice("status", &others) {
        Choice::Known(status) => status,
        Choice::Unknown(text) => {
            words.push(format!("[status {text}]"));
            LogStatus::Started
        }
        Choice::Missing => LogStatus::Started,
    };
    let data = NewLogEntry {
        stage,
        status,
        agent_name: fields.text::<AgentName>("agent_name"),
        message: fields.long_after(&words.join(" "), "message"),
        error_details: fields.object("error_details").map(object),
        duration_seconds: fields.seconds("duration_seconds"),
    };
    let stored = fields.time("created_at");
    let timestamp = fields
        .time("timestamp")
        .or(stored)
        .unwrap_or(job.updated_at);
    let entry = LogEntry {
        log_id: uuid_of("processing_logs", &fields.row.id).into(),
        job_id: job.job_id,
        data,
        timestamp,
        created_at: stored.unwrap_or(timestamp),
    };
    (fields.row.id.clone(), entry)
}

fn order_of(fields: &Fields<'_>, column: &str) -> Option<NonNegativeInt> {
    let number: i64 = normalized(fields.raw(column)?).parse().ok()?;
    non_negative(number)
}

/// New positions, unless all are present and different.
fn renumbered(orders: &[Option<NonNegativeInt>]) -> Option<Vec<NonNegativeInt>> {
    let different: HashSet<_> = orders.iter().flatten().map(|order| order.get()).collect();
    if different.len() == orders.len() {
        return None;
    }
    (0..orders.len())
        .map(|index| NonNegativeInt::position(index).ok())
        .collect()
}

fn push_renumbered(
    notes: &mut Vec<ImportNote>,
    table: &'static str,
    column: &'static str,
    job: &SourceRow,
) {
    let row = SourceRow {
        job_id: job.job_id.clone(),
        ..SourceRow::default()
    };
    let mut fields = Fields {
        table,
        row: &row,
        notes,
    };
    fields.changed(
        column,
        "missing, negative or twice in a job: all of the job renumbered",
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_mapped_for_ever() {
        let uuid = "0190f3a1-7c3e-7aaa-8bbb-123456789abc";
        assert_eq!(uuid_of("jobs", uuid).to_string(), uuid);
        assert_eq!(uuid_of("jobs", &uuid.replace('-', "")).to_string(), uuid);
        // Computed with Python: uuid.uuid5(namespace, "jobs:job_123").
        assert_eq!(
            uuid_of("jobs", "job_123").to_string(),
            "9fc533f2-80c1-57f2-8f7f-bf5de381bec5"
        );
        assert_ne!(uuid_of("clips", "job_123"), uuid_of("jobs", "job_123"));
    }
}
