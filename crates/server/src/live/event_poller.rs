//! Polls the database for commits of other processes to watched jobs.

use std::sync::Arc;
use std::time::Duration;

use lectern_domain::JobId;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::hub::Hub;
use super::hub::buffer::StreamEnd;
use crate::database::failure_log::FailureLog;
use crate::database::handle::DatabaseHandle;
use crate::http::error::ApiError;

const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// Lower bound of the time between the starts of two polls, however many polls are
/// requested.
const MIN_POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Time between two checks that the watched jobs still exist. The check finds
/// deletions by other processes; deletions by this process are published at once.
const EXISTENCE_CHECK_INTERVAL: Duration = Duration::from_secs(5);

/// Upper bound of events per poll, for all jobs together.
const MAX_EVENTS: usize = 1_000;

/// Polls on behalf of all watchers with one query: every [`POLL_INTERVAL`], sooner
/// when an event is missing or the last poll reached [`MAX_EVENTS`], and not at all
/// without watchers. Never returns.
pub(crate) async fn poll_events(hub: &Arc<Hub>, db: &DatabaseHandle) {
    let mut failures = FailureLog::new("looking for new events");
    let mut next_existence_check = Instant::now();
    loop {
        while !hub.is_watched() {
            hub.poll_requested().await;
        }
        let started = Instant::now();
        let check_existence = started >= next_existence_check;
        if check_existence {
            next_existence_check = started + EXISTENCE_CHECK_INTERVAL;
        }
        let is_behind = match failures.record(poll(hub, db, check_existence).await) {
            Some(count) => count == MAX_EVENTS,
            None => false,
        };
        if !is_behind {
            let _: Result<(), _> = timeout_at(started + POLL_INTERVAL, hub.poll_requested()).await;
        }
        sleep_until(started + MIN_POLL_INTERVAL).await;
    }
}

/// Publishes new events and, with `check_existence`, ends the streams of deleted
/// jobs. Returns the number of new events.
async fn poll(
    hub: &Arc<Hub>,
    db: &DatabaseHandle,
    check_existence: bool,
) -> Result<usize, ApiError> {
    let last_seqs = hub.last_seqs();
    if last_seqs.is_empty() {
        return Ok(0);
    }
    let hub = Arc::clone(hub);
    let query = move |conn: &mut lectern_db::Reader<'_>| {
        let new = conn.job_events().newer(&last_seqs, MAX_EVENTS)?;
        let mut deleted: Vec<JobId> = Vec::new();
        if check_existence {
            let watched: Vec<JobId> = last_seqs.iter().map(|(job_id, _)| *job_id).collect();
            let existing = conn.jobs().existing(&watched)?;
            deleted = watched;
            deleted.retain(|job_id| !existing.contains(job_id));
        }
        Ok((new, deleted))
    };
    db.read(query, move |(new, deleted)| {
        hub.publish(&new);
        hub.end_streams(&deleted, StreamEnd::Deleted);
        new.len()
    })
    .await
}
