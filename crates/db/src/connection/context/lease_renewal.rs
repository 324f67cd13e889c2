//! Requests to renew all leases after a time in which workers could not extend their
//! leases.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::outages_on_this_thread;

/// Counts the requests to renew all leases. A request that arrives while a transaction
/// renews the leases for an earlier request stays pending.
#[derive(Default)]
pub(crate) struct LeaseRenewal {
    requested: AtomicU64,
    /// The last request for which a committed transaction has renewed all leases.
    renewed: AtomicU64,
}

impl LeaseRenewal {
    pub(crate) fn request(&self) {
        self.requested.fetch_add(1, Ordering::Relaxed);
    }

    /// The number of the last request, if this request is pending.
    pub(crate) fn pending(&self) -> Option<u64> {
        let requested = self.requested.load(Ordering::Relaxed);
        (requested > self.renewed.load(Ordering::Relaxed)).then_some(requested)
    }

    /// Records that a committed transaction has renewed all leases for `request`.
    pub(crate) fn mark_renewed(&self, request: u64) {
        self.renewed.fetch_max(request, Ordering::Relaxed);
    }

    /// Returns a guard. Dropping the guard requests a renewal if the database was
    /// unavailable to this thread since the guard was created.
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
        renewal.mark_renewed(first.expect("a renewal was requested"));
        assert!(renewal.pending().is_some());
    }
}
