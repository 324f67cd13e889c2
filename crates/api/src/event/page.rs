//! Events of a job, page by page.

use lectern_domain::{Invalid, JobId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::Validate;

use crate::{Request, WsMessage};

/// Which events are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EventsQuery {
    /// Those after the event of this number. Left out, it begins with a snapshot.
    #[validate(range(min = 0, max = i64::MAX))]
    pub after: Option<i64>,
}

/// Events to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EventsRequest {
    /// After the event of this number, 0 or more.
    pub after: Option<i64>,
}

impl Request for EventsQuery {
    type Domain = EventsRequest;
}

impl TryFrom<EventsQuery> for EventsRequest {
    type Error = Invalid;

    fn try_from(query: EventsQuery) -> Result<Self, Invalid> {
        match query.after {
            Some(..0) => Err(Invalid::field("after", "must be 0 or more")),
            after => Ok(Self { after }),
        }
    }
}

/// A page of events of a job.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct EventsResponse {
    /// The job.
    pub job_id: JobId,
    /// What happened, in its order; or only a snapshot of the job when it was
    /// not said after which event, or some of those after it are not kept any
    /// more. Whoever is behind `last_seq` asks for the next page.
    pub events: Vec<WsMessage>,
    /// Number of the last event of the job, on this page or not.
    #[schemars(range(min = 0))]
    pub last_seq: i64,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn events_are_asked_for_by_number() {
        let after = |after| {
            let query = EventsQuery::read(json!({ "after": after })).unwrap();
            query.into_domain().map(|request| request.after)
        };
        assert_eq!(
            EventsQuery::read(json!({}))
                .unwrap()
                .into_domain()
                .unwrap()
                .after,
            None
        );
        assert_eq!(after(0), Ok(Some(0)));
        assert_eq!(after(i64::MAX), Ok(Some(i64::MAX)));
        assert_eq!(after(-1).unwrap_err()[0].message, "must be 0 or more");
        assert!(EventsQuery::read(json!({ "before": 1 })).is_err());
    }
}
