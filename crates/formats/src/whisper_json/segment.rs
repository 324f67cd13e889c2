//! Reads a segment as any of the supported programs writes it.

use std::fmt;
use std::marker::PhantomData;

use lectern_domain::{InField, Invalid, Ratio};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::cue::{Cue, speaker_id, spoken_text};
use crate::time::millis;

/// The cue of a segment; `None` if its text is blank.
pub(super) struct Segment(pub(super) Option<Cue>);

impl<'de> Deserialize<'de> for Segment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(SegmentVisitor)
    }
}

/// Builds the cue while the parser is still at the end of the segment, so that an error
/// has the line of this segment.
struct SegmentVisitor;

impl<'de> Visitor<'de> for SegmentVisitor {
    type Value = Segment;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a segment")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Segment, A::Error> {
        let fields = Fields::deserialize(MapAccessDeserializer::new(map))?;
        fields.cue().map(Segment).map_err(A::Error::custom)
    }
}

/// Every field that one of the programs writes.
#[derive(Deserialize)]
struct Fields {
    text: String,
    /// In seconds, as is `end`.
    start: Option<f64>,
    end: Option<f64>,
    offsets: Option<Offsets>,
    /// Start and end in seconds; the last chunk may have no end.
    timestamp: Option<(Option<f64>, Option<f64>)>,
    speaker: Option<Speaker>,
    confidence: Option<f64>,
    avg_logprob: Option<f64>,
    words: Option<MeanProbability<Word>>,
    tokens: Option<MeanProbability<Token>>,
}

/// In milliseconds, possibly negative.
#[derive(Deserialize)]
struct Offsets {
    from: i64,
    to: i64,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Speaker {
    Name(String),
    Number(i64),
}

impl Fields {
    fn cue(&self) -> Result<Option<Cue>, Invalid> {
        let seconds = self.timestamp.unwrap_or((self.start, self.end));
        let (start_ms, end_ms) = match (seconds, &self.offsets) {
            ((Some(start), end), _) => (millis(start), end.map_or(0, millis)),
            (_, Some(offsets)) => (non_negative(offsets.from), non_negative(offsets.to)),
            (_, None) => return Err(Invalid::field("start", "is required")),
        };
        let Some(text) = spoken_text(self.text.trim()) else {
            return Ok(None);
        };
        let name = match &self.speaker {
            Some(Speaker::Name(name)) => name.clone(),
            Some(Speaker::Number(number)) => number.to_string(),
            None => String::new(),
        };
        let cue = Cue::new(start_ms, end_ms, text)
            .with_speaker(speaker_id(&name).in_field("speaker")?)
            .with_confidence(self.confidence());
        Ok(Some(cue))
    }

    fn confidence(&self) -> Option<Ratio> {
        let words = || self.words.as_ref().and_then(|words| words.mean);
        let tokens = || self.tokens.as_ref().and_then(|tokens| tokens.mean);
        self.confidence
            .or_else(|| self.avg_logprob.map(f64::exp))
            .or_else(words)
            .or_else(tokens)
            .and_then(|confidence| Ratio::new(confidence.clamp(0.0, 1.0)).ok())
    }
}

fn non_negative(millis: i64) -> u64 {
    millis.try_into().unwrap_or(0)
}

/// A word or token with the probability that the recognizer assigned to it.
trait HasProbability {
    fn probability(&self) -> Option<f64>;
}

#[derive(Deserialize)]
struct Word {
    probability: Option<f64>,
    score: Option<f64>,
}

impl HasProbability for Word {
    fn probability(&self) -> Option<f64> {
        self.probability.or(self.score)
    }
}

/// whisper.cpp describes its tokens; the other programs list only their numbers.
#[derive(Deserialize)]
#[serde(untagged)]
enum Token {
    Described { text: String, p: f64 },
    Other(IgnoredAny),
}

impl HasProbability for Token {
    fn probability(&self) -> Option<f64> {
        match self {
            // Control tokens such as `[_BEG_]` are not speech.
            Self::Described { text, p } if !text.starts_with("[_") => Some(*p),
            Self::Described { .. } | Self::Other(_) => None,
        }
    }
}

/// The mean probability of a list. The items are not kept, because a file can have
/// millions of items.
struct MeanProbability<T> {
    mean: Option<f64>,
    items: PhantomData<T>,
}

impl<'de, T: Deserialize<'de> + HasProbability> Deserialize<'de> for MeanProbability<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(MeanVisitor(PhantomData))
    }
}

struct MeanVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de> + HasProbability> Visitor<'de> for MeanVisitor<T> {
    type Value = MeanProbability<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let (mut sum, mut count) = (0.0, 0.0);
        while let Some(item) = list.next_element::<T>()? {
            if let Some(probability) = item.probability() {
                sum += probability;
                count += 1.0;
            }
        }
        Ok(MeanProbability {
            mean: (count > 0.0).then(|| sum / count),
            items: PhantomData,
        })
    }
}
