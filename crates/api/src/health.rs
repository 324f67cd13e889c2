//! Health checks.

use schemars::JsonSchema;
use serde::Serialize;

/// The response of a healthy service. An unhealthy service responds with a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HealthResponse {
    /// Always `ok`.
    pub status: HealthStatus,
}

/// Health of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HealthStatus {
    /// The service is healthy.
    Ok,
}

impl HealthResponse {
    /// The response of a healthy service.
    pub const OK: Self = Self {
        status: HealthStatus::Ok,
    };
}
