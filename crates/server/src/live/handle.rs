//! The handle through which routes reach live updates.

use std::sync::Arc;

use super::connection_slots::ConnectionSlots;
use super::feed::Feed;
use super::hub::Hub;
use super::limits::LiveConfig;
use crate::metrics::Metrics;

/// Shared state of live updates.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) hub: Arc<Hub>,
    pub(crate) feed: Arc<Feed>,
    pub(crate) slots: ConnectionSlots,
    pub(crate) config: LiveConfig,
    pub(super) metrics: Metrics,
}

impl Live {
    /// `quota`: the upper bound of one caller's live connections.
    pub(crate) fn new(config: LiveConfig, quota: Option<usize>, metrics: Metrics) -> Self {
        Self {
            hub: Arc::default(),
            feed: Arc::default(),
            slots: ConnectionSlots::new(config.max_watchers, quota, metrics.clone()),
            config,
            metrics,
        }
    }
}
