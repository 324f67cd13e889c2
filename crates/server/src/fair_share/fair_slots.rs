//! Slots for what callers hold for long.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::caller_share::CallerShare;

/// A bounded number of slots. If none is left, a caller gets one of the caller that has the most,
/// as long as that one still has no less than the first one then.
#[derive(Debug)]
pub(crate) struct FairSlots {
    count: usize,
    /// Upper bound of one caller's slots.
    quota: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The holders by their numbers, in order of arrival.
    holders: HashMap<u64, Arc<Notify>>,
    /// The numbers of each caller's holders; never empty.
    callers: HashMap<CallerShare, BTreeSet<u64>>,
    last_number: u64,
}

/// Why a caller gets no slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoSlot {
    /// None is left for this caller.
    Full,
    /// The caller has this many, and may have no more.
    QuotaReached(usize),
}

/// A slot. Dropping it frees the slot.
#[derive(Debug)]
pub(crate) struct FairSlot {
    slots: Arc<FairSlots>,
    caller: CallerShare,
    number: u64,
    lost: Arc<Notify>,
}

impl FairSlots {
    pub(crate) fn new(count: usize) -> Self {
        Self {
            count,
            quota: usize::MAX,
            state: Mutex::default(),
        }
    }

    /// The same slots, of which one caller may have no more than `quota`.
    pub(crate) fn with_quota(self, quota: Option<usize>) -> Self {
        Self {
            quota: quota.unwrap_or(usize::MAX),
            ..self
        }
    }

    /// Takes a slot for the [current caller](CallerShare::current).
    pub(crate) fn acquire(self: &Arc<Self>) -> Result<FairSlot, NoSlot> {
        let caller = CallerShare::current();
        let mut state = self.state.lock();
        if state.count_of(&caller) >= self.quota {
            return Err(NoSlot::QuotaReached(self.quota));
        }
        if state.holders.len() >= self.count && !state.take_from_largest(&caller) {
            return Err(NoSlot::Full);
        }
        state.last_number += 1;
        let (number, lost) = (state.last_number, Arc::new(Notify::new()));
        state.holders.insert(number, Arc::clone(&lost));
        let numbers = state.callers.entry(caller.clone()).or_default();
        numbers.insert(number);
        Ok(FairSlot {
            slots: Arc::clone(self),
            caller,
            number,
            lost,
        })
    }

    /// The number of slots that are taken.
    pub(crate) fn taken(&self) -> usize {
        self.state.lock().holders.len()
    }
}

impl State {
    fn count_of(&self, caller: &CallerShare) -> usize {
        self.callers.get(caller).map_or(0, BTreeSet::len)
    }

    /// Takes the newest slot of the caller with the most; `false` if that would only turn the
    /// two around.
    fn take_from_largest(&mut self, caller: &CallerShare) -> bool {
        let own = self.count_of(caller);
        let largest = self.callers.iter().max_by_key(|(_, numbers)| numbers.len());
        let Some((largest, numbers)) = largest else {
            return false;
        };
        let Some(&newest) = numbers.last().filter(|_| numbers.len() > own + 1) else {
            return false;
        };
        let largest = largest.clone();
        if let Some(lost) = self.remove(&largest, newest) {
            lost.notify_one();
        }
        true
    }

    fn remove(&mut self, caller: &CallerShare, number: u64) -> Option<Arc<Notify>> {
        if let Some(numbers) = self.callers.get_mut(caller) {
            numbers.remove(&number);
            if numbers.is_empty() {
                self.callers.remove(caller);
            }
        }
        self.holders.remove(&number)
    }
}

impl FairSlot {
    /// Waits until the slot is another caller's.
    pub(crate) fn lost(&self) -> impl Future<Output = ()> + Send + use<> {
        let lost = Arc::clone(&self.lost);
        async move { lost.notified().await }
    }
}

impl Drop for FairSlot {
    fn drop(&mut self) {
        self.slots.state.lock().remove(&self.caller, self.number);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn acquire(slots: &Arc<FairSlots>, caller: &str) -> Option<FairSlot> {
        try_acquire(slots, caller).ok()
    }

    fn try_acquire(slots: &Arc<FairSlots>, caller: &str) -> Result<FairSlot, NoSlot> {
        let acquire = async { slots.acquire() };
        let acquired = CallerShare::named(caller).scope(acquire);
        acquired.now_or_never().unwrap()
    }

    fn is_lost(slot: &FairSlot) -> bool {
        slot.lost().now_or_never().is_some()
    }

    #[test]
    fn a_caller_with_less_gets_slots_of_the_one_with_the_most() {
        let slots = Arc::new(FairSlots::new(4));
        let of_a: Vec<_> = (0..4).map(|_| acquire(&slots, "a").unwrap()).collect();
        assert!(acquire(&slots, "a").is_none());
        let first = acquire(&slots, "b").unwrap();
        let second = acquire(&slots, "b").unwrap();
        assert!(acquire(&slots, "b").is_none(), "both have two");
        let lost: Vec<_> = of_a.iter().map(is_lost).collect();
        assert_eq!(lost, [false, false, true, true], "the newest are lost");
        // A third caller gets a place of one of them.
        let third = acquire(&slots, "c").unwrap();
        assert_eq!(
            [is_lost(&of_a[1]), is_lost(&second)]
                .iter()
                .filter(|lost| **lost)
                .count(),
            1
        );
        drop((of_a, first, second, third));
        let again: Vec<_> = (0..4).map(|_| acquire(&slots, "a").unwrap()).collect();
        assert!(!again.iter().any(is_lost));
    }

    #[test]
    fn a_caller_has_no_more_than_its_quota_although_slots_are_left() {
        let slots = Arc::new(FairSlots::new(4).with_quota(Some(2)));
        let of_a = [try_acquire(&slots, "a"), try_acquire(&slots, "a")].map(Result::unwrap);
        let refused = try_acquire(&slots, "a").err();
        assert_eq!(refused, Some(NoSlot::QuotaReached(2)));
        let _of_b = try_acquire(&slots, "b").unwrap();
        drop(of_a);
        assert!(try_acquire(&slots, "a").is_ok());
    }

    #[test]
    fn without_slots_there_is_none_to_take() {
        assert!(acquire(&Arc::new(FairSlots::new(0)), "a").is_none());
    }
}
