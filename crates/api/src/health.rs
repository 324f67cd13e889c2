//! Whether the service is well.

use schemars::JsonSchema;
use serde::Serialize;

/// The answer of a service that is well; one that is not answers a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HealthResponse {
    /// Always `ok`.
    pub status: HealthStatus,
}

/// How the service is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HealthStatus {
    /// All is well.
    Ok,
}

impl HealthResponse {
    /// All is well.
    pub const OK: Self = Self {
        status: HealthStatus::Ok,
    };
}
