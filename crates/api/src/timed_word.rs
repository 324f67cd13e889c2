//! Words of a transcript segment with their times.

use lectern_domain::{
    self as domain, InField, Invalid, Ratio, Seconds, TimeRange, TimedWords, WordText,
};
use schemars::JsonSchema;
use serde::de::Deserializer;
use serde::{Deserialize, Serialize};
use validator::Validate;

use crate::wire::json_object::Object;
use crate::wire::request::{convert_each, optional};
use crate::wire::validation::chars;

/// A word with the time at which it is spoken.
#[derive(Debug, Clone, PartialEq, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimedWordBody {
    /// Start in the recording, in seconds.
    #[validate(range(min = 0.0))]
    pub start: f64,
    /// End in the recording, in seconds; not before the start.
    #[validate(range(min = 0.0))]
    pub end: f64,
    /// The word.
    #[validate(length(min = chars(WordText::MIN), max = chars(WordText::MAX)))]
    pub text: String,
    /// The recognizer's probability that this is the word, 0 to 1.
    #[validate(range(min = 0.0, max = 1.0))]
    pub probability: Option<f64>,
}

impl TryFrom<TimedWordBody> for domain::TimedWord {
    type Error = Invalid;

    fn try_from(word: TimedWordBody) -> Result<Self, Invalid> {
        let start = Seconds::new(word.start).in_field("start")?.get();
        let end = Seconds::new(word.end).in_field("end")?.get();
        Ok(Self {
            time: TimeRange::new(start, end)
                .map_err(|_| Invalid::field("end", "must not be before start"))?,
            text: WordText::new(word.text).in_field("text")?,
            probability: optional("probability", word.probability, Ratio::new)?,
        })
    }
}

/// Deserializes a list of words, or `null`.
pub(crate) fn words<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<TimedWordBody>>, D::Error> {
    let words = Option::<Vec<Object<TimedWordBody>>>::deserialize(deserializer)?;
    Ok(words.map(|words| words.into_iter().map(|Object(word)| word).collect()))
}

/// Like [`words`], with `None` for an absent field only.
#[expect(
    clippy::option_option,
    reason = "absent, null and a value have three meanings"
)]
pub(crate) fn present_words<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<Vec<TimedWordBody>>>, D::Error> {
    words(deserializer).map(Some)
}

/// Converts a list of words, of which an empty one counts as absent.
pub(crate) fn timed_words(
    words: Option<Vec<TimedWordBody>>,
) -> Result<Option<TimedWords>, Invalid> {
    let words = words.unwrap_or_default();
    if words.is_empty() {
        return Ok(None);
    }
    let words = convert_each("words", words, TryInto::try_into)?;
    TimedWords::new(words).map(Some).in_field("words")
}

/// A word with the time at which it is spoken.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct TimedWord {
    /// Start in the recording, in seconds.
    pub start: f64,
    /// End in the recording, in seconds.
    pub end: f64,
    /// The word.
    pub text: WordText,
    /// The recognizer's probability that this is the word; left out if it is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(default)]
    pub probability: Option<Ratio>,
}

impl From<domain::TimedWord> for TimedWord {
    fn from(word: domain::TimedWord) -> Self {
        Self {
            start: word.time.start(),
            end: word.time.end(),
            text: word.text,
            probability: word.probability,
        }
    }
}
