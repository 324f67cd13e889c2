//! Queues the changes of each job.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use lectern_api::Code;
use lectern_domain::OwnerName;
use parking_lot::Mutex;
use uuid::Uuid;

use crate::fair_share::{FairPermit, FairSemaphore};
use crate::http::error::ApiError;

/// Lower bound of the number of queues at which unused queues are removed.
const MIN_QUEUES_TO_PURGE: usize = 64;

/// Admits one change of each job at a time. The database locks the job's row, so changes
/// of one job cannot run concurrently. If the changes waited for the lock in the database,
/// a job that stays locked would occupy every connection.
#[derive(Debug, Default)]
pub(crate) struct PerJobQueues(Mutex<Queues>);

#[derive(Debug, Default)]
struct Queues {
    /// The key is the id of the job, or of the lease if the job is not known yet, and the
    /// owner of the caller: a caller to whom the job is unknown does not wait for its changes.
    by_id: HashMap<(Option<OwnerName>, Uuid), Weak<FairSemaphore>>,
    /// The number of queues that remained after the last removal of unused queues.
    remaining_after_purge: usize,
}

impl PerJobQueues {
    /// Waits until no other change of this job is in progress. Fails after `timeout`. The
    /// next change of the job waits until the permit is dropped.
    pub(crate) async fn acquire(
        &self,
        owner: Option<OwnerName>,
        id: Uuid,
        timeout: Duration,
    ) -> Result<FairPermit, ApiError> {
        let queue = self.queue((owner, id));
        let permit = tokio::time::timeout(timeout, queue.acquire(1)).await;
        permit.map_err(|_| {
            let detail = "other changes of this job are waiting for the database; try again";
            ApiError::new(Code::Overloaded, detail)
        })
    }

    fn queue(&self, id: (Option<OwnerName>, Uuid)) -> Arc<FairSemaphore> {
        let mut queues = self.0.lock();
        if let Some(queue) = queues.by_id.get(&id).and_then(Weak::upgrade) {
            return queue;
        }
        if queues.by_id.len() >= MIN_QUEUES_TO_PURGE.max(2 * queues.remaining_after_purge) {
            queues.by_id.retain(|_, queue| queue.strong_count() > 0);
            queues.remaining_after_purge = queues.by_id.len();
        }
        let queue = Arc::new(FairSemaphore::new(1));
        queues.by_id.insert(id, Arc::downgrade(&queue));
        queue
    }
}
