//! Operations that the database executes together with those of concurrent requests.

use std::sync::Arc;
use std::time::Instant;

use lectern_db::Database;
use lectern_domain::{
    Claim, ClaimRequest, Heartbeat, Job, JobId, LeaseId, LeaseState, NewJob, ProgressReport,
    StageNotes, StageRun,
};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::handle::{Access, CALL_TIMEOUT, DatabaseHandle};
use crate::http::error::ApiError;

/// Receives the result of an operation.
type Reply<T> = Box<dyn FnOnce(Result<T, lectern_db::Error>) + Send>;

impl DatabaseHandle {
    /// The job with this id. Concurrent lookups share a query.
    pub(crate) async fn find_job(&self, job_id: JobId) -> Result<Option<Job>, ApiError> {
        self.call_batched(Access::Read, |database, reply| {
            database.find_job_then(job_id, reply);
        })
        .await
    }

    /// Creates a job. Concurrent creations share a transaction.
    pub(crate) async fn create_job(&self, job: NewJob) -> Result<Job, ApiError> {
        self.call_batched(Access::Write, |database, reply| {
            database.create_job_then(job, reply);
        })
        .await
    }

    /// Checks the lease, if any, and stores a report of progress. Concurrent reports share
    /// a transaction.
    pub(crate) async fn report_progress(
        &self,
        job_id: JobId,
        lease_id: Option<LeaseId>,
        report: ProgressReport,
    ) -> Result<Job, ApiError> {
        self.call_batched(Access::Write, |database, reply| {
            database.report_progress_then(job_id, lease_id, report, reply);
        })
        .await
    }

    /// Claims stage runs for a worker. Concurrent claims share a transaction.
    ///
    /// If this future is dropped, because the worker has closed the connection, while the
    /// claim is queued, nothing is claimed.
    pub(crate) async fn claim(&self, request: ClaimRequest) -> Result<Vec<Claim>, ApiError> {
        let caller = Arc::new(());
        let weak = Arc::downgrade(&caller);
        let is_wanted = move || weak.strong_count() > 0;
        let claims = self.call_batched(Access::Write, |database, reply| {
            database.claim_then(request, is_wanted, reply);
        });
        let claims = claims.await;
        drop(caller);
        claims
    }

    /// Extends a lease. Concurrent heartbeats share a transaction.
    pub(crate) async fn heartbeat(
        &self,
        lease_id: LeaseId,
        heartbeat: Heartbeat,
    ) -> Result<LeaseState, ApiError> {
        self.call_batched(Access::Write, |database, reply| {
            database.heartbeat_then(lease_id, heartbeat, reply);
        })
        .await
    }

    /// Completes a stage. Concurrent completions share a transaction.
    pub(crate) async fn complete_stage(
        &self,
        lease_id: LeaseId,
        notes: StageNotes,
    ) -> Result<(Job, StageRun), ApiError> {
        self.call_batched(Access::Write, |database, reply| {
            database.complete_stage_then(lease_id, notes, reply);
        })
        .await
    }

    /// Submits an operation that the database executes together with others, on threads of
    /// its own, and waits for the result until the deadline.
    async fn call_batched<T>(
        &self,
        access: Access,
        submit: impl FnOnce(&Database, Reply<T>),
    ) -> Result<T, ApiError>
    where
        T: Send + 'static,
    {
        let limit = self.admission_timeout() + CALL_TIMEOUT;
        let started = Instant::now();
        let (sender, receiver) = oneshot::channel();
        submit(
            &self.database,
            Box::new(move |result| drop(sender.send(result))),
        );
        let result = match timeout(limit, receiver).await {
            Ok(Ok(result)) => result.map_err(ApiError::from),
            Ok(Err(_)) => Err(access.abandoned()),
            Err(_) => {
                self.database.replace_connections(started);
                Err(access.abandoned())
            }
        };
        if access == Access::Write {
            self.record_write(result.as_ref().err());
        }
        result
    }
}
