//! Jobs and stored outputs, as the API returns them.

use chrono::{DateTime, Utc};
use lectern_domain::{
    Backoff, Clip, ClipId, ClipMedia, ClipTopic, ContentSegment, ContentSegmentId, ContentType,
    Cut, Decibels, FileSize, Filename, Invalid, Job, JobId, JobStatus, JsonObject, JsonValue as _,
    Keyword, LanguageTag, LayoutAnalysis, LayoutAnalysisId, LayoutStretches, LayoutType, LeaseId,
    LongText, NewClip, NewContentSegment, NewLayoutAnalysis, NewSilenceRegion,
    NewTranscriptSegment, NonNegativeInt, OwnerName, ProcessingConfig, Ratio, Region, Seconds,
    SilenceRegion, SilenceRegionId, SilenceType, SpeakerId, SpokenText, Stage, StorageKey,
    TimeRange, TimedWords, Title, Topic, TranscriptSegment, TranscriptSegmentId, TranscriptSource,
    VideoDuration,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::client::Client;
use crate::work_source::{ClaimedStage, OutputKind, StoredOutputs, WorkError};

/// Reads what is stored of a job, of these kinds.
pub(super) fn read(
    client: &Client,
    job_id: JobId,
    kinds: &[OutputKind],
) -> Result<StoredOutputs, WorkError> {
    let mut stored = StoredOutputs::default();
    for kind in kinds {
        match kind {
            OutputKind::TranscriptSource => {
                let job: Option<WireSource> = client.get(&format!("/jobs/{job_id}"))?;
                stored.transcript_source = job.and_then(|job| job.transcript_source);
            }
            OutputKind::Transcript => {
                let path = format!("/jobs/{job_id}/transcripts?words=true");
                let set: Option<Segments<WireTranscriptSegment>> = client.get(&path)?;
                let segments = set.map(|set| set.segments).unwrap_or_default();
                stored.transcript = convert(client, segments, |row| row.into_domain(job_id))?;
            }
            OutputKind::SilenceRegions => {
                let set: Option<Regions> =
                    client.get(&format!("/jobs/{job_id}/silence-regions"))?;
                let regions = set.map(|set| set.regions).unwrap_or_default();
                stored.silence_regions = convert(client, regions, |row| row.into_domain(job_id))?;
            }
            OutputKind::LayoutAnalysis => {
                let path = format!("/jobs/{job_id}/layout-analysis");
                let layout: Option<WireLayoutAnalysis> = client.get(&path)?;
                let layout = layout.into_iter().collect();
                let layout = convert(client, layout, |row: WireLayoutAnalysis| {
                    row.into_domain(job_id)
                })?;
                stored.layout_analysis = layout.into_iter().next();
            }
            OutputKind::ContentSegments => {
                let path = format!("/jobs/{job_id}/content-segments");
                let set: Option<Segments<WireContentSegment>> = client.get(&path)?;
                let segments = set.map(|set| set.segments).unwrap_or_default();
                stored.content_segments = convert(client, segments, |row| row.into_domain(job_id))?;
            }
            OutputKind::Clips => {
                let set: Option<Clips> = client.get(&format!("/jobs/{job_id}/clips"))?;
                let clips = set.map(|set| set.clips).unwrap_or_default();
                stored.clips = convert(client, clips, |row| row.into_domain(job_id))?;
            }
        }
    }
    Ok(stored)
}

fn convert<W, T>(
    client: &Client,
    rows: Vec<W>,
    into_domain: impl Fn(W) -> Result<T, Invalid>,
) -> Result<Vec<T>, WorkError> {
    let rows = rows.into_iter().map(into_domain);
    rows.collect::<Result<_, _>>()
        .map_err(|error| client.unreadable(&error.to_string()))
}

/// A claimed stage.
#[derive(Deserialize)]
pub(super) struct WireClaim {
    pub(super) lease_id: LeaseId,
    stage: Stage,
    attempt: i32,
    max_attempts: i32,
    highlight_s3_key: Option<StorageKey>,
    job: WireJob,
}

#[derive(Deserialize)]
struct WireJob {
    job_id: JobId,
    owner_id: Option<OwnerName>,
    status: JobStatus,
    filename: Filename,
    file_size: Option<FileSize>,
    content_type: ContentType,
    s3_key: Option<StorageKey>,
    source_job_id: Option<JobId>,
    processing_config: Option<Map<String, Value>>,
    priority: i32,
    video_duration: Option<VideoDuration>,
    transcript_source: Option<TranscriptSource>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    completed_at: Option<DateTime<Utc>>,
    error_message: Option<LongText>,
    video_metadata: Option<Map<String, Value>>,
    extra_metadata: Option<Map<String, Value>>,
}

impl TryFrom<WireClaim> for ClaimedStage {
    type Error = Invalid;

    fn try_from(claim: WireClaim) -> Result<Self, Invalid> {
        let job = claim.job;
        let config = job
            .processing_config
            .map(ProcessingConfig::new)
            .transpose()?;
        Ok(Self {
            lease_id: claim.lease_id,
            stage: claim.stage,
            attempt: claim.attempt,
            max_attempts: claim.max_attempts,
            // Only an estimate, of how long to keep a recording: the server decides.
            backoff: Backoff::default(),
            job: Job {
                job_id: job.job_id,
                owner_id: job.owner_id,
                filename: job.filename,
                file_size: job.file_size,
                content_type: job.content_type,
                original_s3_key: job.s3_key,
                source_job_id: job.source_job_id,
                compiled_video_s3_key: claim.highlight_s3_key,
                video_duration: job.video_duration,
                video_metadata: JsonObject::new(job.video_metadata.unwrap_or_default())?,
                status: job.status,
                error_message: job.error_message,
                celery_task_id: None,
                progress: None,
                processing_config: config,
                transcript_source: job.transcript_source,
                extra_metadata: JsonObject::new(job.extra_metadata.unwrap_or_default())?,
                priority: job.priority,
                version: 0,
                last_seq: 0,
                created_at: job.created_at,
                updated_at: job.updated_at,
                completed_at: job.completed_at,
            },
        })
    }
}

#[derive(Deserialize)]
struct WireSource {
    transcript_source: Option<TranscriptSource>,
}

#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct Segments<T> {
    segments: Vec<T>,
}

#[derive(Deserialize)]
struct Regions {
    regions: Vec<WireSilenceRegion>,
}

#[derive(Deserialize)]
struct Clips {
    clips: Vec<WireClip>,
}

#[derive(Deserialize)]
struct WireTranscriptSegment {
    segment_id: TranscriptSegmentId,
    start_time: f64,
    end_time: f64,
    text: SpokenText,
    confidence: Option<Ratio>,
    speaker_id: Option<SpeakerId>,
    language: Option<LanguageTag>,
    words: Option<Value>,
    created_at: DateTime<Utc>,
}

impl WireTranscriptSegment {
    fn into_domain(self, job_id: JobId) -> Result<TranscriptSegment, Invalid> {
        Ok(TranscriptSegment {
            segment_id: self.segment_id,
            job_id,
            data: NewTranscriptSegment {
                time: TimeRange::new(self.start_time, self.end_time)?,
                text: self.text,
                confidence: self.confidence,
                speaker_id: self.speaker_id,
                language: self.language,
                words: self.words.map(TimedWords::from_json).transpose()?,
            },
            created_at: self.created_at,
        })
    }
}

#[derive(Deserialize)]
struct WireSilenceRegion {
    region_id: SilenceRegionId,
    start_time: f64,
    end_time: f64,
    silence_type: SilenceType,
    amplitude_threshold: Option<Decibels>,
    created_at: DateTime<Utc>,
}

impl WireSilenceRegion {
    fn into_domain(self, job_id: JobId) -> Result<SilenceRegion, Invalid> {
        Ok(SilenceRegion {
            region_id: self.region_id,
            job_id,
            data: NewSilenceRegion {
                time: TimeRange::new(self.start_time, self.end_time)?,
                silence_type: self.silence_type,
                amplitude_threshold: self.amplitude_threshold,
            },
            created_at: self.created_at,
        })
    }
}

#[derive(Deserialize)]
struct WireLayoutAnalysis {
    layout_id: LayoutAnalysisId,
    layout_type: LayoutType,
    screen_region: Option<Value>,
    camera_region: Option<Value>,
    split_ratio: Option<Ratio>,
    confidence_score: Ratio,
    sample_frame_time: Option<Seconds>,
    stretches: Value,
    created_at: DateTime<Utc>,
}

impl WireLayoutAnalysis {
    fn into_domain(self, job_id: JobId) -> Result<LayoutAnalysis, Invalid> {
        Ok(LayoutAnalysis {
            layout_id: self.layout_id,
            job_id,
            data: NewLayoutAnalysis {
                layout_type: self.layout_type,
                screen_region: self.screen_region.map(Region::from_json).transpose()?,
                camera_region: self.camera_region.map(Region::from_json).transpose()?,
                split_ratio: self.split_ratio,
                confidence_score: self.confidence_score,
                sample_frame_time: self.sample_frame_time,
                stretches: LayoutStretches::from_json(self.stretches)?,
            },
            created_at: self.created_at,
        })
    }
}

#[derive(Deserialize)]
struct WireContentSegment {
    segment_id: ContentSegmentId,
    start_time: f64,
    end_time: f64,
    topic: Topic,
    description: Option<LongText>,
    importance_score: Ratio,
    #[serde(default)]
    keywords: Vec<Keyword>,
    #[serde(default)]
    concepts: Vec<Keyword>,
    segment_order: NonNegativeInt,
    created_at: DateTime<Utc>,
}

impl WireContentSegment {
    fn into_domain(self, job_id: JobId) -> Result<ContentSegment, Invalid> {
        Ok(ContentSegment {
            segment_id: self.segment_id,
            job_id,
            data: NewContentSegment {
                time: TimeRange::new(self.start_time, self.end_time)?,
                topic: self.topic,
                description: self.description,
                importance_score: self.importance_score,
                keywords: self.keywords,
                concepts: self.concepts,
                segment_order: self.segment_order,
            },
            created_at: self.created_at,
        })
    }
}

#[derive(Deserialize)]
struct WireClip {
    clip_id: ClipId,
    content_segment_id: Option<ContentSegmentId>,
    title: Title,
    topic: Option<ClipTopic>,
    importance_score: Option<Ratio>,
    start_time: f64,
    end_time: f64,
    s3_key: Option<StorageKey>,
    thumbnail_s3_key: Option<StorageKey>,
    subtitle_s3_key: Option<StorageKey>,
    clip_order: NonNegativeInt,
    extra_metadata: Map<String, Value>,
    stale: bool,
    created_at: DateTime<Utc>,
}

impl WireClip {
    /// The clip without the record of its files, which is with the objects.
    fn into_domain(self, job_id: JobId) -> Result<Clip, Invalid> {
        Ok(Clip {
            clip_id: self.clip_id,
            job_id,
            data: NewClip {
                content_segment_id: self.content_segment_id,
                title: self.title,
                topic: self.topic,
                importance_score: self.importance_score,
                time: TimeRange::new(self.start_time, self.end_time)?,
                media: ClipMedia {
                    s3_key: self.s3_key,
                    thumbnail_s3_key: self.thumbnail_s3_key,
                    subtitle_s3_key: self.subtitle_s3_key,
                },
                clip_order: self.clip_order,
                extra_metadata: JsonObject::new(self.extra_metadata)?,
            },
            cut: Cut {
                // The time itself is not in the response.
                stale_since: self.stale.then_some(self.created_at),
                record: None,
            },
            created_at: self.created_at,
        })
    }
}
