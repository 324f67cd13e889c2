//! The JSON request bodies that create rows.

use lectern_domain::{
    Decibels, FileSize, JsonValue, NewClip, NewContentSegment, NewJob, NewLayoutAnalysis,
    NewLogEntry, NewSilenceRegion, NewTranscriptSegment, NonNegativeInt, ProgressReport, Ratio,
    Seconds, TextValue,
};
use serde_json::{Value, json};

/// The JSON a client sends to store this value. Written by hand instead of
/// serialized, so that a change of the API fails a test.
///
/// ```
/// use lectern_tests::{Body, segments};
/// use serde_json::json;
///
/// let body = json!({ "segments": segments(2).body() });
/// assert_eq!(body["segments"][1]["start_time"], json!(4.0));
/// ```
pub trait Body {
    /// The request body.
    fn body(&self) -> Value;
}

impl<T: Body> Body for [T] {
    fn body(&self) -> Value {
        self.iter().map(T::body).collect()
    }
}

impl Body for NewJob {
    fn body(&self) -> Value {
        json!({
            "filename": self.filename.as_str(),
            "file_size": self.file_size.map(FileSize::get),
            "s3_key": text(self.original_s3_key.as_ref()),
            "priority": self.priority,
            "content_type": self.content_type.as_str(),
            "processing_config": self.processing_config.as_ref().map(|config| config.settings().get()),
            "extra_metadata": self.extra_metadata.get(),
        })
    }
}

impl Body for ProgressReport {
    fn body(&self) -> Value {
        json!({
            "stage": self.stage.as_str(),
            "percent": self.progress.percent.get(),
            "message": text(self.progress.message.as_ref()),
            "eta_seconds": self.progress.eta_seconds.map(NonNegativeInt::get),
            "agent_name": text(self.agent_name.as_ref()),
        })
    }
}

impl Body for NewTranscriptSegment {
    fn body(&self) -> Value {
        let mut body = json!({
            "start_time": self.time.start(),
            "end_time": self.time.end(),
            "text": self.text.as_str(),
            "confidence": self.confidence.map(Ratio::get),
            "speaker_id": text(self.speaker_id.as_ref()),
            "language": text(self.language.as_ref()),
        });
        // Most responses have no words.
        if let Some(words) = &self.words {
            body["words"] = words.to_json();
        }
        body
    }
}

impl Body for NewSilenceRegion {
    fn body(&self) -> Value {
        json!({
            "start_time": self.time.start(),
            "end_time": self.time.end(),
            "silence_type": self.silence_type.as_str(),
            "amplitude_threshold": self.amplitude_threshold.map(Decibels::get),
        })
    }
}

impl Body for NewLayoutAnalysis {
    fn body(&self) -> Value {
        json!({
            "layout_type": self.layout_type.as_str(),
            "screen_region": self.screen_region.map(|region| region.to_json()),
            "camera_region": self.camera_region.map(|region| region.to_json()),
            "split_ratio": self.split_ratio.map(Ratio::get),
            "confidence_score": self.confidence_score.get(),
            "sample_frame_time": self.sample_frame_time.map(Seconds::get),
            "stretches": self.stretches.to_json(),
        })
    }
}

impl Body for NewContentSegment {
    fn body(&self) -> Value {
        json!({
            "start_time": self.time.start(),
            "end_time": self.time.end(),
            "topic": self.topic.as_str(),
            "description": text(self.description.as_ref()),
            "importance_score": self.importance_score.get(),
            "keywords": self.keywords.to_json(),
            "concepts": self.concepts.to_json(),
            "segment_order": self.segment_order.get(),
        })
    }
}

impl Body for NewClip {
    fn body(&self) -> Value {
        json!({
            "title": self.title.as_str(),
            "topic": text(self.topic.as_ref()),
            "importance_score": self.importance_score.map(Ratio::get),
            "start_time": self.time.start(),
            "end_time": self.time.end(),
            "content_segment_id": self.content_segment_id,
            "s3_key": text(self.media.s3_key.as_ref()),
            "thumbnail_s3_key": text(self.media.thumbnail_s3_key.as_ref()),
            "subtitle_s3_key": text(self.media.subtitle_s3_key.as_ref()),
            "clip_order": self.clip_order.get(),
            "extra_metadata": self.extra_metadata.get(),
        })
    }
}

impl Body for NewLogEntry {
    fn body(&self) -> Value {
        json!({
            "stage": self.stage.as_str(),
            "status": self.status.as_str(),
            "agent_name": text(self.agent_name.as_ref()),
            "message": text(self.message.as_ref()),
            "error_details": self.error_details_json(),
            "duration_seconds": self.duration_seconds.map(Seconds::get),
        })
    }
}

fn text(text: Option<&impl TextValue>) -> Option<&str> {
    text.map(TextValue::as_text)
}
