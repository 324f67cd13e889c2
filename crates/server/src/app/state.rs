//! What all threads of a server share.

use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::web::{Bytes, Data};

use crate::database::handle::Db;
use crate::http::error::ApiError;
use crate::http::lifecycle::Lifecycle;
use crate::live::Live;
use crate::metrics::Metrics;
use crate::objects::Objects;
use crate::work_queue::waiting_claims::Board;

/// How large request bodies may be.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimits {
    /// Bytes of an ordinary body; 1 MiB by default.
    pub small: usize,
    /// Bytes of a body with what a stage found; 32 MiB by default.
    pub output: usize,
}

impl Default for BodyLimits {
    fn default() -> Self {
        Self {
            small: 1 << 20,
            output: 32 << 20,
        }
    }
}

/// What all threads of a server share.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) db: Db,
    /// Those who wait for work.
    pub(crate) board: Arc<Board>,
    /// Those who watch.
    pub(crate) live: Live,
    /// Origins whose pages may call the server.
    pub(crate) origins: Vec<String>,
    pub(crate) limits: BodyLimits,
    pub(crate) objects: Objects,
    pub(crate) lifecycle: Arc<Lifecycle>,
    pub(crate) metrics: Metrics,
    /// The description of the interface, as it is sent.
    pub(crate) openapi: Bytes,
}

impl State {
    /// The state of the server that answers `request`.
    pub(crate) fn of(request: &HttpRequest) -> Result<&Self, ApiError> {
        request
            .app_data::<Data<Self>>()
            .map(Data::get_ref)
            .ok_or_else(|| ApiError::internal("the server has no state"))
    }
}
