//! Operations on leases that share statements with those of concurrent callers.

use std::sync::Arc;

use lectern_domain::{
    Claim, ClaimRequest, Heartbeat, Job, LeaseId, LeaseState, StageNotes, StageRun,
};

use crate::connection::Database;
use crate::connection::batch::{self, Execute, OfOwner, QueuedClaim, executed};
use crate::connection::owner_batches::execute_of_first_owner;
use crate::error::Error;

impl Database {
    /// Claims runs for a worker, as [`Work::claim`](crate::Work::claim). Concurrent calls
    /// share a transaction.
    ///
    /// # Errors
    ///
    /// [`Error::NestedWrite`] within [`Database::write`].
    pub fn claim(&self, request: &ClaimRequest) -> Result<Vec<Claim>, Error> {
        self.refuse_nested_write()?;
        batch::wait(|reply| self.claim_then(request.clone(), || true, reply))
    }

    /// Like [`Database::claim`], but does not wait; see [`Database::find_job_then`].
    /// Claims nothing if `is_wanted` returns false when the claim is executed, because the
    /// caller no longer waits for the result.
    pub fn claim_then(
        &self,
        request: ClaimRequest,
        is_wanted: impl Fn() -> bool + Send + Sync + 'static,
        reply: impl FnOnce(Result<Vec<Claim>, Error>) + Send + 'static,
    ) {
        let execute = || -> Execute<OfOwner<QueuedClaim>, Vec<Claim>> {
            let db = self.for_batches();
            Arc::new(move |claims, _| {
                execute_of_first_owner(&db, claims, |db, claims| {
                    let requests: Vec<_> = claims
                        .iter()
                        .map(|claim| (claim.is_wanted)().then_some(&claim.request))
                        .collect();
                    if requests.iter().all(Option::is_none) {
                        return Ok(executed(requests.iter().map(|_| Ok(Vec::new()))));
                    }
                    db.write(|tx| tx.work().claim_all(&requests))
                })
            })
        };
        let claim = self.of_owner(QueuedClaim {
            request,
            is_wanted: Box::new(is_wanted),
        });
        self.batchers.claims.submit(claim, Box::new(reply), execute);
    }

    /// Extends a lease, as [`Work::heartbeat`](crate::Work::heartbeat). Concurrent calls
    /// share a transaction.
    ///
    /// # Errors
    ///
    /// [`Error::NestedWrite`] within [`Database::write`]; [`Error::LeaseLost`].
    pub fn heartbeat(&self, lease_id: LeaseId, heartbeat: Heartbeat) -> Result<LeaseState, Error> {
        self.refuse_nested_write()?;
        batch::wait(|reply| self.heartbeat_then(lease_id, heartbeat, reply))
    }

    /// Like [`Database::heartbeat`], but does not wait; see [`Database::find_job_then`].
    pub fn heartbeat_then(
        &self,
        lease_id: LeaseId,
        heartbeat: Heartbeat,
        reply: impl FnOnce(Result<LeaseState, Error>) + Send + 'static,
    ) {
        let execute = || -> Execute<OfOwner<(LeaseId, Heartbeat)>, LeaseState> {
            let db = self.for_batches();
            Arc::new(move |heartbeats, mode| {
                execute_of_first_owner(&db, heartbeats, |db, heartbeats| {
                    let heartbeats = heartbeats.iter().map(|(lease_id, beat)| (*lease_id, beat));
                    let heartbeats: Vec<_> = heartbeats.collect();
                    db.write(|tx| tx.work().heartbeat_all(&heartbeats, mode))
                })
            })
        };
        let batcher = &self.batchers.heartbeats;
        batcher.submit(
            self.of_owner((lease_id, heartbeat)),
            Box::new(reply),
            execute,
        );
    }

    /// Completes a stage, as [`Work::complete`](crate::Work::complete). Concurrent calls
    /// share a transaction.
    ///
    /// # Errors
    ///
    /// [`Error::NestedWrite`] within [`Database::write`]; [`Error::LeaseLost`].
    pub fn complete_stage(
        &self,
        lease_id: LeaseId,
        notes: StageNotes,
    ) -> Result<(Job, StageRun), Error> {
        self.refuse_nested_write()?;
        batch::wait(|reply| self.complete_stage_then(lease_id, notes, reply))
    }

    /// Like [`Database::complete_stage`], but does not wait; see
    /// [`Database::find_job_then`].
    pub fn complete_stage_then(
        &self,
        lease_id: LeaseId,
        notes: StageNotes,
        reply: impl FnOnce(Result<(Job, StageRun), Error>) + Send + 'static,
    ) {
        let execute = || -> Execute<OfOwner<(LeaseId, StageNotes)>, (Job, StageRun)> {
            let db = self.for_batches();
            Arc::new(move |stages, mode| {
                execute_of_first_owner(&db, stages, |db, stages| {
                    let stages = stages.iter().map(|(lease_id, notes)| (*lease_id, notes));
                    let stages: Vec<_> = stages.collect();
                    db.write(|tx| tx.work().complete_all(&stages, mode))
                })
            })
        };
        let batcher = &self.batchers.completions;
        batcher.submit(self.of_owner((lease_id, notes)), Box::new(reply), execute);
    }
}
