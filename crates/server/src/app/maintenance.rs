//! Periodic tasks: expired leases, outdated rows, and uploads that have expired.

use std::time::{Duration, SystemTime};

use chrono::TimeDelta;
use tokio::time::{MissedTickBehavior, interval};

use crate::database::failure_log::FailureLog;
use crate::database::handle::DatabaseHandle;
use crate::database::stored_sets::delete_hidden_rows;
use crate::http::error::ApiError;
use crate::objects::expired_uploads;
use crate::objects::handle::Objects;

const LEASE_SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// A longer pause between two sweeps means that this process was suspended or could not
/// reach the database, so heartbeats may have failed.
const MAX_SWEEP_PAUSE: Duration = Duration::from_secs(3);

/// How long a session is kept after it has expired: its owner is told that it has.
const SESSION_RETENTION: TimeDelta = TimeDelta::days(1);

const ABANDONED_COPIES_INTERVAL: Duration = Duration::from_secs(5);

const HIDDEN_ROWS_INTERVAL: Duration = Duration::from_secs(10);

const PRUNE_INTERVAL: Duration = Duration::from_hours(1);

/// How long rows are kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Retention {
    /// Of events, after their job has finished.
    pub(crate) events: Duration,
    /// Of entries of the audit.
    pub(crate) audit: Duration,
}

/// Runs maintenance tasks until the future is dropped.
pub(crate) async fn run_maintenance(db: &DatabaseHandle, objects: &Objects, retention: Retention) {
    tokio::join!(
        sweep_leases(db),
        end_abandoned_copies(db),
        delete_hidden(db),
        prune(db, objects, retention)
    );
}

/// Ends transactions whose servers were suspended, or lost their network, while they sent
/// rows. Such a transaction would keep its job locked.
async fn end_abandoned_copies(db: &DatabaseHandle) {
    let mut failures = FailureLog::new("ending abandoned statements");
    let mut ticks = interval(ABANDONED_COPIES_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let ended = db
            .read_committed(|conn| Ok(conn.end_abandoned_copies()?), |count| count)
            .await;
        if let Some(count @ 1..) = failures.record(ended) {
            log::warn!("ended {count} sessions that had stopped in the middle of sending rows");
        }
    }
}

/// Deletes the rows of large sets that were replaced, or whose writer has failed, on SQLite. Reads
/// before it writes: usually a request has deleted them itself.
async fn delete_hidden(db: &DatabaseHandle) {
    let mut failures = FailureLog::new("deleting replaced rows");
    let mut ticks = interval(HIDDEN_ROWS_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let found = db
            .read_committed(|conn| Ok(conn.row_sets().any_hidden()?), |found| found)
            .await;
        let deleted = match found {
            Ok(true) => delete_hidden_rows(db, None).await,
            Ok(false) => Ok(0),
            Err(error) => Err(error),
        };
        failures.record(deleted);
    }
}

/// Returns runs with expired leases to the queue. Reads before it writes, so that it
/// takes no lock when there is nothing to do.
async fn sweep_leases(db: &DatabaseHandle) {
    let mut failures = FailureLog::new("sweeping expired leases");
    let mut ticks = interval(LEASE_SWEEP_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last_sweep = SystemTime::now();
    loop {
        ticks.tick().await;
        let now = SystemTime::now();
        let pause = now.duration_since(last_sweep).unwrap_or_default();
        last_sweep = now;
        if pause > MAX_SWEEP_PAUSE {
            db.renew_leases_before_expiry();
        }
        let swept = sweep(db).await;
        if let Some(count @ 1..) = failures.record(swept) {
            log::info!("{count} leases expired");
        }
    }
}

/// Sweeps repeatedly, because one transaction ends a limited number of leases. Returns
/// the total.
async fn sweep(db: &DatabaseHandle) -> Result<usize, ApiError> {
    let mut swept = 0;
    loop {
        let found = db.read_committed(|conn| Ok(conn.stage_runs().any_expired()?), |found| found);
        if !found.await? && !db.are_leases_in_doubt() {
            return Ok(swept);
        }
        match db
            .write(|tx| Ok(tx.work().expire()?), |count| count)
            .await?
        {
            // Another server has expired them meanwhile.
            0 => return Ok(swept),
            count => swept += count,
        }
    }
}

async fn prune(db: &DatabaseHandle, objects: &Objects, retention: Retention) {
    let mut event_failures = FailureLog::new("removing old events");
    let mut upload_failures = FailureLog::new("clearing uploads that have expired");
    let mut key_failures = FailureLog::new("removing old idempotency keys");
    let mut session_failures = FailureLog::new("removing old sessions");
    let mut audit_failures = FailureLog::new("removing old entries of the audit");
    // A retention too long for a `TimeDelta` keeps everything.
    let [event_retention, audit_retention] = [retention.events, retention.audit]
        .map(|retention| TimeDelta::from_std(retention).unwrap_or(TimeDelta::MAX));
    let mut ticks = interval(PRUNE_INTERVAL);
    loop {
        ticks.tick().await;
        let events = db
            .write(
                move |tx| Ok(tx.job_events().prune(event_retention)?),
                |count| count,
            )
            .await;
        if let Some(count @ 1..) = event_failures.record(events) {
            log::info!("removed {count} old events of finished jobs");
        }
        let uploads = expired_uploads::clear(db, objects).await;
        if let Some(count @ 1..) = upload_failures.record(uploads) {
            log::info!("cleared {count} uploads that have expired");
        }
        let keys = db
            .write(|tx| Ok(tx.idempotency_keys().prune()?), |count| count)
            .await;
        if let Some(count @ 1..) = key_failures.record(keys) {
            log::info!("removed {count} old idempotency keys");
        }
        let sessions = db
            .write(
                |tx| Ok(tx.api_keys().prune_sessions(SESSION_RETENTION)?),
                |count| count,
            )
            .await;
        if let Some(count @ 1..) = session_failures.record(sessions) {
            log::info!("removed {count} old sessions");
        }
        let entries = db
            .write(
                move |tx| Ok(tx.audit_entries().prune(audit_retention)?),
                |count| count,
            )
            .await;
        if let Some(count @ 1..) = audit_failures.record(entries) {
            log::info!("removed {count} old entries of the audit");
        }
    }
}
