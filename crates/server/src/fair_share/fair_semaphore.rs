//! A semaphore whose waiters take turns by their callers.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::caller_share::CallerShare;

/// A semaphore. The callers that wait take turns, and the requests of one caller are in order of
/// arrival. So a caller waits for at most one request of each other caller, however many these
/// have.
#[derive(Debug)]
pub(crate) struct FairSemaphore {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    available: usize,
    /// Callers with waiting requests; the next turn is the first one's.
    turns: VecDeque<CallerShare>,
    /// Never empty for a caller in `turns`, and absent for others.
    queues: HashMap<CallerShare, VecDeque<Request>>,
    /// The number of the last request that had to wait.
    last_number: u64,
}

/// A waiting request.
#[derive(Debug)]
struct Request {
    /// In order of arrival.
    number: u64,
    units: usize,
    grant: oneshot::Sender<FairPermit>,
}

/// Permission to use units of a semaphore. Dropping it returns them.
#[derive(Debug)]
pub(crate) struct FairPermit {
    semaphore: Arc<FairSemaphore>,
    units: usize,
}

impl FairSemaphore {
    pub(crate) fn new(units: usize) -> Self {
        Self {
            state: Mutex::new(State {
                available: units,
                turns: VecDeque::new(),
                queues: HashMap::new(),
                last_number: 0,
            }),
        }
    }

    /// Takes units without waiting; `None` if too few are free, or if a request waits already.
    pub(crate) fn try_acquire(self: &Arc<Self>, units: usize) -> Option<FairPermit> {
        let mut state = self.state.lock();
        if !state.turns.is_empty() || state.available < units {
            return None;
        }
        state.available -= units;
        Some(self.permit(units))
    }

    /// Waits for units, which must not be more than there are in all, in the turn of the
    /// [current caller](CallerShare::current). Dropping the future gives the place up.
    pub(crate) async fn acquire(self: &Arc<Self>, units: usize) -> FairPermit {
        loop {
            if let Some(permit) = self.try_acquire(units) {
                return permit;
            }
            let place = self.wait(CallerShare::current(), units);
            if let Some(permit) = place.granted().await {
                return permit;
            }
        }
    }

    /// The number of free units.
    #[cfg(test)]
    pub(crate) fn available(&self) -> usize {
        self.state.lock().available
    }

    fn permit(self: &Arc<Self>, units: usize) -> FairPermit {
        FairPermit {
            semaphore: Arc::clone(self),
            units,
        }
    }

    fn wait(self: &Arc<Self>, caller: CallerShare, units: usize) -> Place {
        let (grant, granted) = oneshot::channel();
        let mut state = self.state.lock();
        state.last_number += 1;
        let number = state.last_number;
        let queue = state.queues.entry(caller.clone()).or_default();
        let is_first = queue.is_empty();
        queue.push_back(Request {
            number,
            units,
            grant,
        });
        if is_first {
            state.turns.push_back(caller.clone());
        }
        // Units may have been returned since they were asked for.
        self.grant(&mut state);
        Place {
            semaphore: Arc::clone(self),
            caller,
            number,
            granted: Some(granted),
        }
    }

    /// Gives free units to those whose turn it is. A request for many units is not overtaken by
    /// later ones for few, which could go on for ever.
    fn grant(self: &Arc<Self>, state: &mut State) {
        while let Some(caller) = state.turns.front() {
            let Some(queue) = state.queues.get_mut(caller) else {
                state.turns.pop_front();
                continue;
            };
            let Some(request) = queue.pop_front_if(|next| next.units <= state.available) else {
                return;
            };
            let is_empty = queue.is_empty();
            if let Some(caller) = state.turns.pop_front() {
                if is_empty {
                    state.queues.remove(&caller);
                } else {
                    state.turns.push_back(caller);
                }
            }
            match request.grant.send(self.permit(request.units)) {
                Ok(()) => state.available -= request.units,
                // The request was given up. Its units were not counted yet.
                Err(mut permit) => permit.units = 0,
            }
        }
    }

    fn give_up(self: &Arc<Self>, caller: &CallerShare, number: u64) {
        let mut state = self.state.lock();
        let Some(queue) = state.queues.get_mut(caller) else {
            return;
        };
        if let Ok(place) = queue.binary_search_by_key(&number, |request| request.number) {
            queue.remove(place);
        }
        if queue.is_empty() {
            state.queues.remove(caller);
            state.turns.retain(|waiting| waiting != caller);
        }
        // It may have been a request for many units, behind which others waited.
        self.grant(&mut state);
    }

    fn give_back(self: &Arc<Self>, units: usize) {
        if units > 0 {
            let mut state = self.state.lock();
            state.available += units;
            self.grant(&mut state);
        }
    }
}

/// The place of a waiting request. Dropping it gives the place up.
struct Place {
    semaphore: Arc<FairSemaphore>,
    caller: CallerShare,
    number: u64,
    granted: Option<oneshot::Receiver<FairPermit>>,
}

impl Place {
    async fn granted(mut self) -> Option<FairPermit> {
        let granted = self.granted.as_mut()?;
        let permit = granted.await.ok();
        self.granted = None;
        permit
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.granted.take().is_some() {
            self.semaphore.give_up(&self.caller, self.number);
        }
    }
}

impl FairPermit {
    /// The number of units.
    pub(crate) fn units(&self) -> usize {
        self.units
    }

    /// Keeps `units`, and returns the others.
    pub(crate) fn shrink_to(&mut self, units: usize) {
        let returned = self.units.saturating_sub(units);
        self.units -= returned;
        self.semaphore.give_back(returned);
    }
}

impl Drop for FairPermit {
    fn drop(&mut self) {
        self.semaphore.give_back(self.units);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::{Pin, pin};
    use std::task::{Context, Poll, Waker};

    use super::*;

    /// The permit; `None` while the wait is pending.
    fn poll(wait: Pin<&mut impl Future<Output = FairPermit>>) -> Option<FairPermit> {
        match wait.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(permit) => Some(permit),
            Poll::Pending => None,
        }
    }

    async fn acquire(semaphore: Arc<FairSemaphore>, caller: &str, units: usize) -> FairPermit {
        let share = CallerShare::named(caller);
        share.scope(semaphore.acquire(units)).await
    }

    #[test]
    fn callers_take_turns_and_the_requests_of_one_are_in_order() {
        let semaphore = Arc::new(FairSemaphore::new(1));
        let held = semaphore.try_acquire(1).unwrap();
        let mut waits = ["a", "a", "a", "b", "b", "c"]
            .map(|caller| Box::pin(acquire(Arc::clone(&semaphore), caller, 1)));
        for wait in &mut waits {
            assert!(poll(wait.as_mut()).is_none());
        }
        let mut order = Vec::new();
        drop(held);
        for _ in 0..waits.len() {
            let mut waits = waits.iter_mut().enumerate();
            let next = waits.find_map(|(i, wait)| {
                if order.contains(&i) {
                    return None;
                }
                Some((i, poll(wait.as_mut())?))
            });
            order.push(next.unwrap().0);
        }
        assert_eq!(order, [0, 3, 5, 1, 4, 2]);
        assert_eq!(semaphore.available(), 1);
    }

    #[test]
    fn a_large_request_is_not_overtaken_and_gives_its_place_up() {
        let semaphore = Arc::new(FairSemaphore::new(4));
        let held = semaphore.try_acquire(3).unwrap();
        let mut small = Box::pin(acquire(Arc::clone(&semaphore), "b", 1));
        {
            let large = pin!(acquire(Arc::clone(&semaphore), "a", 4));
            assert!(poll(large).is_none());
            assert!(poll(small.as_mut()).is_none());
            assert!(semaphore.try_acquire(1).is_none());
        }
        assert!(poll(small.as_mut()).is_some());
        drop(held);
        assert_eq!(semaphore.available(), 4);
    }

    #[test]
    fn units_are_returned_when_a_granted_request_is_given_up_or_a_permit_shrinks() {
        let semaphore = Arc::new(FairSemaphore::new(4));
        let mut held = semaphore.try_acquire(4).unwrap();
        let mut first = Box::pin(acquire(Arc::clone(&semaphore), "a", 2));
        let mut second = Box::pin(acquire(Arc::clone(&semaphore), "a", 2));
        assert!(poll(first.as_mut()).is_none());
        assert!(poll(second.as_mut()).is_none());
        held.shrink_to(2);
        assert_eq!((held.units(), semaphore.available()), (2, 0));
        drop(first);
        assert!(poll(second.as_mut()).is_some());
        drop(held);
        assert_eq!(semaphore.available(), 4);
    }
}
