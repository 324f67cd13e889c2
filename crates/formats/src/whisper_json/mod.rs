//! The JSON of Whisper and its relatives.
//!
//! Read are
//!
//! - `{"segments": [{"start": 0.0, "end": 1.5, "text": "…"}]}` in seconds, which
//!   is `OpenAI`'s `verbose_json`, whisper, faster-whisper and whisperX, and the
//!   array alone;
//! - `{"transcription": [{"offsets": {"from": 0, "to": 1500}, "text": "…"}]}` in
//!   milliseconds, which is whisper.cpp;
//! - `{"chunks": [{"timestamp": [0.0, 1.5], "text": "…"}]}` in seconds, which is
//!   transformers;
//! - `{"words": [{"start": 0.0, "end": 0.4, "word": "…"}]}` in seconds, where there
//!   is none of the above, which is what `OpenAI` answers when asked for words
//!   alone. A cue of them ends at a pause of a second, and before it lasts more
//!   than ten or is longer than 80 characters.
//!
//! Python writes `NaN`, `Infinity` and `-Infinity`, which are not JSON. They are
//! read as `null`, so a confidence that is one is none.
//!
//! The confidence of a segment is the first it has of: its `confidence`; `e` to
//! the power of its `avg_logprob`, which is the geometric mean of its tokens'
//! probabilities; the mean `probability` or `score` of its words; the mean `p`
//! of its tokens. `no_speech_prob` says something else and is left alone.

mod detect;
mod python_json;
mod words;

use std::fmt;
use std::marker::PhantomData;

use lectern_domain::{At, Invalid, Ratio, SpeakerId};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::charset::unicode;
use crate::cue::{Cue, in_order, sorted, speaker, spoken};
use crate::error::FormatError;
use crate::time::{millis, seconds};

pub use detect::detect;

/// The most characters of a message.
const LONGEST: usize = 200;

/// Reads a file. White space around a text, which Whisper puts before most, is
/// dropped.
///
/// The error is for what is not JSON or not of one of the shapes, and for a
/// speaker's name that is too long for the domain; its line is where that was
/// noticed, for a segment the line it ends on.
pub fn read(bytes: &[u8]) -> Result<Vec<Cue>, FormatError> {
    let text = unicode(bytes);
    let segments = if text.trim_start().starts_with('[') {
        python_json::parse(&text).map(Some)
    } else {
        python_json::parse(&text).map(|file: File| file.segments.or(file.chunks))
    };
    let segments: Option<Vec<Segment>> = segments.map_err(|error| unread(&error))?;
    let cues = match segments {
        Some(segments) => segments
            .into_iter()
            .filter_map(|segment| segment.0)
            .collect(),
        None => words::read(&text)
            .map_err(|error| unread(&error))?
            .ok_or_else(|| FormatError::new(1, "holds no segments with times"))?,
    };
    Ok(sorted(cues))
}

/// Writes a file in the shape of `OpenAI`'s `verbose_json`, cues in the order of
/// their starts, times in seconds. Speakers are `speaker`, confidences are
/// `confidence`, where there is one.
pub fn write(cues: &[Cue]) -> String {
    let cues = in_order(cues);
    let texts: Vec<_> = cues.iter().map(|cue| cue.text.trim()).collect();
    let duration = cues.iter().map(|cue| cue.end_ms()).max().unwrap_or(0);
    let segments = cues.iter().enumerate().map(|(id, cue)| SegmentOut {
        id,
        start: seconds(cue.start_ms()),
        end: seconds(cue.end_ms()),
        text: cue.text.trim(),
        speaker: cue.speaker.as_ref().map(SpeakerId::as_str),
        confidence: cue.confidence.map(Ratio::get),
    });
    let file = FileOut {
        task: "transcribe",
        duration: seconds(duration),
        text: texts.join(" "),
        segments: segments.collect(),
    };
    // Numbers are finite and keys are text: there is nothing JSON cannot hold.
    serde_json::to_string(&file).unwrap_or_default()
}

/// What is wrong, without what was sent instead: that may be long, or a secret.
fn unread(error: &serde_json::Error) -> FormatError {
    let message = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let message = message.strip_suffix(&place).unwrap_or(&message);
    let message = match message.rsplit_once(", expected ") {
        Some((_, expected)) => format!("expected {expected}"),
        None => message.chars().take(LONGEST).collect(),
    };
    FormatError::new(error.line().max(1), message)
}

#[derive(Serialize)]
struct FileOut<'a> {
    task: &'static str,
    duration: f64,
    text: String,
    segments: Vec<SegmentOut<'a>>,
}

#[derive(Serialize)]
struct SegmentOut<'a> {
    id: usize,
    start: f64,
    end: f64,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    speaker: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confidence: Option<f64>,
}

#[derive(Deserialize)]
struct File {
    #[serde(alias = "transcription")]
    segments: Option<Vec<Segment>>,
    chunks: Option<Vec<Segment>>,
}

/// A segment, unless nothing is said in it.
struct Segment(Option<Cue>);

impl<'de> Deserialize<'de> for Segment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(SegmentVisitor)
    }
}

/// Makes the cue before the reader has left the segment, so that an error gets
/// its line and not that of the next.
struct SegmentVisitor;

impl<'de> Visitor<'de> for SegmentVisitor {
    type Value = Segment;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a segment")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Segment, A::Error> {
        let segment = SegmentIn::deserialize(MapAccessDeserializer::new(map))?;
        segment.cue().map(Segment).map_err(A::Error::custom)
    }
}

#[derive(Deserialize)]
struct SegmentIn {
    text: String,
    start: Option<f64>,
    end: Option<f64>,
    offsets: Option<Offsets>,
    /// In seconds; the last may have no end.
    timestamp: Option<(Option<f64>, Option<f64>)>,
    speaker: Option<Name>,
    confidence: Option<f64>,
    avg_logprob: Option<f64>,
    words: Option<Mean<Word>>,
    tokens: Option<Mean<Token>>,
}

/// In milliseconds.
#[derive(Deserialize)]
struct Offsets {
    from: i64,
    to: i64,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Name {
    Text(String),
    Number(i64),
}

#[derive(Deserialize)]
struct Word {
    probability: Option<f64>,
    score: Option<f64>,
}

/// Something a recognizer is more or less sure of.
trait Likely {
    fn probability(&self) -> Option<f64>;
}

/// The mean probability of the items of a list, which is not kept: there may be
/// millions.
struct Mean<T>(Option<f64>, PhantomData<T>);

impl<'de, T: Deserialize<'de> + Likely> Deserialize<'de> for Mean<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(MeanVisitor(PhantomData))
    }
}

struct MeanVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de> + Likely> Visitor<'de> for MeanVisitor<T> {
    type Value = Mean<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Mean<T>, A::Error> {
        let (mut sum, mut count) = (0.0, 0.0);
        while let Some(item) = items.next_element::<T>()? {
            if let Some(probability) = item.probability() {
                sum += probability;
                count += 1.0;
            }
        }
        Ok(Mean((count > 0.0).then(|| sum / count), PhantomData))
    }
}

/// whisper.cpp tells about its tokens, the others only number them.
#[derive(Deserialize)]
#[serde(untagged)]
enum Token {
    Told { text: String, p: f64 },
    Other(IgnoredAny),
}

impl Likely for Word {
    fn probability(&self) -> Option<f64> {
        self.probability.or(self.score)
    }
}

impl Likely for Token {
    fn probability(&self) -> Option<f64> {
        match self {
            // `[_BEG_]` and its like are not said.
            Self::Told { text, p } if !text.starts_with("[_") => Some(*p),
            Self::Told { .. } | Self::Other(_) => None,
        }
    }
}

impl SegmentIn {
    fn cue(&self) -> Result<Option<Cue>, Invalid> {
        let seconds = self.timestamp.unwrap_or((self.start, self.end));
        let (start, end) = match (seconds, &self.offsets) {
            ((Some(start), end), _) => (millis(start), end.map_or(0, millis)),
            (_, Some(offsets)) => (whole(offsets.from), whole(offsets.to)),
            (_, None) => return Err(Invalid::field("start", "must be given")),
        };
        let Some(text) = spoken(self.text.trim()) else {
            return Ok(None);
        };
        let name = match &self.speaker {
            Some(Name::Text(name)) => name.clone(),
            Some(Name::Number(number)) => number.to_string(),
            None => String::new(),
        };
        let cue = Cue::new(start, end, text)
            .with_speaker(speaker(&name).at("speaker")?)
            .with_confidence(self.confidence());
        Ok(Some(cue))
    }

    fn confidence(&self) -> Option<Ratio> {
        let words = || self.words.as_ref().and_then(|mean| mean.0);
        let tokens = || self.tokens.as_ref().and_then(|mean| mean.0);
        self.confidence
            .or_else(|| self.avg_logprob.map(f64::exp))
            .or_else(words)
            .or_else(tokens)
            .and_then(|confidence| Ratio::new(confidence.clamp(0.0, 1.0)).ok())
    }
}

/// Milliseconds, none of them before 0.
fn whole(millis: i64) -> u64 {
    millis.try_into().unwrap_or(0)
}
