//! The handle through which routes reach live updates.

use std::sync::Arc;

use super::config::LiveConfig;
use super::hub::Hub;
use super::slots::Seats;
use crate::metrics::Metrics;

/// All that a server has for those who watch.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) hub: Arc<Hub>,
    pub(crate) seats: Seats,
    pub(crate) config: LiveConfig,
    pub(super) metrics: Metrics,
}

impl Live {
    pub(crate) fn new(config: LiveConfig, metrics: Metrics) -> Self {
        Self {
            hub: Arc::default(),
            seats: Seats::new(config.max_watchers, metrics.clone()),
            config,
            metrics,
        }
    }
}
