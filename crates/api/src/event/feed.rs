//! The events of all jobs.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use lectern_domain::{EventPage, EventPosition, InField, Invalid, PageLimit};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use validator::Validate;

use crate::event::WsMessage;
use crate::wire::Request;
use crate::wire::cursor::{with_checksum, without_checksum};

/// A position in the events of all jobs: 34 characters that need no escaping in a query
/// string. A checksum detects damaged cursors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventCursor(pub EventPosition);

/// Distinguishes these cursors from those of lists.
const TAG: u8 = b'e';

/// The number of bytes of a cursor: tag, generation, transaction and id.
const BYTES: usize = 1 + 4 + 8 + 8;

impl fmt::Display for EventCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = Vec::with_capacity(BYTES + 4);
        bytes.push(TAG);
        bytes.extend(self.0.generation.to_be_bytes());
        bytes.extend(self.0.transaction_id.to_be_bytes());
        bytes.extend(self.0.id.to_be_bytes());
        f.write_str(&with_checksum(bytes))
    }
}

/// The error of parsing text that is not a cursor of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidEventCursor;

impl fmt::Display for InvalidEventCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be the next_cursor of a page of events, or latest")
    }
}

impl std::error::Error for InvalidEventCursor {}

impl FromStr for EventCursor {
    type Err = InvalidEventCursor;

    fn from_str(text: &str) -> Result<Self, InvalidEventCursor> {
        decode(text).map(Self).ok_or(InvalidEventCursor)
    }
}

fn decode(text: &str) -> Option<EventPosition> {
    let bytes = without_checksum::<BYTES>(text)?;
    let (tag, rest) = bytes.split_first()?;
    let (generation, rest) = rest.split_first_chunk()?;
    let (transaction_id, id) = rest.split_first_chunk()?;
    let position = EventPosition {
        generation: i32::from_be_bytes(*generation),
        transaction_id: i64::from_be_bytes(*transaction_id),
        id: i64::from_be_bytes(id.try_into().ok()?),
    };
    (*tag == TAG).then_some(position)
}

impl Serialize for EventCursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for EventCursor {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "EventCursor".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "cursor" })
    }
}

/// Where a page of the events of all jobs begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedStart {
    /// After the last event that is stored.
    Latest,
    /// After this position.
    After(EventPosition),
}

impl<'de> Deserialize<'de> for FeedStart {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match &*Cow::<'_, str>::deserialize(deserializer)? {
            "latest" => Ok(Self::Latest),
            cursor => match cursor.parse() {
                Ok(EventCursor(position)) => Ok(Self::After(position)),
                Err(error) => Err(serde::de::Error::custom(error)),
            },
        }
    }
}

impl JsonSchema for FeedStart {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "FeedStart".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "cursor" })
    }
}

/// Selects events of all jobs. As for the events of one job, gateways may add parameters of
/// their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AllEventsQuery {
    /// Only events after this `next_cursor`, or after the last one that is stored
    /// (`latest`). Without this parameter, from the oldest event on after which none was
    /// deleted.
    #[schemars(extend("example" = "latest"))]
    pub after: Option<FeedStart>,
    /// Maximum number of events on a page.
    #[validate(range(min = 1, max = PageLimit::MAX))]
    #[schemars(extend("default" = PageLimit::default().get(), "example" = 20))]
    pub limit: Option<i64>,
}

/// Selects events of all jobs; the valid form of an [`AllEventsQuery`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AllEventsRequest {
    /// `None`: from the oldest event on.
    pub after: Option<FeedStart>,
    /// The greatest number of events.
    pub limit: PageLimit,
}

impl Request for AllEventsQuery {
    type Domain = AllEventsRequest;

    const ONLY_PARAMETERS: Option<&'static [&'static str]> = Some(&["after", "limit"]);
}

impl TryFrom<AllEventsQuery> for AllEventsRequest {
    type Error = Invalid;

    fn try_from(query: AllEventsQuery) -> Result<Self, Invalid> {
        let limit = query.limit.map(PageLimit::new).transpose();
        Ok(Self {
            after: query.after,
            limit: limit.in_field("limit")?.unwrap_or_default(),
        })
    }
}

/// A page of the events of all jobs.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct AllEventsResponse {
    /// The events in the order of their commits. Those of one job are in the order of their
    /// `seq`.
    pub events: Vec<WsMessage>,
    /// The position after these events, for `after` of the next request. Never expires
    /// before the events after it are deleted.
    pub next_cursor: EventCursor,
}

impl From<EventPage> for AllEventsResponse {
    fn from(page: EventPage) -> Self {
        let events = page.events.into_iter();
        Self {
            events: events.map(|(_, event)| event.into()).collect(),
            next_cursor: EventCursor(page.next),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::wire::{LogEntryList, PageCursor};

    const POSITION: EventPosition = EventPosition {
        generation: 7,
        transaction_id: 1 << 40,
        id: i64::MAX,
    };

    fn after(text: &str) -> Result<Option<FeedStart>, String> {
        let query = AllEventsQuery::read(json!({ "after": text }));
        query
            .map(|query| query.into_domain().unwrap().after)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn parsing_a_formatted_cursor_returns_it() {
        let text = EventCursor(POSITION).to_string();
        assert_eq!(text.len(), 34);
        assert_eq!(text.parse(), Ok(EventCursor(POSITION)));
        assert_eq!(after(&text), Ok(Some(FeedStart::After(POSITION))));
        assert_eq!(after("latest"), Ok(Some(FeedStart::Latest)));
    }

    #[test]
    fn text_that_is_no_cursor_of_events_is_refused() {
        let text = EventCursor(POSITION).to_string();
        let of_a_list: Result<PageCursor<LogEntryList>, _> = text.parse();
        assert!(of_a_list.is_err());
        for bad in [
            "",
            "Latest",
            "x",
            &text[..33],
            &format!("{text}A"),
            &text.to_lowercase(),
        ] {
            let error = after(bad).unwrap_err();
            assert!(error.contains("must be the next_cursor"), "{bad}: {error}");
        }
    }

    #[test]
    fn a_page_has_1_to_100_events() {
        let limit = |limit| {
            AllEventsQuery::read(json!({ "limit": limit }))
                .unwrap()
                .into_domain()
        };
        assert_eq!(limit(100).unwrap().limit.get(), 100);
        assert!(limit(0).is_err());
        assert!(limit(101).is_err());
    }
}
