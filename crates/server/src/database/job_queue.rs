//! Queues of the changes of one job.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use lectern_api::Code;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use crate::http::error::ApiError;

/// Unused queues are removed only when there are at least this many queues.
const MIN_QUEUES_TO_PURGE: usize = 64;

/// Lets the changes of one job through one at a time. The database locks the job's
/// row, so they could not run at once anyway: if they all waited there, a job that
/// stays locked would occupy every connection.
#[derive(Debug, Default)]
pub(crate) struct JobQueues(Mutex<Queues>);

#[derive(Debug, Default)]
struct Queues {
    /// By the id of the job, or of the lease if the job is not known yet.
    by_id: HashMap<Uuid, Weak<Semaphore>>,
    /// The number of queues that were left by the last purge.
    left_by_purge: usize,
}

impl JobQueues {
    /// Waits until no other change of this job is in progress, at most `timeout`.
    pub(crate) async fn turn(
        &self,
        id: Uuid,
        timeout: Duration,
    ) -> Result<OwnedSemaphorePermit, ApiError> {
        let turn = self.queue(id).acquire_owned();
        match tokio::time::timeout(timeout, turn).await {
            Ok(Ok(turn)) => Ok(turn),
            _ => Err(ApiError::new(
                Code::Overloaded,
                "other changes of this job are waiting for the database; try again",
            )),
        }
    }

    fn queue(&self, id: Uuid) -> Arc<Semaphore> {
        let mut queues = self.0.lock();
        if let Some(queue) = queues.by_id.get(&id).and_then(Weak::upgrade) {
            return queue;
        }
        if queues.by_id.len() >= MIN_QUEUES_TO_PURGE.max(2 * queues.left_by_purge) {
            queues.by_id.retain(|_, queue| queue.strong_count() > 0);
            queues.left_by_purge = queues.by_id.len();
        }
        let queue = Arc::new(Semaphore::new(1));
        queues.by_id.insert(id, Arc::downgrade(&queue));
        queue
    }
}
