//! Cursors of pages as opaque text.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::DateTime;
use lectern_domain::{Cursor, InField, Invalid, PageLimit, PageRequest};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// A list that is read in pages. Each cursor contains the tag of its list, so that other
/// lists refuse the cursor.
pub trait List {
    /// Unique among the lists.
    const TAG: u8;
}

/// The list of jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobList {}

/// The processing log of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogEntryList {}

impl List for JobList {
    const TAG: u8 = b'j';
}

impl List for LogEntryList {
    const TAG: u8 = b'l';
}

/// The cursor of a page of the list `L`: 39 characters that need no escaping in a
/// query string. A checksum detects damaged cursors. Cursors are not authenticated,
/// because a forged cursor gives no access beyond the list itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageCursor<L>(Cursor, PhantomData<L>);

/// The error of parsing text that is not a cursor of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidCursor;

impl fmt::Display for InvalidCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be the next_cursor of a page of this list")
    }
}

impl std::error::Error for InvalidCursor {}

impl<L> From<Cursor> for PageCursor<L> {
    fn from(cursor: Cursor) -> Self {
        Self(cursor, PhantomData)
    }
}

impl<L> From<PageCursor<L>> for Cursor {
    fn from(cursor: PageCursor<L>) -> Self {
        cursor.0
    }
}

/// Number of bytes that the checksum covers: tag, microseconds, id.
const CHECKED_BYTES: usize = 1 + 8 + 16;

impl<L: List> fmt::Display for PageCursor<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = Vec::with_capacity(CHECKED_BYTES + 4);
        bytes.push(L::TAG);
        bytes.extend(self.0.time.timestamp_micros().to_be_bytes());
        bytes.extend(self.0.id.into_bytes());
        f.write_str(&with_checksum(bytes))
    }
}

impl<L: List> FromStr for PageCursor<L> {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        decode(L::TAG, text).map(Self::from).ok_or(InvalidCursor)
    }
}

/// The text of a cursor with these bytes.
pub(crate) fn with_checksum(mut bytes: Vec<u8>) -> String {
    bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes of a cursor; `None` if the text is damaged or has another number of bytes.
pub(crate) fn without_checksum<const LENGTH: usize>(text: &str) -> Option<[u8; LENGTH]> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (checked, sum) = bytes.split_first_chunk()?;
    (crc32fast::hash(checked).to_be_bytes() == sum).then_some(*checked)
}

fn decode(tag: u8, text: &str) -> Option<Cursor> {
    let checked = without_checksum::<CHECKED_BYTES>(text)?;
    let (list_tag, rest) = checked.split_first()?;
    let (time, id) = rest.split_first_chunk()?;
    Some(Cursor {
        time: DateTime::from_timestamp_micros(i64::from_be_bytes(*time))?,
        id: Uuid::from_slice(id).ok()?,
    })
    .filter(|_| *list_tag == tag)
}

impl<L: List> Serialize for PageCursor<L> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, L: List> Deserialize<'de> for PageCursor<L> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'_, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl<L> JsonSchema for PageCursor<L> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Cursor".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "cursor" })
    }
}

/// The page that a query asks for.
pub(crate) fn page<L>(
    limit: Option<i64>,
    cursor: Option<PageCursor<L>>,
) -> Result<PageRequest, Invalid> {
    Ok(PageRequest {
        limit: limit
            .map(PageLimit::new)
            .transpose()
            .in_field("limit")?
            .unwrap_or_default(),
        after: cursor.map(Into::into),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    fn cursor() -> Cursor {
        Cursor {
            time: DateTime::from_timestamp_micros(1_767_225_600_123_457).unwrap(),
            id: Uuid::from_u128(0x019b_76da_a87b_7763_a830_6c97_ee0b_f06d),
        }
    }

    fn text() -> String {
        PageCursor::<JobList>::from(cursor()).to_string()
    }

    #[test]
    fn parsing_a_formatted_cursor_returns_it() {
        assert_eq!(text().len(), 39);
        assert_eq!(
            text().parse::<PageCursor<JobList>>().map(Cursor::from),
            Ok(cursor())
        );
    }

    #[test]
    fn a_cursor_with_a_changed_character_is_refused() {
        let text = text();
        for index in 0..text.len() {
            for other in ALPHABET.chars().chain(['=', ' ', '%']) {
                let mut changed = text.clone();
                changed.replace_range(index..=index, other.encode_utf8(&mut [0; 4]));
                let read = changed.parse::<PageCursor<JobList>>();
                assert_eq!(read.is_ok(), changed == text, "{changed}");
            }
        }
    }

    #[test]
    fn a_truncated_or_extended_cursor_is_refused() {
        let text = text();
        for end in 0..text.len() {
            assert!(text[..end].parse::<PageCursor<JobList>>().is_err());
        }
        assert!(format!("{text}A").parse::<PageCursor<JobList>>().is_err());
        assert!(
            format!("{text}{text}")
                .parse::<PageCursor<JobList>>()
                .is_err()
        );
        assert!("é".parse::<PageCursor<JobList>>().is_err());
    }

    #[test]
    fn a_cursor_of_another_list_is_refused() {
        assert!(text().parse::<PageCursor<LogEntryList>>().is_err());
    }

    #[test]
    fn a_cursor_is_a_json_string() {
        let json = serde_json::to_value(PageCursor::<JobList>::from(cursor())).unwrap();
        assert_eq!(json, text());
        let read: PageCursor<JobList> = serde_json::from_value(json).unwrap();
        assert_eq!(Cursor::from(read), cursor());
        let error = serde_json::from_str::<PageCursor<JobList>>("\"x\"").unwrap_err();
        assert!(error.to_string().starts_with("must be the next_cursor"));
    }
}
