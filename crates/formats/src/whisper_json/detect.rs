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
/// The first segment decides. In Whisper's JSON, the first segment has a `start`,
/// `offsets` or a `timestamp`, and none of the fields that only Lectern's segments have.
/// If there is no segment, the other fields of the file decide; a file that has only a
/// `text` is Whisper's.
pub fn detect(bytes: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct File {
        segments: Option<SegmentList>,
        transcription: Option<SegmentList>,
        chunks: Option<IgnoredAny>,
        words: Option<IgnoredAny>,
        text: Option<IgnoredAny>,
        language: Option<IgnoredAny>,
        start_time: Option<IgnoredAny>,
    }
    let text = decode_unicode(bytes);
    if text.trim_start().starts_with('[') {
        return python_json::parse(&text)
            .is_ok_and(|segments: SegmentList| segments.is_whisper == Some(true));
    }
    let Ok(file) = python_json::parse::<File>(&text) else {
        return false;
    };
    match (file.segments, file.transcription) {
        (Some(SegmentList { is_whisper }), _) => {
            is_whisper.unwrap_or(file.text.is_some() || file.language.is_some())
        }
        (None, Some(SegmentList { is_whisper })) => is_whisper.unwrap_or(true),
        (None, None) => {
            let whisper_field = file.chunks.or(file.words).or(file.text);
            whisper_field.is_some() && file.start_time.is_none()
        }
    }
}

/// A list of segments, of which only the first is examined.
struct SegmentList {
    /// `None` if the list is empty.
    is_whisper: Option<bool>,
}

impl<'de> Deserialize<'de> for SegmentList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(SegmentListVisitor)
    }
}

struct SegmentListVisitor;

impl<'de> Visitor<'de> for SegmentListVisitor {
    type Value = SegmentList;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut segments: A) -> Result<SegmentList, A::Error> {
        let first = segments.next_element::<SegmentFields>()?;
        while segments.next_element::<IgnoredAny>()?.is_some() {}
        Ok(SegmentList {
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
