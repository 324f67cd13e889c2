//! Finds work that other processes have made ready.

use std::time::Duration;

use crate::database::failure_log::Outage;
use crate::database::handle::Db;
use crate::work_queue::waiting_claims::Board;

/// How often the database is asked while somebody waits.
const INTERVAL: Duration = Duration::from_millis(500);

/// Asks the database for all who wait, every half second, and not at all while
/// nobody does. Never ends.
pub(crate) async fn watch(board: &Board, db: &Db) {
    let mut outage = Outage::of("looking for work");
    loop {
        board.occupied.notified().await;
        loop {
            tokio::time::sleep(INTERVAL).await;
            let wanted = board.wanted();
            if wanted.is_empty() {
                break;
            }
            let ready = db
                .read(
                    move |conn| Ok(conn.stage_runs().claimable(&wanted)?),
                    |ready| ready,
                )
                .await;
            if let Some(ready) = outage.note(ready) {
                board.tell(&ready);
            }
        }
    }
}
