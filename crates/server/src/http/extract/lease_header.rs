//! Leases in requests of workers.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::HeaderName;
use actix_web::{FromRequest, HttpRequest};
use lectern_api::Code;
use lectern_db::{JobRef, Tx};
use lectern_domain::{JobId, LeaseId, Stage};

use crate::http::error::ApiError;

pub(crate) const LEASE_ID: HeaderName = HeaderName::from_static("lease-id");

/// The lease id of the path. A malformed id is reported like an unknown lease.
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

/// `Lease-Id`: the lease under which a write is made, if any.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LeaseHeader(Option<LeaseId>);

impl LeaseHeader {
    pub(crate) fn id(self) -> Option<LeaseId> {
        self.0
    }

    /// Checks that the write is allowed. `owners` are the stages that write this data. If
    /// the request has a lease, it must be a live lease of this job. If the request has no
    /// lease, no stage of `owners` may be leased. The result holds until the transaction
    /// ends.
    pub(crate) fn check(
        self,
        tx: &mut Tx<'_>,
        job_id: JobId,
        owners: &[Stage],
    ) -> Result<JobRef, ApiError> {
        if self.0.is_none() && owners.is_empty() {
            return Ok(job_id.into());
        }
        Ok(tx.work().guard(job_id, owners, self.0)?.into())
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

fn unknown_lease() -> ApiError {
    ApiError::new(Code::LeaseLost, "unknown or expired lease id")
}
