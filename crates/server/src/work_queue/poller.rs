//! Finds work that other processes have made ready.

use std::time::Duration;

use crate::database::failure_log::FailureLog;
use crate::database::handle::DatabaseHandle;
use crate::work_queue::waiting_claims::WaitingClaims;

/// How often the database is asked while somebody waits.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// Asks the database for all who wait, every half second, and not at all while
/// nobody does. Never ends.
pub(crate) async fn poll_claimable_stages(claims: &WaitingClaims, db: &DatabaseHandle) {
    let mut failures = FailureLog::new("looking for work");
    loop {
        claims.has_waiters.notified().await;
        loop {
            tokio::time::sleep(POLL_INTERVAL).await;
            let wanted_stages = claims.wanted_stages();
            if wanted_stages.is_empty() {
                break;
            }
            let ready = db
                .read_committed(
                    move |conn| Ok(conn.stage_runs().claimable(&wanted_stages)?),
                    |ready| ready,
                )
                .await;
            if let Some(ready) = failures.record(ready) {
                claims.notify(&ready);
            }
        }
    }
}
