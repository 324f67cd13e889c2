//! Leases in requests of workers.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::HeaderName;
use actix_web::{FromRequest, HttpRequest};
use lectern_api::Code;
use lectern_db::{Conn, JobRef, Reader, Tx};
use lectern_domain::{JobId, LeaseId, Role, Stage, StageRun};

use crate::http::auth::Caller;
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

/// `Lease-Id`: the lease under which a write is made, if any, and whether the caller is a worker.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LeaseHeader {
    id: Option<LeaseId>,
    /// `None`: the caller is no worker, or no key was asked for.
    worker: Option<WorkerKey>,
}

/// The key of a worker.
#[derive(Debug, Clone, Copy)]
struct WorkerKey {
    /// For each of [`Stage::WORK`], whether the key is for the stage.
    stages: [bool; Stage::WORK.len()],
}

impl WorkerKey {
    fn of(request: &HttpRequest) -> Option<Self> {
        let caller = Caller::of(request)?;
        let data = &caller.key().data;
        let is_of = |stage: &Stage| {
            let stages = data.stages.as_ref();
            stages.is_none_or(|stages| stages.as_slice().contains(stage))
        };
        (data.role == Role::Worker).then(|| {
            let mut stages = [false; Stage::WORK.len()];
            for (allowed, stage) in stages.iter_mut().zip(Stage::WORK) {
                *allowed = is_of(stage);
            }
            Self { stages }
        })
    }

    fn is_for_any(self, wanted: &[Stage]) -> bool {
        let mut stages = Stage::WORK.iter().zip(self.stages);
        stages.any(|(stage, allowed)| allowed && wanted.contains(stage))
    }
}

impl LeaseHeader {
    pub(crate) fn id(self) -> Option<LeaseId> {
        self.id
    }

    /// As [`LeaseHeader::check`], for the output of `owners`. A worker stores it under the lease
    /// of one of them. If the pipeline of the job has none of them, the key must be for one.
    pub(crate) fn check_output(
        self,
        tx: &mut Tx<'_>,
        job_id: JobId,
        owners: &[Stage],
    ) -> Result<JobRef, ApiError> {
        let job = self.check(tx, job_id, owners)?;
        self.check_stage(tx, job_id, owners)?;
        Ok(job)
    }

    /// Whether [`LeaseHeader::check_output`] would succeed as of this snapshot. If not, it
    /// reports the error.
    pub(crate) fn allows_output(
        self,
        conn: &mut Reader<'_>,
        job_id: JobId,
        owners: &[Stage],
    ) -> Result<bool, ApiError> {
        let is_allowed = conn.passes_guard(job_id, owners, self.id)?
            && self.check_stage(conn, job_id, owners).is_ok();
        Ok(is_allowed)
    }

    /// Checks that a worker has the lease of one of `owners`, which is known to be live, or the
    /// key for one if the pipeline of the job has none of them.
    fn check_stage<Mode>(
        self,
        conn: &mut Conn<'_, Mode>,
        job_id: JobId,
        owners: &[Stage],
    ) -> Result<(), ApiError> {
        let Some(worker) = self.worker else {
            return Ok(());
        };
        let runs = conn.stage_runs().for_job(job_id)?;
        let mut of_owners = runs.iter().filter(|run| owners.contains(&run.stage));
        let has_lease = |run: &StageRun| {
            let lease_id = run.lease.map(|lease| lease.lease_id);
            lease_id.is_some() && lease_id == self.id
        };
        // A job without runs gets them when it is queued.
        let has_stage = runs.is_empty() || of_owners.clone().next().is_some();
        if has_stage && !of_owners.any(has_lease) {
            let owners: Vec<_> = owners.iter().map(Stage::to_string).collect();
            let detail = format!(
                "a worker stores this under the lease of the stage {}, with the header Lease-Id",
                owners.join(" or ")
            );
            return Err(ApiError::new(Code::LeaseRequired, detail));
        }
        if !has_stage && !worker.is_for_any(owners) {
            let detail = "the key is for other stages";
            return Err(ApiError::new(Code::ScopeMissing, detail));
        }
        Ok(())
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
        if self.id.is_none() && owners.is_empty() {
            return Ok(job_id.into());
        }
        Ok(tx.work().guard(job_id, owners, self.id)?.into())
    }
}

impl FromRequest for LeaseHeader {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let mut given = request.headers().get_all(LEASE_ID);
        let id = match (given.next(), given.next()) {
            (None, _) => Ok(None),
            (Some(id), None) => {
                let id = id.to_str().ok().and_then(|id| id.parse().ok());
                id.map(Some).ok_or_else(unknown_lease)
            }
            (Some(_), Some(_)) => Err(unknown_lease()),
        };
        ready(id.map(|id| Self {
            id,
            worker: WorkerKey::of(request),
        }))
    }
}

fn unknown_lease() -> ApiError {
    ApiError::new(Code::LeaseLost, "unknown or expired lease id")
}
