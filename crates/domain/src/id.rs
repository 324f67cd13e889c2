//! Ids that clients see. Those of rows are UUIDv7, which sort by the time they were created;
//! a [`LeaseId`] and a [`DatabaseId`] are random.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use uuid::{ContextV7, Timestamp, Uuid};

use crate::clock::Clock;

/// Numbers the ids of one millisecond, so that they also sort by creation.
static SEQUENCE: Mutex<ContextV7> = Mutex::new(ContextV7::new());

fn uuid_v7(clock: &dyn Clock) -> Uuid {
    let now = clock.now();
    // UUIDv7 cannot represent a time before 1970. Such ids are not in order, but
    // still unique.
    let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
    let context = SEQUENCE.lock().unwrap_or_else(PoisonError::into_inner);
    Uuid::new_v7(Timestamp::from_unix(
        &*context,
        seconds,
        now.timestamp_subsec_nanos(),
    ))
}

/// Defines one id type per noun, so that one cannot be passed for another.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(serde::Serialize)]
        #[serde(transparent)]
        #[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
        pub struct $name(
            #[cfg_attr(feature = "schemars", schemars(with = "UuidText"))]
            Uuid
        );

        impl $name {
            /// A new id with the time of `clock`.
            pub fn new(clock: &dyn Clock) -> Self {
                Self(uuid_v7(clock))
            }

            /// The id as a plain UUID.
            pub fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl $crate::value::IdValue for $name {
            fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(UuidVisitor).map(Self)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )+};
}

/// Deserializes a UUID. The errors of the `uuid` crate describe its parser, not the value
/// that is expected.
struct UuidVisitor;

impl serde::de::Visitor<'_> for UuidVisitor {
    type Value = Uuid;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a UUID")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Uuid, E> {
        text.parse()
            .map_err(|_| E::invalid_value(serde::de::Unexpected::Str(text), &self))
    }
}

/// Schema of every id type. It is written inline wherever an id occurs.
#[cfg(feature = "schemars")]
struct UuidText;

#[cfg(feature = "schemars")]
impl schemars::JsonSchema for UuidText {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Uuid".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "uuid" })
    }
}

ids! {
    /// Id of a job.
    JobId
    /// Id of a segment of a transcript.
    TranscriptSegmentId
    /// Id of a silence region.
    SilenceRegionId
    /// Id of the layout analysis of a job.
    LayoutAnalysisId
    /// Id of a content segment.
    ContentSegmentId
    /// Id of a clip.
    ClipId
    /// Id of an entry of the processing log.
    LogEntryId
    /// Id of an entry of the audit.
    AuditEntryId
    /// Id of the run of a stage.
    StageRunId
    /// Names a lease: the right of one worker to one attempt at a stage. It is a
    /// secret, so the database makes it from random bits.
    LeaseId
    /// Names a request that appends to a resumable upload.
    AppendId
    /// Public id of a key of the interface.
    ApiKeyId
    /// Names a database, for the objects that belong to it. The database makes it from
    /// random bits.
    DatabaseId
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{ManualClock, SystemClock};

    #[test]
    fn ids_sort_by_creation() {
        let ids: Vec<_> = (0..5_000).map(|_| JobId::new(&SystemClock)).collect();
        assert!(ids.is_sorted());
    }

    #[test]
    fn ids_of_the_same_time_differ() {
        let clock = ManualClock::default();
        assert_ne!(JobId::new(&clock), JobId::new(&clock));
    }
}
