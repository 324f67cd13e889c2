//! Tokens with which browsers watch a job.

use std::fmt;

use chrono::{DateTime, SubsecRound as _, Utc};
use lectern_domain::{InField as _, Invalid, JobId, WatchTokenLifetime};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::Validate;

use crate::wire::Request;
use crate::wire::integer::optional_integer;

/// Asks for a token with which a browser watches one job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("example" = { "expires_in_seconds": 3600 }))]
pub struct WatchTokenBody {
    /// How many seconds the token is accepted.
    #[validate(range(min = 1, max = WatchTokenLifetime::MAX))]
    #[serde(default, deserialize_with = "optional_integer")]
    #[schemars(extend("default" = WatchTokenLifetime::default().seconds()))]
    pub expires_in_seconds: Option<i64>,
}

impl Request for WatchTokenBody {
    type Domain = WatchTokenLifetime;
}

impl TryFrom<WatchTokenBody> for WatchTokenLifetime {
    type Error = Invalid;

    fn try_from(body: WatchTokenBody) -> Result<Self, Invalid> {
        let lifetime = body.expires_in_seconds.map(Self::new).transpose();
        Ok(lifetime.in_field("expires_in_seconds")?.unwrap_or_default())
    }
}

/// A token with which a browser watches one job.
#[derive(Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WatchTokenResponse {
    /// The job that the token is for.
    pub job_id: JobId,
    /// The value of the parameter `token`. It is a secret.
    pub token: String,
    /// When the token is no longer accepted, in whole seconds. It ends earlier with the key
    /// that made it.
    pub expires_at: DateTime<Utc>,
}

impl WatchTokenResponse {
    /// The time rounded down to whole seconds, as in tokens.
    pub fn round(time: DateTime<Utc>) -> DateTime<Utc> {
        time.trunc_subsecs(0)
    }
}

impl fmt::Debug for WatchTokenResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchTokenResponse")
            .field("job_id", &self.job_id)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}
