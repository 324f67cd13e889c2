//! Polls for stage runs that other processes, expired leases and elapsed retry
//! delays have made ready.

use std::time::Duration;

use crate::database::failure_log::FailureLog;
use crate::database::handle::DatabaseHandle;
use crate::work_queue::waiting_claims::WaitingClaims;

/// Time between two polls while a claim waits.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// Polls on behalf of all waiting claims; sends no query while none waits. Never
/// returns.
pub(crate) async fn poll_claimable_stages(claims: &WaitingClaims, db: &DatabaseHandle) {
    let mut failures = FailureLog::new("looking for work");
    loop {
        claims.wait_started.notified().await;
        loop {
            tokio::time::sleep(POLL_INTERVAL).await;
            let wanted_stages = claims.wanted_stages();
            if wanted_stages.is_empty() {
                break;
            }
            let ready = db.claimable(&wanted_stages).await;
            if let Some(ready) = failures.record(ready) {
                claims.notify(&ready);
            }
        }
    }
}
