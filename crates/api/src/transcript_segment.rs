//! Transcript segments.

use chrono::{DateTime, Utc};
use lectern_domain::{self as domain, InField, Invalid, JobId, NewTranscriptSegment};
use lectern_domain::{
    LanguageTag, Patch, Ratio, Seconds, SpeakerId, SpokenText, TimeRange, TimedWords,
    TranscriptFormat, TranscriptSegmentId, Window,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::Validate;

use crate::timed_word::{TimedWord, TimedWordBody, present_words, timed_words, words};
use crate::wire::Request;
use crate::wire::items::Items;
use crate::wire::request::{BodyShape, convert_each, optional, patch, present, search_text};
use crate::wire::validation::{FieldErrors, chars};

/// Segments of a transcript to be stored.
#[derive(Debug, Clone, PartialEq, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("example" = {
        "segments": [
            {
                "start_time": 0.0,
                "end_time": 4.2,
                "text": "Welcome back. Today we look at gradient descent.",
                "confidence": 0.94,
                "speaker_id": "lecturer",
                "language": "en",
                "words": [
                    { "start": 0.0, "end": 0.6, "text": "Welcome", "probability": 0.98 },
                    { "start": 0.6, "end": 0.9, "text": "back." },
                ],
            },
            { "start_time": 4.9, "end_time": 7.5, "text": "It walks downhill, step by step." },
        ],
    }))]
pub struct TranscriptSegmentsBody {
    /// The segments, in any order.
    pub segments: Items<TranscriptSegmentBody>,
}

/// A segment of a transcript to be stored.
#[derive(Debug, Clone, PartialEq, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TranscriptSegmentBody {
    /// Start in the recording, in seconds.
    #[validate(range(min = 0.0))]
    pub start_time: f64,
    /// End in the recording, in seconds; not before the start.
    #[validate(range(min = 0.0))]
    pub end_time: f64,
    /// Spoken text; not blank.
    #[schemars(regex(pattern = crate::wire::field_schemas::NOT_BLANK))]
    pub text: String,
    /// Confidence of the speech recognition, 0 to 1.
    #[validate(range(min = 0.0, max = 1.0))]
    pub confidence: Option<f64>,
    /// Speaker.
    #[validate(length(max = chars(SpeakerId::MAX)))]
    pub speaker_id: Option<String>,
    /// Language that is spoken, as a tag of BCP 47 such as `en` or `pt-BR`.
    #[schemars(regex(pattern = LanguageTag::PATTERN), length(max = LanguageTag::MAX))]
    pub language: Option<String>,
    /// The words with their times; at most 2,000.
    #[validate(nested)]
    #[serde(default, deserialize_with = "words")]
    #[schemars(length(max = TimedWords::MAX))]
    pub words: Option<Vec<TimedWordBody>>,
}

impl Request for TranscriptSegmentsBody {
    type Domain = Vec<NewTranscriptSegment>;
    const BODY_SHAPE: BodyShape = BodyShape::RowsOfWords;

    fn out_of_bounds(&self) -> FieldErrors {
        self.segments.errors("segments")
    }
}

impl TryFrom<TranscriptSegmentsBody> for Vec<NewTranscriptSegment> {
    type Error = Invalid;

    fn try_from(body: TranscriptSegmentsBody) -> Result<Self, Invalid> {
        convert_each(
            "segments",
            body.segments.into_vec(),
            NewTranscriptSegment::try_from,
        )
    }
}

impl TryFrom<TranscriptSegmentBody> for NewTranscriptSegment {
    type Error = Invalid;

    fn try_from(segment: TranscriptSegmentBody) -> Result<Self, Invalid> {
        Ok(Self {
            time: TimeRange::new(segment.start_time, segment.end_time)?,
            text: SpokenText::new(segment.text).in_field("text")?,
            confidence: optional("confidence", segment.confidence, Ratio::new)?,
            speaker_id: optional("speaker_id", segment.speaker_id, SpeakerId::new)?,
            language: optional("language", segment.language, LanguageTag::new)?,
            words: timed_words(segment.words)?,
        })
    }
}

/// A partial change of a segment of a transcript: fields left out keep their values, and
/// `null` clears nullable fields.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("example" = {
        "text": "Welcome back. Today we look at stochastic gradient descent.",
        "speaker_id": "lecturer",
    }))]
pub struct TranscriptSegmentUpdateBody {
    /// Start in the recording, in seconds.
    #[validate(range(min = 0.0))]
    #[serde(deserialize_with = "present")]
    #[schemars(with = "f64")]
    pub start_time: Option<f64>,
    /// End in the recording, in seconds; not before the start.
    #[validate(range(min = 0.0))]
    #[serde(deserialize_with = "present")]
    #[schemars(with = "f64")]
    pub end_time: Option<f64>,
    /// Spoken text; not blank.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "String", regex(pattern = crate::wire::field_schemas::NOT_BLANK))]
    pub text: Option<String>,
    /// Confidence of the speech recognition, 0 to 1.
    #[validate(range(min = 0.0, max = 1.0))]
    #[serde(deserialize_with = "present")]
    pub confidence: Option<Option<f64>>,
    /// Speaker.
    #[validate(length(max = chars(SpeakerId::MAX)))]
    #[serde(deserialize_with = "present")]
    pub speaker_id: Option<Option<String>>,
    /// Language that is spoken, as a tag of BCP 47 such as `en` or `pt-BR`.
    #[schemars(regex(pattern = LanguageTag::PATTERN), length(max = LanguageTag::MAX))]
    #[serde(deserialize_with = "present")]
    pub language: Option<Option<String>>,
    /// The words with their times. Another text or another time removes the stored ones, unless
    /// new ones are given.
    #[validate(nested)]
    #[serde(deserialize_with = "present_words")]
    #[schemars(length(max = TimedWords::MAX))]
    pub words: Option<Option<Vec<TimedWordBody>>>,
}

impl Request for TranscriptSegmentUpdateBody {
    type Domain = domain::TranscriptSegmentUpdate;
}

impl TryFrom<TranscriptSegmentUpdateBody> for domain::TranscriptSegmentUpdate {
    type Error = Invalid;

    fn try_from(update: TranscriptSegmentUpdateBody) -> Result<Self, Invalid> {
        Ok(Self {
            start_time: optional("start_time", update.start_time, Seconds::new)?,
            end_time: optional("end_time", update.end_time, Seconds::new)?,
            text: optional("text", update.text, SpokenText::new)?,
            confidence: patch(update.confidence, Ratio::new).in_field("confidence")?,
            speaker_id: patch(update.speaker_id, SpeakerId::new).in_field("speaker_id")?,
            language: patch(update.language, LanguageTag::new).in_field("language")?,
            words: match update.words {
                None => Patch::Keep,
                Some(words) => timed_words(words)?.map_or(Patch::Clear, Patch::Set),
            },
        })
    }
}

/// Selects segments of a transcript; every given condition must hold.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TranscriptQuery {
    /// Segments that end after this time, in seconds.
    #[validate(range(min = 0.0))]
    #[schemars(extend("example" = 0.0))]
    pub from: Option<f64>,
    /// Segments that begin before this time, in seconds; not before `from`.
    #[validate(range(min = 0.0))]
    #[schemars(extend("example" = 60.0))]
    pub to: Option<f64>,
    /// Segments whose text contains this, ignoring case.
    #[schemars(extend("example" = "gradient"))]
    pub q: Option<String>,
    /// Segments in this language, with or without a region: `en` includes `en-GB`.
    #[schemars(
        regex(pattern = LanguageTag::PATTERN),
        length(max = LanguageTag::MAX),
        extend("example" = "en")
    )]
    pub language: Option<String>,
    /// Whether the response has the words of the segments with their times.
    #[schemars(extend("example" = true))]
    pub words: Option<bool>,
    /// Format of the response. Without this parameter, `Accept` decides.
    #[schemars(extend("example" = "vtt"))]
    pub format: Option<TranscriptFormat>,
}

/// What the response has of a segment.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TranscriptSegmentQuery {
    /// Whether the response has the words of the segment with their times.
    #[schemars(extend("example" = true))]
    pub words: Option<bool>,
}

/// What the response has of a segment, read from a [`TranscriptSegmentQuery`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TranscriptSegmentView {
    /// Whether the words are returned.
    pub words: bool,
}

impl Request for TranscriptSegmentQuery {
    type Domain = TranscriptSegmentView;
}

impl TryFrom<TranscriptSegmentQuery> for TranscriptSegmentView {
    type Error = Invalid;

    fn try_from(query: TranscriptSegmentQuery) -> Result<Self, Invalid> {
        Ok(Self {
            words: query.words.unwrap_or_default(),
        })
    }
}

/// Which segments of a transcript to return, and in which format.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TranscriptFilter {
    /// Segments that overlap this part of the recording.
    pub window: Window,
    /// Segments whose text contains this, ignoring case.
    pub q: Option<String>,
    /// Segments in this language.
    pub language: Option<LanguageTag>,
    /// Whether the words are returned.
    pub words: bool,
    /// Format of the response; `None`: `Accept` decides.
    pub format: Option<TranscriptFormat>,
}

impl Request for TranscriptQuery {
    type Domain = TranscriptFilter;
}

impl TryFrom<TranscriptQuery> for TranscriptFilter {
    type Error = Invalid;

    fn try_from(query: TranscriptQuery) -> Result<Self, Invalid> {
        Ok(Self {
            window: Window::new(query.from, query.to)?,
            q: search_text(query.q).in_field("q")?,
            language: optional("language", query.language, LanguageTag::new)?,
            words: query.words.unwrap_or_default(),
            format: query.format,
        })
    }
}

/// A segment of a transcript.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct TranscriptSegment {
    /// Id of the segment.
    pub segment_id: TranscriptSegmentId,
    /// Start in the recording, in seconds.
    pub start_time: f64,
    /// End in the recording, in seconds.
    pub end_time: f64,
    /// Duration in seconds.
    pub duration: f64,
    /// Spoken text.
    pub text: SpokenText,
    /// Confidence of the speech recognition, 0 to 1.
    pub confidence: Option<Ratio>,
    /// Speaker.
    pub speaker_id: Option<SpeakerId>,
    /// Language that is spoken.
    pub language: Option<LanguageTag>,
    /// The words with their times, if they are known; only with `words=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(default)]
    pub words: Option<Vec<TimedWord>>,
    /// When the segment was stored.
    pub created_at: DateTime<Utc>,
}

/// A [`TranscriptSegment`] with its words.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct TranscriptSegmentWithWords(TranscriptSegment);

impl TranscriptSegmentWithWords {
    /// The segment without its words; `None` if they are not known.
    pub fn without_words(&self) -> Option<Self> {
        self.0.words.as_ref()?;
        Some(Self(TranscriptSegment {
            words: None,
            segment_id: self.0.segment_id,
            text: self.0.text.clone(),
            speaker_id: self.0.speaker_id.clone(),
            language: self.0.language.clone(),
            ..self.0
        }))
    }
}

impl From<domain::TranscriptSegment> for TranscriptSegmentWithWords {
    fn from(mut stored: domain::TranscriptSegment) -> Self {
        let words = stored.data.words.take();
        let words = words.map(|words| words.into_iter().map(TimedWord::from).collect());
        Self(TranscriptSegment {
            words,
            ..stored.into()
        })
    }
}

/// Without the words.
impl From<domain::TranscriptSegment> for TranscriptSegment {
    fn from(stored: domain::TranscriptSegment) -> Self {
        let segment = stored.data;
        Self {
            segment_id: stored.segment_id,
            start_time: segment.time.start(),
            end_time: segment.time.end(),
            duration: segment.time.duration(),
            text: segment.text,
            confidence: segment.confidence,
            speaker_id: segment.speaker_id,
            language: segment.language,
            words: None,
            created_at: stored.created_at,
        }
    }
}

/// The transcript of a job, or the part of it that the query selects.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct TranscriptResponse {
    /// The job that the transcript belongs to.
    pub job_id: JobId,
    /// The segments, sorted by time.
    pub segments: Vec<TranscriptSegment>,
    /// Number of segments.
    pub total: usize,
    /// What was left out or changed when a file was read, with its lines; only in responses to
    /// files, and only if there was anything.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub notes: Vec<String>,
}

impl TranscriptResponse {
    /// Converts stored segments.
    pub fn new(job_id: JobId, segments: Vec<domain::TranscriptSegment>) -> Self {
        Self {
            job_id,
            total: segments.len(),
            segments: segments.into_iter().map(Into::into).collect(),
            notes: Vec::new(),
        }
    }

    /// The same response with notes about the file that was read.
    pub fn with_notes(self, notes: Vec<String>) -> Self {
        Self { notes, ..self }
    }
}
