//! Leases, as workers show them.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::HeaderName;
use actix_web::{FromRequest, HttpRequest};
use lectern_api::Code;
use lectern_db::{JobRef, Tx};
use lectern_domain::{JobId, LeaseId, Stage};

use crate::http::error::ApiError;

/// The header a lease travels in.
pub(crate) const LEASE_ID: HeaderName = HeaderName::from_static("lease-id");

/// The lease a path is about. What is no id can be the id of no lease.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LeaseIdPath(pub(crate) LeaseId);

impl FromRequest for LeaseIdPath {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let id = request.match_info().get("lease_id");
        ready(
            id.and_then(|id| id.parse().ok())
                .map(Self)
                .ok_or_else(unknown_lease),
        )
    }
}

/// `LeaseIdPath-JobIdPath`: the lease a write is made under, if it is made under one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LeaseHeader(Option<LeaseId>);

impl LeaseHeader {
    /// Makes sure that the write may be made: under a lease of this job that is
    /// live or, without one, while none of the stages that `own` what is written
    /// is leased. Whatever it finds holds until the transaction ends.
    pub(crate) fn check(
        self,
        tx: &mut Tx<'_>,
        job_id: JobId,
        own: &[Stage],
    ) -> Result<JobRef, ApiError> {
        if self.0.is_none() && own.is_empty() {
            return Ok(job_id.into());
        }
        Ok(tx.work().guard(job_id, own, self.0)?.into())
    }
}

impl FromRequest for LeaseHeader {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let mut given = request.headers().get_all(LEASE_ID);
        ready(match (given.next(), given.next()) {
            (None, _) => Ok(Self(None)),
            (Some(id), None) => {
                let id = id.to_str().ok().and_then(|id| id.parse().ok());
                id.map(|id| Self(Some(id))).ok_or_else(unknown_lease)
            }
            (Some(_), Some(_)) => Err(unknown_lease()),
        })
    }
}

/// No lease goes by this name.
fn unknown_lease() -> ApiError {
    ApiError::new(Code::LeaseLost, "what was shown as a lease is none")
}
