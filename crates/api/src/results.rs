//! Results of a job.

use chrono::{DateTime, Utc};
use lectern_domain::{
    Filename, JobId, JobResults, NoteLevel, NoteOfStage, NoteText, Stage, StorageKey, VideoDuration,
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::clip::ClipMetadata;
use crate::layout_analysis::LayoutAnalysisResponse;
use crate::transcript_segment::TranscriptSegment;

/// The results of a completed job.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ResultsResponse {
    /// The job.
    pub job_id: JobId,
    /// The clips of the job, sorted by position.
    pub clips: Vec<ClipMetadata>,
    /// The transcript of the recording, sorted by time.
    pub transcript: Vec<TranscriptSegment>,
    /// Details of the job and its recording.
    pub metadata: ResultsMetadata,
    /// What the stages say about their output, such as where the transcript is from and what
    /// is missing, in the order of the pipeline.
    pub notes: Vec<ResultsNote>,
}

/// A note of a stage.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ResultsNote {
    /// The stage.
    pub stage: Stage,
    /// `warning` if something is missing from the output or may be wrong.
    pub level: NoteLevel,
    /// For people to read.
    pub message: NoteText,
}

impl From<NoteOfStage> for ResultsNote {
    fn from(NoteOfStage { stage, note }: NoteOfStage) -> Self {
        Self {
            stage,
            level: note.level,
            message: note.message,
        }
    }
}

/// Details of the job and its recording.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ResultsMetadata {
    /// The layout analysis, if there is one.
    pub layout: Option<LayoutAnalysisResponse>,
    /// The recording.
    pub original_video: OriginalVideo,
    /// A video of all clips, if there is one.
    pub highlight_video: Option<HighlightVideo>,
    /// When the job was completed.
    pub completed_at: Option<DateTime<Utc>>,
    /// Seconds from the creation of the job to its completion.
    pub processing_duration_seconds: Option<f64>,
}

/// The recording that the job processed.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct OriginalVideo {
    /// Name of the recording as its owner knows it.
    pub filename: Filename,
    /// Length of the recording in seconds, if it is known.
    pub duration: Option<VideoDuration>,
    /// Storage key of the recording.
    pub s3_key: Option<StorageKey>,
    /// URL of the recording.
    pub url: Option<String>,
}

/// A video of all clips of a job.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct HighlightVideo {
    /// Storage key of the video.
    pub s3_key: StorageKey,
    /// URL of the video.
    pub url: Option<String>,
}

impl ResultsResponse {
    /// Converts results; `url` returns the URL of a storage key.
    pub fn with_urls(results: JobResults, url: impl Fn(&StorageKey) -> Option<String>) -> Self {
        let processing_duration_seconds = results.processing_duration_seconds();
        let job = results.job;
        Self {
            job_id: job.job_id,
            clips: results
                .clips
                .into_iter()
                .map(|clip| ClipMetadata::with_urls(clip, &url))
                .collect(),
            transcript: results.transcript.into_iter().map(Into::into).collect(),
            metadata: ResultsMetadata {
                layout: results.layout.map(Into::into),
                original_video: OriginalVideo {
                    filename: job.filename,
                    duration: job.video_duration,
                    url: job.original_s3_key.as_ref().and_then(&url),
                    s3_key: job.original_s3_key,
                },
                highlight_video: job.compiled_video_s3_key.map(|key| HighlightVideo {
                    url: url(&key),
                    s3_key: key,
                }),
                completed_at: job.completed_at,
                processing_duration_seconds,
            },
            notes: results.notes.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<JobResults> for ResultsResponse {
    /// The results without URLs.
    fn from(results: JobResults) -> Self {
        Self::with_urls(results, |_| None)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::samples::results;

    #[test]
    fn stored_files_have_urls() {
        let key = |name: &str| Some(StorageKey::new(name).unwrap());
        let mut results = results();
        results.clips[0].data.media.s3_key = key("clip.mp4");
        results.clips[0].data.media.subtitle_s3_key = key("clip.vtt");
        results.job.compiled_video_s3_key = key("highlights.mp4");
        let url = |key: &StorageKey| Some(format!("https://storage/{key}"));
        let response = serde_json::to_value(ResultsResponse::with_urls(results, url)).unwrap();
        let clip = &response["clips"][0];
        assert_eq!(clip["url"], "https://storage/clip.mp4");
        assert_eq!(clip["thumbnail_url"], Value::Null);
        assert_eq!(clip["subtitle_url"], "https://storage/clip.vtt");
        let metadata = &response["metadata"];
        assert_eq!(
            metadata["original_video"]["url"],
            "https://storage/uploads/talk.mp4"
        );
        assert_eq!(
            metadata["highlight_video"],
            json!({ "s3_key": "highlights.mp4", "url": "https://storage/highlights.mp4" })
        );
    }

    #[test]
    fn results_contain_clips_transcript_and_details() {
        let response = serde_json::to_value(ResultsResponse::from(results())).unwrap();
        assert_eq!(response["clips"][0]["duration"], json!(2.5));
        assert_eq!(response["clips"][0]["url"], Value::Null);
        assert_eq!(response["transcript"][0]["text"], "Welcome back.");
        assert_eq!(
            response["metadata"],
            json!({
                "layout": null,
                "original_video": {
                    "filename": "talk.mp4",
                    "duration": null,
                    "s3_key": "uploads/talk.mp4",
                    "url": null,
                },
                "highlight_video": null,
                "completed_at": "2026-01-01T00:01:30.500Z",
                "processing_duration_seconds": 90.5,
            })
        );
    }
}
