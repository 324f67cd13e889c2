//! Rows of outputs whose changes by clients are audited one by one.

use serde_json::Value;

use crate::audit::{AuditAction, AuditChange};
use crate::clip::Clip;
use crate::content_segment::ContentSegment;
use crate::id::JobId;
use crate::transcript_segment::TranscriptSegment;
use crate::value::{JsonValue, LongText};

/// A row of an output of a job.
pub trait AuditedRow {
    /// A change of its fields.
    const UPDATE: AuditAction;
    /// Its deletion.
    const DELETE: AuditAction;

    /// The job that it belongs to.
    fn job_id(&self) -> JobId;

    /// The name of its id, and the id.
    fn row_id(&self) -> (&'static str, Value);

    /// The fields that clients change, always in the same order.
    fn fields(&self) -> Vec<(&'static str, Value)>;
}

impl AuditChange {
    /// A change of a row. The id is in the old and the new values, besides the fields that
    /// differ.
    pub fn of_row<R: AuditedRow>(before: &R, after: &R) -> Self {
        let fields = before.fields().into_iter().zip(after.fields());
        let fields = fields.map(|((name, old), (_, new))| (name, old, new));
        Self::of_fields(R::UPDATE, before.job_id(), before.row_id(), fields)
    }

    /// The deletion of a row, whose values were these.
    pub fn deleted_row<R: AuditedRow>(row: &R) -> Self {
        let fields = row.fields().into_iter();
        let fields = fields.map(|(name, old)| (name, old, Value::Null));
        Self::of_fields(R::DELETE, row.job_id(), row.row_id(), fields)
    }
}

impl AuditedRow for Clip {
    const UPDATE: AuditAction = AuditAction::ClipUpdate;
    const DELETE: AuditAction = AuditAction::ClipDelete;

    fn job_id(&self) -> JobId {
        self.job_id
    }

    fn row_id(&self) -> (&'static str, Value) {
        ("clip_id", self.clip_id.to_string().into())
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        let segment = self.content_segment_id.map(|id| id.to_string());
        let media = &self.media;
        vec![
            ("content_segment_id", segment.into()),
            ("title", self.title.as_str().into()),
            ("topic", self.topic.as_deref().into()),
            (
                "importance_score",
                self.importance_score.map(crate::Ratio::get).into(),
            ),
            ("start_time", self.time.start().into()),
            ("end_time", self.time.end().into()),
            ("s3_key", media.s3_key.as_deref().into()),
            ("thumbnail_s3_key", media.thumbnail_s3_key.as_deref().into()),
            ("subtitle_s3_key", media.subtitle_s3_key.as_deref().into()),
            ("clip_order", self.clip_order.get().into()),
            ("extra_metadata", self.extra_metadata.clone().into_value()),
        ]
    }
}

impl AuditedRow for ContentSegment {
    const UPDATE: AuditAction = AuditAction::ContentSegmentUpdate;
    const DELETE: AuditAction = AuditAction::ContentSegmentDelete;

    fn job_id(&self) -> JobId {
        self.job_id
    }

    fn row_id(&self) -> (&'static str, Value) {
        ("segment_id", self.segment_id.to_string().into())
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        let texts = |texts: &[crate::Keyword]| -> Value {
            texts
                .iter()
                .map(|text| Value::from(text.as_str()))
                .collect()
        };
        vec![
            ("start_time", self.time.start().into()),
            ("end_time", self.time.end().into()),
            ("topic", self.topic.as_str().into()),
            (
                "description",
                self.description.as_ref().map(LongText::as_str).into(),
            ),
            ("importance_score", self.importance_score.get().into()),
            ("keywords", texts(&self.keywords)),
            ("concepts", texts(&self.concepts)),
            ("segment_order", self.segment_order.get().into()),
        ]
    }
}

impl AuditedRow for TranscriptSegment {
    const UPDATE: AuditAction = AuditAction::TranscriptSegmentUpdate;
    const DELETE: AuditAction = AuditAction::TranscriptSegmentDelete;

    fn job_id(&self) -> JobId {
        self.job_id
    }

    fn row_id(&self) -> (&'static str, Value) {
        ("segment_id", self.segment_id.to_string().into())
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        let words = self.words.as_ref();
        vec![
            ("start_time", self.time.start().into()),
            ("end_time", self.time.end().into()),
            ("text", self.text.as_str().into()),
            ("confidence", self.confidence.map(crate::Ratio::get).into()),
            ("speaker_id", self.speaker_id.as_deref().into()),
            (
                "language",
                self.language
                    .as_ref()
                    .map(crate::LanguageTag::as_str)
                    .into(),
            ),
            ("words", words.map(JsonValue::to_json).into()),
        ]
    }
}
