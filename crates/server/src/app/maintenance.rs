//! What has to be done though nobody asks for it.

use std::time::Duration;

use chrono::TimeDelta;
use tokio::time::{MissedTickBehavior, interval};

use crate::database::failure_log::FailureLog;
use crate::database::handle::DatabaseHandle;
use crate::http::error::ApiError;

/// How often leases are looked after.
const LEASE_SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// How often what is out of date is removed.
const PRUNE_INTERVAL: Duration = Duration::from_hours(1);

/// Keeps house for as long as it is polled. Events of a job are kept for
/// `retention` after its end.
pub(crate) async fn run_maintenance(db: &DatabaseHandle, retention: Duration) {
    tokio::join!(sweep_leases(db), prune(db, retention));
}

/// Puts back the runs whose workers have not been heard of. It looks before it
/// writes, so as not to hold anybody up.
async fn sweep_leases(db: &DatabaseHandle) {
    let mut failures = FailureLog::new("sweeping expired leases");
    let mut ticks = interval(LEASE_SWEEP_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let swept = sweep(db).await;
        if let Some(count @ 1..) = failures.record(swept) {
            log::info!("{count} leases have expired");
        }
    }
}

/// Tells how many there were.
async fn sweep(db: &DatabaseHandle) -> Result<usize, ApiError> {
    let mut swept = 0;
    loop {
        let found = db.read_committed(|conn| Ok(conn.stage_runs().any_expired()?), |found| found);
        if !found.await? {
            return Ok(swept);
        }
        match db
            .write(|tx| Ok(tx.work().expire()?), |count| count)
            .await?
        {
            // Somebody else is at it.
            0 => return Ok(swept),
            count => swept += count,
        }
    }
}

async fn prune(db: &DatabaseHandle, retention: Duration) {
    let mut event_failures = FailureLog::new("removing old events");
    let mut key_failures = FailureLog::new("removing old idempotency keys");
    // Beyond the beginning of time nothing is old.
    let retention = TimeDelta::from_std(retention).unwrap_or(TimeDelta::MAX);
    let mut ticks = interval(PRUNE_INTERVAL);
    loop {
        ticks.tick().await;
        let events = db
            .write(
                move |tx| Ok(tx.job_events().prune(retention)?),
                |count| count,
            )
            .await;
        if let Some(count @ 1..) = event_failures.record(events) {
            log::info!("{count} events of finished jobs were old");
        }
        let keys = db
            .write(|tx| Ok(tx.idempotency_keys().prune()?), |count| count)
            .await;
        if let Some(count @ 1..) = key_failures.record(keys) {
            log::info!("{count} idempotency keys were old");
        }
    }
}
