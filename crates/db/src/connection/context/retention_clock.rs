//! The clock by which rows become old enough to be deleted, on SQLite.

use std::sync::OnceLock;
use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};

/// Starts at the latest time stored in the database, and advances by the time that has
/// elapsed in this process. So no rows are deleted when the machine's clock jumps days
/// ahead, and rows are kept longer by the time in which no process had the database
/// open.
#[derive(Default)]
pub(crate) struct RetentionClock(OnceLock<(DateTime<Utc>, Instant)>);

impl RetentionClock {
    /// The earlier of `now` and this clock's time. The first call starts the clock at
    /// `latest_stored`.
    pub(crate) fn clamp_now<E>(
        &self,
        now: DateTime<Utc>,
        latest_stored: impl FnOnce() -> Result<Option<DateTime<Utc>>, E>,
    ) -> Result<DateTime<Utc>, E> {
        let (start, opened) = if let Some(start) = self.0.get() {
            *start
        } else {
            let start = latest_stored()?.unwrap_or(now);
            *self.0.get_or_init(|| (start, Instant::now()))
        };
        let elapsed = TimeDelta::from_std(opened.elapsed()).unwrap_or(TimeDelta::MAX);
        let time = start.checked_add_signed(elapsed);
        Ok(time.map_or(now, |time| time.min(now)))
    }
}
