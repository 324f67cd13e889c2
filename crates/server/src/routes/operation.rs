//! Whether the service is well, in words and numbers, and what it can do.

use actix_web::web::Data;
use actix_web::{HttpResponse, Responder};
use lectern_api::{Code, HealthResponse};

use super::Resource;
use crate::app::state::State;
use crate::http::error::ApiError;
use crate::http::response::{Answer, Reply};

pub(super) fn resources() -> Vec<Resource> {
    vec![
        Resource::at("/healthz").get(health),
        Resource::at("/readyz").get(readiness),
        Resource::at("/metrics").get(metrics),
        Resource::at("/openapi.json").get(openapi),
    ]
}

async fn health() -> Reply {
    Answer::ok(&HealthResponse::OK)
}

async fn readiness(state: Data<State>) -> Reply {
    if state.lifecycle.is_stopping() {
        return Err(ApiError::new(
            Code::Overloaded,
            "the server is shutting down",
        ));
    }
    if state.db.is_ready().await? {
        Answer::ok(&HealthResponse::OK)
    } else {
        let detail = "migrations are pending; `lectern migrate up` applies them";
        Err(ApiError::new(Code::DatabaseUnavailable, detail))
    }
}

async fn metrics(state: Data<State>) -> Result<impl Responder, ApiError> {
    let text = state
        .metrics
        .render(state.db.stats(), state.lifecycle.running())
        .map_err(ApiError::internal)?;
    Ok(HttpResponse::Ok()
        .content_type(prometheus::TEXT_FORMAT)
        .body(text))
}

async fn openapi(state: Data<State>) -> impl Responder {
    HttpResponse::Ok()
        .content_type("application/json")
        .body(state.openapi.clone())
}
