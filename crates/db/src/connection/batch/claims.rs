//! Batches claims that are made at the same time.
//!
//! Concurrent claims skip each other's locked jobs, and most of the cost of a
//! claim does not depend on the number of runs it takes. So only a few claims
//! of a process run at once. A claim that arrives meanwhile queues, and the next
//! one to run serves all queued claims for the same stages in its transaction.

use std::collections::VecDeque;
use std::iter;
use std::mem;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use lectern_domain::{Claim, ClaimLimit, ClaimRequest};
use parking_lot::Mutex;

use crate::error::Error;

/// The greatest number of runs that one transaction claims.
const MAX_RUNS: i64 = ClaimLimit::MAX;

/// The claims of one process.
#[derive(Debug)]
pub(crate) struct ClaimBatcher(Mutex<State>);

#[derive(Debug)]
struct State {
    permits: usize,
    /// Permits not in use.
    free: usize,
    /// Incremented when the permits are replaced.
    generation: u64,
    queue: VecDeque<Queued>,
}

#[derive(Debug)]
struct Queued {
    request: ClaimRequest,
    reply: SyncSender<Reply>,
}

/// The reply to a queued claim. The sender is dropped without one if the
/// transaction that served the claim failed.
#[derive(Debug)]
enum Reply {
    /// The claim may run.
    Run(Permit),
    /// Another claim's transaction served it.
    Claimed(Vec<Claim>),
    /// The transaction's other claims took all runs that it could lock. The jobs
    /// that it skipped may have more.
    TryAgain,
}

/// The permission to claim. A dropped permit goes to the first claim in the queue.
#[derive(Debug)]
struct Permit {
    batcher: Arc<ClaimBatcher>,
    generation: u64,
}

impl ClaimBatcher {
    pub(crate) fn new(permits: usize) -> Arc<Self> {
        let state = State {
            permits,
            free: permits,
            generation: 0,
            queue: VecDeque::new(),
        };
        Arc::new(Self(Mutex::new(state)))
    }

    /// Serves a request, alone or together with queued requests. `claim_batch` serves
    /// several requests for the same stages in one transaction, and returns the claims
    /// of each in the order of the requests.
    pub(crate) fn claim(
        self: &Arc<Self>,
        request: &ClaimRequest,
        claim_batch: impl Fn(&[ClaimRequest]) -> Result<Vec<Vec<Claim>>, Error>,
    ) -> Result<Vec<Claim>, Error> {
        let claim_alone = || {
            let claims = claim_batch(std::slice::from_ref(request))?;
            Ok(claims.into_iter().flatten().collect())
        };
        loop {
            let permit = match self.acquire_or_enqueue(request) {
                Ok(permit) => permit,
                Err(reply) => match reply.recv() {
                    Ok(Reply::Run(permit)) => permit,
                    Ok(Reply::Claimed(claims)) => return Ok(claims),
                    Ok(Reply::TryAgain) => continue,
                    // The database may be down. Queueing again could mean waiting
                    // for the timeouts of several claims.
                    Err(_) => return claim_alone(),
                },
            };
            let others = self.take_matching(request);
            if others.is_empty() {
                return claim_alone();
            }
            let requests: Vec<_> = iter::once(request)
                .chain(others.iter().map(|other| &other.request))
                .cloned()
                .collect();
            let mut claims = claim_batch(&requests)?.into_iter();
            drop(permit);
            let own = claims.next().unwrap_or_default();
            let claims: Vec<_> = claims.collect();
            let none_claimed = own.is_empty() && claims.iter().all(Vec::is_empty);
            for (other, claims) in others.into_iter().zip(claims) {
                let reply = if claims.is_empty() && !none_claimed {
                    Reply::TryAgain
                } else {
                    Reply::Claimed(claims)
                };
                // Does not block: the channel has capacity 1.
                let _ = other.reply.send(reply);
            }
            if none_claimed || !own.is_empty() {
                return Ok(own);
            }
        }
    }

    /// Replaces all permits, because a claim to which the database does not respond
    /// keeps its permit. Each queued claim then runs alone, without a permit.
    pub(crate) fn replace_permits(&self) {
        let mut state = self.0.lock();
        state.free = state.permits;
        state.generation += 1;
        state.queue.clear();
    }

    fn acquire_or_enqueue(
        self: &Arc<Self>,
        request: &ClaimRequest,
    ) -> Result<Permit, Receiver<Reply>> {
        let mut state = self.0.lock();
        if state.free > 0 {
            state.free -= 1;
            return Ok(Permit {
                batcher: Arc::clone(self),
                generation: state.generation,
            });
        }
        let (reply, receiver) = sync_channel(1);
        let request = request.clone();
        state.queue.push_back(Queued { request, reply });
        Err(receiver)
    }

    /// Takes the queued claims for the same stages, up to [`MAX_RUNS`].
    fn take_matching(&self, request: &ClaimRequest) -> Vec<Queued> {
        let mut state = self.0.lock();
        let mut remaining = MAX_RUNS - max_runs(request);
        let fits = |other: &Queued| {
            let fits =
                other.request.stages == request.stages && max_runs(&other.request) <= remaining;
            if fits {
                remaining -= max_runs(&other.request);
            }
            fits
        };
        let (taken, rest) = mem::take(&mut state.queue).into_iter().partition(fits);
        state.queue = rest;
        Vec::from(taken)
    }
}

fn max_runs(request: &ClaimRequest) -> i64 {
    i64::try_from(request.max.get()).unwrap_or(i64::MAX)
}

impl Drop for Permit {
    fn drop(&mut self) {
        let next = {
            let mut state = self.batcher.0.lock();
            if state.generation != self.generation {
                return;
            }
            let next = state.queue.pop_front();
            if next.is_none() {
                state.free += 1;
            }
            next
        };
        if let Some(next) = next {
            let permit = Self {
                batcher: Arc::clone(&self.batcher),
                generation: self.generation,
            };
            let _ = next.reply.send(Reply::Run(permit));
        }
    }
}
