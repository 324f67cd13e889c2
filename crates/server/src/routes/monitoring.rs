//! Monitoring: health, readiness and metrics.

use std::time::Duration;

use actix_web::web::Data;
use actix_web::{HttpResponse, Responder};
use lectern_api::{Code, HealthResponse};
use lectern_domain::{Access, Scope};
use tokio::time::timeout;

use crate::database::caller_database::CallerDatabase;
use crate::http::error::ApiError;
use crate::http::requests_in_flight::Lifecycle;
use crate::http::resource::Resource;
use crate::http::response::{ApiResponse, ApiResult};
use crate::metrics::Metrics;
use crate::stage_gauges::stage_gauges;
use crate::work_queue::waiting_claims::WaitingClaims;

pub(super) fn resources() -> Vec<Resource> {
    vec![
        Resource::at("/healthz").get(Access::Public, health),
        Resource::at("/readyz").get(Access::Public, readiness),
        Resource::at("/metrics").get(Scope::Metrics, metrics),
    ]
}

async fn health() -> ApiResult {
    ApiResponse::ok(&HealthResponse::OK)
}

async fn readiness(CallerDatabase(db): CallerDatabase, lifecycle: Data<Lifecycle>) -> ApiResult {
    if lifecycle.is_stopping() {
        return Err(ApiError::new(
            Code::Overloaded,
            "the server is shutting down",
        ));
    }
    db.check_readiness().await?;
    ApiResponse::ok(&HealthResponse::OK)
}

/// How long the stages may delay the other metrics. Without a database, they are missing.
const MAX_STAGES_WAIT: Duration = Duration::from_secs(1);

async fn metrics(
    CallerDatabase(db): CallerDatabase,
    lifecycle: Data<Lifecycle>,
    metrics: Data<Metrics>,
    waiting_claims: Data<WaitingClaims>,
) -> Result<impl Responder, ApiError> {
    let stages = db.read(|conn| Ok(conn.stage_runs().stats()?), |stages| stages);
    let stages = match timeout(MAX_STAGES_WAIT, stages).await {
        Ok(Ok(stages)) => stage_gauges(&stages).map_err(ApiError::internal)?,
        Ok(Err(_)) | Err(_) => Vec::new(),
    };
    let text = metrics
        .render(
            db.stats(),
            db.unreadable_rows(),
            lifecycle.in_flight(),
            waiting_claims.count(),
            stages,
        )
        .map_err(ApiError::internal)?;
    Ok(HttpResponse::Ok()
        .content_type(prometheus::TEXT_FORMAT)
        .body(text))
}
