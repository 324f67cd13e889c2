//! Whisper's JSON told from Lectern's own.

use std::borrow::Cow;
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::python_json;
use crate::charset::unicode;

/// Whether a JSON text has one of the shapes [`read`](super::read) reads, rather than
/// Lectern's own, which has `segments` too: its first segment has a `start`,
/// `offsets` or a `timestamp` and no field of ours, or there is none and the rest
/// can only be Whisper's, even if that is a text without times. What is not JSON
/// has not.
pub fn detect(bytes: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Probe {
        segments: Option<First>,
        transcription: Option<First>,
        chunks: Option<IgnoredAny>,
        words: Option<IgnoredAny>,
        text: Option<IgnoredAny>,
        language: Option<IgnoredAny>,
        start_time: Option<IgnoredAny>,
    }
    let text = unicode(bytes);
    if text.trim_start().starts_with('[') {
        return python_json::parse(&text).is_ok_and(|First(first)| first == Some(true));
    }
    python_json::parse::<Probe>(&text).is_ok_and(|probe| {
        match (probe.segments, probe.transcription) {
            (Some(First(Some(first))), _) => first,
            (Some(First(None)), _) => probe.text.is_some() || probe.language.is_some(),
            (None, Some(First(first))) => first.unwrap_or(true),
            (None, None) => {
                let rest = probe.chunks.or(probe.words).or(probe.text);
                rest.is_some() && probe.start_time.is_none()
            }
        }
    })
}

/// Whether the first segment of a list is Whisper's; `None` when there is none.
struct First(Option<bool>);

impl<'de> Deserialize<'de> for First {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(FirstVisitor)
    }
}

struct FirstVisitor;

impl<'de> Visitor<'de> for FirstVisitor {
    type Value = First;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut segments: A) -> Result<First, A::Error> {
        let first = segments.next_element::<Fields>()?;
        while segments.next_element::<IgnoredAny>()?.is_some() {}
        Ok(First(first.map(|Fields(is_whispers)| is_whispers)))
    }
}

/// Whether the fields of an object are those of a segment of Whisper's.
struct Fields(bool);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a segment")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Fields, A::Error> {
        let (mut timed, mut ours) = (false, false);
        while let Some((name, _)) = fields.next_entry::<Cow<'de, str>, IgnoredAny>()? {
            timed |= matches!(&*name, "start" | "offsets" | "timestamp");
            ours |= matches!(&*name, "start_time" | "end_time" | "speaker_id");
        }
        Ok(Fields(timed && !ours))
    }
}
