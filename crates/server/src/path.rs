//! What stands in the path of a request.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use lectern_api::Code;
use lectern_domain::JobId;

use crate::ApiError;

/// The job a path is about. What is no id can be the id of no job.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Id(pub(crate) JobId);

impl FromRequest for Id {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let id = request
            .match_info()
            .get("job_id")
            .and_then(|id| id.parse().ok());
        let no_id = || ApiError::new(Code::JobNotFound, "the path holds no id a job could have");
        ready(id.map(Self).ok_or_else(no_id))
    }
}
