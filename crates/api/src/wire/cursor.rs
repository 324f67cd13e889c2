//! Cursors of pages as opaque text.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, NaiveDate, NaiveTime};
use lectern_domain::{
    Cursor, Direction, InField, Invalid, JobCursor, JobOrder, PageLimit, PageRequest,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// A list that is read in pages. Each cursor contains the tag of its list, so that other
/// lists refuse the cursor.
pub trait List {
    /// Unique among the lists.
    const TAG: u8;
}

/// The processing log of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogEntryList {}

impl List for LogEntryList {
    const TAG: u8 = b'l';
}

/// The recorded changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditEntryList {}

impl List for AuditEntryList {
    const TAG: u8 = b'a';
}

/// The cursor of a page of the list `L`: 39 characters that need no escaping in a
/// query string. A checksum detects damaged cursors. Cursors are not authenticated,
/// because a forged cursor gives no access beyond the list itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageCursor<L>(Cursor, PhantomData<L>);

impl<L: List> PageCursor<L> {
    /// A valid cursor, for documentation: of a page that ended at the beginning of 2027.
    pub(crate) fn example() -> Self {
        Self::from(example_position())
    }
}

fn example_position() -> Cursor {
    let time = NaiveDate::from_ymd_opt(2027, 1, 1).unwrap_or_default();
    let time = time.and_time(NaiveTime::MIN).and_utc();
    Cursor {
        time,
        id: Uuid::max(),
    }
}

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

fn encode(tag: u8, cursor: Cursor) -> String {
    let mut bytes = Vec::with_capacity(CHECKED_BYTES + 4);
    bytes.push(tag);
    bytes.extend(cursor.time.timestamp_micros().to_be_bytes());
    bytes.extend(cursor.id.into_bytes());
    with_checksum(bytes)
}

impl<L: List> fmt::Display for PageCursor<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&encode(L::TAG, self.0))
    }
}

impl<L: List> FromStr for PageCursor<L> {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        match decode(text) {
            Some((tag, cursor)) if tag == L::TAG => Ok(cursor.into()),
            _ => Err(InvalidCursor),
        }
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

/// The bytes of a cursor of any length; `None` if the text is damaged.
pub(crate) fn checked_bytes(text: &str) -> Option<Vec<u8>> {
    let mut bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let sum = bytes.split_off(bytes.len().checked_sub(4)?);
    (crc32fast::hash(&bytes).to_be_bytes()[..] == sum[..]).then_some(bytes)
}

/// The tag and the position of a cursor.
fn decode(text: &str) -> Option<(u8, Cursor)> {
    let checked = without_checksum::<CHECKED_BYTES>(text)?;
    let (tag, rest) = checked.split_first()?;
    let (time, id) = rest.split_first_chunk()?;
    let cursor = Cursor {
        time: DateTime::from_timestamp_micros(i64::from_be_bytes(*time))?,
        id: Uuid::from_slice(id).ok()?,
    };
    Some((*tag, cursor))
}

/// The cursor of a page of a list of jobs. Like [`PageCursor`], with a tag for each order and
/// direction of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobPageCursor(JobCursor);

impl JobPageCursor {
    /// A valid cursor, for documentation: of a page that ended at the beginning of 2027.
    pub(crate) fn example() -> Self {
        Self(JobCursor {
            order: JobOrder::CreatedAt,
            direction: Direction::Descending,
            position: example_position(),
            is_uncompleted: false,
        })
    }

    /// Every kind of position, with its tag: order, direction, and whether the last job of
    /// the page is uncompleted.
    const TAGS: [(u8, JobOrder, Direction, bool); 8] = [
        (b'j', JobOrder::CreatedAt, Direction::Descending, false),
        (b'J', JobOrder::CreatedAt, Direction::Ascending, false),
        (b'u', JobOrder::UpdatedAt, Direction::Descending, false),
        (b'U', JobOrder::UpdatedAt, Direction::Ascending, false),
        (b'c', JobOrder::CompletedAt, Direction::Descending, false),
        (b'C', JobOrder::CompletedAt, Direction::Ascending, false),
        (b'o', JobOrder::CompletedAt, Direction::Descending, true),
        (b'O', JobOrder::CompletedAt, Direction::Ascending, true),
    ];

    fn tag(&self) -> Option<u8> {
        let cursor = &self.0;
        let mut tags = Self::TAGS.into_iter();
        tags.find_map(|(tag, order, direction, is_uncompleted)| {
            let kind = (order, direction, is_uncompleted);
            (kind == (cursor.order, cursor.direction, cursor.is_uncompleted)).then_some(tag)
        })
    }
}

impl From<JobCursor> for JobPageCursor {
    fn from(cursor: JobCursor) -> Self {
        Self(cursor)
    }
}

impl From<JobPageCursor> for JobCursor {
    fn from(cursor: JobPageCursor) -> Self {
        cursor.0
    }
}

impl fmt::Display for JobPageCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tag = self.tag().ok_or(fmt::Error)?;
        f.write_str(&encode(tag, self.0.position))
    }
}

impl FromStr for JobPageCursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let (tag, position) = decode(text).ok_or(InvalidCursor)?;
        let mut tags = Self::TAGS.into_iter();
        let known = tags.find(|(known, ..)| *known == tag);
        let (_, order, direction, is_uncompleted) = known.ok_or(InvalidCursor)?;
        Ok(Self(JobCursor {
            order,
            direction,
            position,
            is_uncompleted,
        }))
    }
}

/// Implements JSON and its schema for a cursor.
macro_rules! cursor_text {
    ($($cursor:ty, [$($list:ident $(: $bound:ident)?)?];)+) => {$(
        impl$(<$list $(: $bound)?>)? Serialize for $cursor {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de, $($list $(: $bound)?)?> Deserialize<'de> for $cursor {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Cow::<'_, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl$(<$list $(: $bound)?>)? JsonSchema for $cursor {
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
    )+};
}

cursor_text! {
    PageCursor<L>, [L: List];
    JobPageCursor, [];
}

/// The page that a query asks for.
pub(crate) fn page<L>(
    limit: Option<i64>,
    cursor: Option<PageCursor<L>>,
) -> Result<PageRequest, Invalid> {
    Ok(PageRequest {
        limit: page_limit(limit)?,
        after: cursor.map(Into::into),
    })
}

/// The number of items that a query asks for.
pub(crate) fn page_limit(limit: Option<i64>) -> Result<PageLimit, Invalid> {
    let limit = limit.map(PageLimit::new).transpose().in_field("limit")?;
    Ok(limit.unwrap_or_default())
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
        PageCursor::<LogEntryList>::from(cursor()).to_string()
    }

    #[test]
    fn parsing_a_formatted_cursor_returns_it() {
        assert_eq!(text().len(), 39);
        assert_eq!(
            text().parse::<PageCursor<LogEntryList>>().map(Cursor::from),
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
                let read = changed.parse::<PageCursor<LogEntryList>>();
                assert_eq!(read.is_ok(), changed == text, "{changed}");
            }
        }
    }

    #[test]
    fn a_truncated_or_extended_cursor_is_refused() {
        let text = text();
        for end in 0..text.len() {
            assert!(text[..end].parse::<PageCursor<LogEntryList>>().is_err());
        }
        assert!(
            format!("{text}A")
                .parse::<PageCursor<LogEntryList>>()
                .is_err()
        );
        assert!(
            format!("{text}{text}")
                .parse::<PageCursor<LogEntryList>>()
                .is_err()
        );
        assert!("é".parse::<PageCursor<LogEntryList>>().is_err());
    }

    #[test]
    fn a_cursor_of_another_list_is_refused() {
        assert!(text().parse::<JobPageCursor>().is_err());
        for (_, order, direction, is_uncompleted) in JobPageCursor::TAGS {
            let cursor = JobCursor {
                order,
                direction,
                position: cursor(),
                is_uncompleted,
            };
            let text = JobPageCursor::from(cursor).to_string();
            assert_eq!(text.len(), 39);
            assert_eq!(text.parse().map(|JobPageCursor(read)| read), Ok(cursor));
            assert!(text.parse::<PageCursor<LogEntryList>>().is_err());
        }
    }

    #[test]
    fn a_cursor_is_a_json_string() {
        let json = serde_json::to_value(PageCursor::<LogEntryList>::from(cursor())).unwrap();
        assert_eq!(json, text());
        let read: PageCursor<LogEntryList> = serde_json::from_value(json).unwrap();
        assert_eq!(Cursor::from(read), cursor());
        let error = serde_json::from_str::<PageCursor<LogEntryList>>("\"x\"").unwrap_err();
        assert!(error.to_string().starts_with("must be the next_cursor"));
    }
}
