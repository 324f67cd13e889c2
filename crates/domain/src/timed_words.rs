//! The words of a transcript segment, with their times.

use serde_json::{Map, Value, json};

use crate::value::text::bounded_texts;
use crate::value::{Invalid, JsonValue, Ratio, TimeRange};

bounded_texts! {
    /// A word as it is spoken or written, 1 to 200 characters.
    WordText: 1 to 200;
}

/// A word with the time at which it is spoken.
#[derive(Debug, Clone, PartialEq)]
pub struct TimedWord {
    /// From the start of the recording; usually, but not always, inside of the segment.
    pub time: TimeRange,
    /// The word.
    pub text: WordText,
    /// The recognizer's probability that this is the word.
    pub probability: Option<Ratio>,
}

/// The words of a transcript segment in the order in which they are spoken: 1 to 2,000.
#[derive(Debug, Clone, PartialEq)]
pub struct TimedWords(Vec<TimedWord>);

impl TimedWords {
    /// The greatest number of words.
    pub const MAX: usize = 2_000;

    /// Checks the number of words.
    pub fn new(words: Vec<TimedWord>) -> Result<Self, Invalid> {
        if (1..=Self::MAX).contains(&words.len()) {
            return Ok(Self(words));
        }
        let max = Self::MAX;
        Err(Invalid::new(format!("must have 1 to {max} words")))
    }

    /// The words in their order.
    pub fn as_slice(&self) -> &[TimedWord] {
        &self.0
    }

    /// Approximate number of bytes of the words as JSON, and in memory.
    pub fn memory(&self) -> usize {
        let words = self.0.iter();
        words
            .map(|word| word.text.len() + size_of::<TimedWord>())
            .sum()
    }
}

impl IntoIterator for TimedWords {
    type Item = TimedWord;
    type IntoIter = std::vec::IntoIter<TimedWord>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// An array of objects with `start`, `end` (in seconds), `text` and, if it is known,
/// `probability`.
impl JsonValue for TimedWords {
    fn from_json(json: Value) -> Result<Self, Invalid> {
        let Value::Array(words) = json else {
            return Err(Invalid::new("must be an array"));
        };
        Self::new(words.iter().map(word_of_json).collect::<Result<_, _>>()?)
    }

    fn to_json(&self) -> Value {
        let words = self.0.iter().map(|word| {
            let mut json = Map::new();
            json.insert("start".to_owned(), json!(word.time.start()));
            json.insert("end".to_owned(), json!(word.time.end()));
            json.insert("text".to_owned(), json!(word.text.as_str()));
            if let Some(probability) = word.probability {
                json.insert("probability".to_owned(), json!(probability.get()));
            }
            Value::Object(json)
        });
        words.collect()
    }
}

fn word_of_json(word: &Value) -> Result<TimedWord, Invalid> {
    let number = |name: &str| word.get(name).and_then(Value::as_f64);
    let text = word.get("text").and_then(Value::as_str);
    let (Some(start), Some(end), Some(text)) = (number("start"), number("end"), text) else {
        return Err(Invalid::new("must have objects with start, end and text"));
    };
    let probability = match word.get("probability") {
        None => None,
        Some(Value::Number(number)) => Some(Ratio::new(number.as_f64().unwrap_or(f64::INFINITY))?),
        Some(_) => return Err(Invalid::new("must have numbers as probability")),
    };
    Ok(TimedWord {
        time: TimeRange::new(start, end)?,
        text: WordText::new(text)?,
        probability,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_json() {
        let json = json!([
            { "start": 0.0, "end": 0.5, "text": "roots", "probability": 0.25 },
            { "start": 0.5, "end": 0.5, "text": "grow" },
        ]);
        let words = TimedWords::from_json(json.clone()).unwrap();
        assert_eq!(words.as_slice()[1].probability, None);
        assert_eq!(words.to_json(), json);
    }

    #[test]
    fn other_json_is_refused() {
        for json in [
            json!({}),
            json!([]),
            json!(["roots"]),
            json!([{ "start": 0, "end": 1 }]),
            json!([{ "start": 1, "end": 0, "text": "a" }]),
            json!([{ "start": -1, "end": 0, "text": "a" }]),
            json!([{ "start": 0, "end": 1, "text": "" }]),
            json!([{ "start": 0, "end": 1, "text": "a", "probability": null }]),
            json!([{ "start": 0, "end": 1, "text": "a", "probability": 2 }]),
        ] {
            assert!(TimedWords::from_json(json.clone()).is_err(), "{json}");
        }
        let many = json!(vec![
            json!({ "start": 0, "end": 1, "text": "a" });
            TimedWords::MAX + 1
        ]);
        assert!(TimedWords::from_json(many).is_err());
    }
}
