//! Looks for what other processes have done to the jobs watched here.

use std::sync::Arc;
use std::time::Duration;

use lectern_domain::JobId;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::buffer::End;
use super::hub::Hub;
use crate::database::failure_log::Outage;
use crate::database::handle::Db;
use crate::http::error::ApiError;

/// How often the database is asked.
const INTERVAL: Duration = Duration::from_millis(200);

/// The least time from one question to the next when something is missing.
const SPACING: Duration = Duration::from_millis(20);

/// How often it is asked whether the jobs are still there. What is deleted in
/// this process is known without.
const INVENTORY: Duration = Duration::from_secs(5);

/// How many events are read at once, for all jobs together.
const PAGE: usize = 1_000;

/// Asks the database on behalf of all who watch: one question every 200
/// milliseconds, sooner when an event shows that others before it are missing,
/// and none while nobody watches. Never ends.
pub(crate) async fn follow(hub: &Arc<Hub>, db: &Db) {
    let mut outage = Outage::of("looking for new events");
    let mut inventory = Instant::now();
    loop {
        while !hub.is_watched() {
            hub.called().await;
        }
        let asked = Instant::now();
        let whole = asked >= inventory;
        if whole {
            inventory = asked + INVENTORY;
        }
        let is_behind = match outage.note(ask(hub, db, whole).await) {
            Some(count) => count == PAGE,
            None => false,
        };
        if !is_behind {
            let _: Result<(), _> = timeout_at(asked + INTERVAL, hub.called()).await;
        }
        sleep_until(asked + SPACING).await;
    }
}

/// Asks for what is new and, if it is to be a `whole` look, for what is gone;
/// passes it on. Tells how many events were new.
async fn ask(hub: &Arc<Hub>, db: &Db, whole: bool) -> Result<usize, ApiError> {
    let seen = hub.cursors();
    if seen.is_empty() {
        return Ok(0);
    }
    let hub = Arc::clone(hub);
    let look = move |conn: &mut lectern_db::Reader<'_>| {
        let new = conn.job_events().newer(&seen, PAGE)?;
        let mut gone: Vec<JobId> = Vec::new();
        if whole {
            gone.extend(seen.iter().map(|(job_id, _)| *job_id));
            let there = conn.jobs().existing(&gone)?;
            gone.retain(|job_id| !there.contains(job_id));
        }
        Ok((new, gone))
    };
    db.read(look, move |(new, gone)| {
        hub.offer(&new);
        hub.end(&gone, End::Deleted);
        new.len()
    })
    .await
}
