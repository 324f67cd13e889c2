//! Pages of events.

use lectern_domain::{Invalid, JobId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::Validate;

use crate::event::WsMessage;
use crate::wire::Request;

/// Selects events of a job. Gateways add parameters of their own to these requests, such as
/// a token, because browsers cannot add headers to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EventsQuery {
    /// Only events whose `seq` is greater than this number. Without this parameter, the
    /// response begins with a snapshot of the job.
    #[validate(range(min = 0, max = i64::MAX))]
    #[schemars(extend("example" = 0))]
    pub after: Option<i64>,
}

/// Selects events of a job; the valid form of an [`EventsQuery`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EventFilter {
    /// Only events whose `seq` is greater than this number, which is 0 or more. `None`: the
    /// response begins with a snapshot of the job.
    pub after: Option<i64>,
}

impl Request for EventsQuery {
    type Domain = EventFilter;

    const ONLY_PARAMETERS: Option<&'static [&'static str]> = Some(&["after"]);
}

impl TryFrom<EventsQuery> for EventFilter {
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
    /// The events in order. If the request has no `after`, or some of the events after that
    /// number were deleted, the page has a snapshot of the job instead. If the last `seq`
    /// on the page is less than `last_seq`, there is another page.
    pub events: Vec<WsMessage>,
    /// Number of the last event of the job, even if this event is not on this page.
    #[schemars(range(min = 0))]
    pub last_seq: i64,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn after_is_a_number_of_0_or_more() {
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
