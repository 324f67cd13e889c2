//! Distinguishes Whisper's JSON from Lectern's.

use std::borrow::Cow;
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::python_json;
use crate::charset::decode_unicode;

/// Whether the bytes are JSON in one of the shapes that [`read`](super::read) accepts,
/// rather than the JSON of Lectern's API, which also has `segments`.
///
/// The first segment decides. In Whisper's JSON it has a `start`, `offsets` or a
/// `timestamp`, and none of the fields that only Lectern's segments have. If there is
/// no segment, the other fields of the file decide; a `text` alone is Whisper's.
pub fn detect(bytes: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Probe {
        segments: Option<FirstSegment>,
        transcription: Option<FirstSegment>,
        chunks: Option<IgnoredAny>,
        words: Option<IgnoredAny>,
        text: Option<IgnoredAny>,
        language: Option<IgnoredAny>,
        start_time: Option<IgnoredAny>,
    }
    let text = decode_unicode(bytes);
    if text.trim_start().starts_with('[') {
        return python_json::parse(&text)
            .is_ok_and(|first: FirstSegment| first.is_whisper == Some(true));
    }
    let Ok(probe) = python_json::parse::<Probe>(&text) else {
        return false;
    };
    match (probe.segments, probe.transcription) {
        (Some(FirstSegment { is_whisper }), _) => {
            is_whisper.unwrap_or(probe.text.is_some() || probe.language.is_some())
        }
        (None, Some(FirstSegment { is_whisper })) => is_whisper.unwrap_or(true),
        (None, None) => {
            let whisper_field = probe.chunks.or(probe.words).or(probe.text);
            whisper_field.is_some() && probe.start_time.is_none()
        }
    }
}

/// A list of segments, of which only the first is examined.
struct FirstSegment {
    /// `None` if the list is empty.
    is_whisper: Option<bool>,
}

impl<'de> Deserialize<'de> for FirstSegment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(FirstSegmentVisitor)
    }
}

struct FirstSegmentVisitor;

impl<'de> Visitor<'de> for FirstSegmentVisitor {
    type Value = FirstSegment;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut segments: A) -> Result<FirstSegment, A::Error> {
        let first = segments.next_element::<SegmentFields>()?;
        while segments.next_element::<IgnoredAny>()?.is_some() {}
        Ok(FirstSegment {
            is_whisper: first.map(|fields| fields.is_whisper),
        })
    }
}

/// A segment, of which only the names of the fields are examined.
struct SegmentFields {
    is_whisper: bool,
}

impl<'de> Deserialize<'de> for SegmentFields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(SegmentFieldsVisitor)
    }
}

struct SegmentFieldsVisitor;

impl<'de> Visitor<'de> for SegmentFieldsVisitor {
    type Value = SegmentFields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a segment")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<SegmentFields, A::Error> {
        let (mut has_whisper_time, mut has_lectern_field) = (false, false);
        while let Some((name, _)) = fields.next_entry::<Cow<'de, str>, IgnoredAny>()? {
            has_whisper_time |= matches!(&*name, "start" | "offsets" | "timestamp");
            has_lectern_field |= matches!(&*name, "start_time" | "end_time" | "speaker_id");
        }
        Ok(SegmentFields {
            is_whisper: has_whisper_time && !has_lectern_field,
        })
    }
}
