//! Ids in the path of a request.

use std::future::{Ready, ready};
use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use lectern_api::Code;
use lectern_domain::{ClipId, JobId, Stage};

use crate::http::error::ApiError;

/// The job id of the path. A malformed id is a 404.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JobIdPath(pub(crate) JobId);

/// The clip id of the path. A malformed id is a 404.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClipIdPath(pub(crate) ClipId);

/// The segment id of the path. A malformed id is a 404.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SegmentIdPath<T>(pub(crate) T);

/// The stage of the path, one that workers claim. Another text is a 404.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StagePath(pub(crate) Stage);

impl FromRequest for StagePath {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let stage = parse_parameter(request, "stage").filter(|stage: &Stage| stage.is_work());
        let no_stage = || ApiError::new(Code::NotFound, "workers claim no stage of this name");
        ready(stage.map(Self).ok_or_else(no_stage))
    }
}

impl<T: FromStr> FromRequest for SegmentIdPath<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let no_id = || ApiError::new(Code::SegmentNotFound, "the path has no valid segment id");
        ready(
            parse_parameter(request, "segment_id")
                .map(Self)
                .ok_or_else(no_id),
        )
    }
}

impl FromRequest for JobIdPath {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let no_id = || ApiError::new(Code::JobNotFound, "the path has no valid job id");
        ready(
            parse_parameter(request, "job_id")
                .map(Self)
                .ok_or_else(no_id),
        )
    }
}

impl FromRequest for ClipIdPath {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let no_id = || ApiError::new(Code::ClipNotFound, "the path has no valid clip id");
        ready(
            parse_parameter(request, "clip_id")
                .map(Self)
                .ok_or_else(no_id),
        )
    }
}

fn parse_parameter<T: FromStr>(request: &HttpRequest, part: &str) -> Option<T> {
    request.match_info().get(part)?.parse().ok()
}
