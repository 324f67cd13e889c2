//! Requests to renew all leases after a time in which their holders could not extend
//! them.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::outages_on_this_thread;

/// Counts the requests to renew all leases. A request that comes while a transaction
/// answers an earlier one stays pending.
#[derive(Default)]
pub(crate) struct LeaseRenewal {
    requested: AtomicU64,
    /// The last request that a committed transaction has answered.
    answered: AtomicU64,
}

impl LeaseRenewal {
    pub(crate) fn request(&self) {
        self.requested.fetch_add(1, Ordering::Relaxed);
    }

    /// The last request if it is pending.
    pub(crate) fn pending(&self) -> Option<u64> {
        let requested = self.requested.load(Ordering::Relaxed);
        (requested > self.answered.load(Ordering::Relaxed)).then_some(requested)
    }

    /// Called after the commit of a transaction that has renewed all leases.
    pub(crate) fn answer(&self, request: u64) {
        self.answered.fetch_max(request, Ordering::Relaxed);
    }

    /// Returns a guard that requests a renewal when it is dropped, if the database was
    /// unavailable to this thread in the meantime.
    pub(crate) fn watch(&self) -> OutageWatch<'_> {
        OutageWatch {
            renewal: self,
            outages: outages_on_this_thread(),
        }
    }
}

/// See [`LeaseRenewal::watch`].
pub(crate) struct OutageWatch<'r> {
    renewal: &'r LeaseRenewal,
    outages: u64,
}

impl Drop for OutageWatch<'_> {
    fn drop(&mut self) {
        if outages_on_this_thread() > self.outages {
            self.renewal.request();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_during_a_renewal_stays_pending() {
        let renewal = LeaseRenewal::default();
        assert_eq!(renewal.pending(), None);
        renewal.request();
        let first = renewal.pending();
        renewal.request();
        renewal.answer(first.expect("it was requested"));
        assert!(renewal.pending().is_some());
    }
}
