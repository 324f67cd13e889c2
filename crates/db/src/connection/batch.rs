//! Claims that come at the same time, served by one transaction.
//!
//! Two claims that run side by side have to look past each other's jobs, and
//! most of what one costs does not depend on how much it takes. So only a few
//! have a turn; whoever comes meanwhile waits for one of them to end, and the
//! next turn takes everybody along who wants the same stages.

use std::collections::VecDeque;
use std::iter;
use std::mem;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lectern_domain::{Claim, ClaimLimit, ClaimRequest};

use crate::error::Error;

/// Runs that one transaction hands out at most.
const AT_ONCE: i64 = ClaimLimit::MAX;

/// The turns of one process to claim.
#[derive(Debug)]
pub(crate) struct ClaimBatcher(Mutex<State>);

#[derive(Debug)]
struct State {
    /// Turns nobody has.
    free: usize,
    waiting: VecDeque<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    request: ClaimRequest,
    tell: SyncSender<Told>,
}

/// What one who waits is told. Nothing at all, if the turn that took him along
/// came to nothing.
#[derive(Debug)]
enum Told {
    /// That it is his turn.
    Turn(Turn),
    /// What another has claimed for him.
    Claimed(Vec<Claim>),
    /// That others got all there was to have: there may be more where they
    /// could not look.
    Again,
}

/// The right to claim, which goes to the next in line when it is dropped.
#[derive(Debug)]
struct Turn(Arc<ClaimBatcher>);

impl ClaimBatcher {
    /// With so many turns at once.
    pub(crate) fn new(turns: usize) -> Arc<Self> {
        let state = State {
            free: turns,
            waiting: VecDeque::new(),
        };
        Arc::new(Self(Mutex::new(state)))
    }

    /// Claims by `commit`, alone or together with others. It is given requests
    /// for the same stages, and answers each in its order.
    pub(crate) fn claim(
        self: &Arc<Self>,
        request: &ClaimRequest,
        commit: impl Fn(&[ClaimRequest]) -> Result<Vec<Vec<Claim>>, Error>,
    ) -> Result<Vec<Claim>, Error> {
        let alone = || {
            let claims = commit(std::slice::from_ref(request))?;
            Ok(claims.into_iter().flatten().collect())
        };
        loop {
            let turn = match self.enter(request) {
                Ok(turn) => turn,
                Err(told) => match told.recv() {
                    Ok(Told::Turn(turn)) => turn,
                    Ok(Told::Claimed(claims)) => return Ok(claims),
                    Ok(Told::Again) => continue,
                    // Not in line once more: whoever is there may have to wait
                    // long for a database that is away.
                    Err(_) => return alone(),
                },
            };
            let others = self.take_along(request);
            if others.is_empty() {
                return alone();
            }
            let requests: Vec<_> = iter::once(request)
                .chain(others.iter().map(|other| &other.request))
                .cloned()
                .collect();
            let mut claims = commit(&requests)?.into_iter();
            drop(turn);
            let own = claims.next().unwrap_or_default();
            let claims: Vec<_> = claims.collect();
            let nothing = own.is_empty() && claims.iter().all(Vec::is_empty);
            for (other, claims) in others.into_iter().zip(claims) {
                let told = if claims.is_empty() && !nothing {
                    Told::Again
                } else {
                    Told::Claimed(claims)
                };
                // It has room for one, and nobody who waits goes away.
                let _ = other.tell.send(told);
            }
            if nothing || !own.is_empty() {
                return Ok(own);
            }
        }
    }

    /// A turn, or a place in line.
    fn enter(self: &Arc<Self>, request: &ClaimRequest) -> Result<Turn, Receiver<Told>> {
        let mut state = self.state();
        if state.free > 0 {
            state.free -= 1;
            return Ok(Turn(Arc::clone(self)));
        }
        let (tell, told) = sync_channel(1);
        let request = request.clone();
        state.waiting.push_back(Waiting { request, tell });
        Err(told)
    }

    /// Those in line who want the same stages, as many as one transaction can
    /// serve.
    fn take_along(&self, request: &ClaimRequest) -> Vec<Waiting> {
        let mut state = self.state();
        let mut left = AT_ONCE - rows_of(request);
        let fits = |other: &Waiting| {
            let fits = other.request.stages == request.stages && rows_of(&other.request) <= left;
            if fits {
                left -= rows_of(&other.request);
            }
            fits
        };
        let (along, stay) = mem::take(&mut state.waiting).into_iter().partition(fits);
        state.waiting = stay;
        Vec::from(along)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn rows_of(request: &ClaimRequest) -> i64 {
    i64::try_from(request.max.get()).unwrap_or(i64::MAX)
}

impl Drop for Turn {
    fn drop(&mut self) {
        let next = {
            let mut state = self.0.state();
            let next = state.waiting.pop_front();
            if next.is_none() {
                state.free += 1;
            }
            next
        };
        if let Some(next) = next {
            let _ = next.tell.send(Told::Turn(Turn(Arc::clone(&self.0))));
        }
    }
}
