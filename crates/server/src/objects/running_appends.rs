//! The requests of this server that append to resumable uploads, one for each upload.
//!
//! When a connection breaks, a client continues on a new one, while the server may still
//! wait for bytes on the old one. So a new request ends the earlier one, which stores what
//! it has received. Among servers, the lease in the database lets one request append.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use lectern_api::Code;
use lectern_domain::JobId;
use parking_lot::Mutex;
use tokio::sync::{self, OwnedMutexGuard, watch};
use tokio::time::timeout;

use crate::http::error::ApiError;

/// Upper bound of the wait for the end of an earlier request.
const MAX_WAIT: Duration = Duration::from_secs(10);

/// The uploads that requests append to, or wait for.
#[derive(Debug, Clone, Default)]
pub(super) struct RunningAppends(Arc<Mutex<HashMap<JobId, Arc<Upload>>>>);

#[derive(Debug)]
struct Upload {
    /// Held by the request that appends.
    lock: Arc<sync::Mutex<()>>,
    /// The number of the newest request.
    newest: watch::Sender<u64>,
}

/// The right to append, among the requests of this server.
#[derive(Debug)]
pub(super) struct Turn {
    number: u64,
    newest: watch::Receiver<u64>,
    _guard: OwnedMutexGuard<()>,
    _registered: Registered,
}

/// Removes the upload from the map when no request uses it.
#[derive(Debug)]
struct Registered {
    job_id: JobId,
    upload: Arc<Upload>,
    all: RunningAppends,
}

impl RunningAppends {
    /// Ends the requests that append to the upload, and waits for them.
    ///
    /// Fails if a newer request arrives meanwhile, or the wait is too long.
    pub(super) async fn take_turn(&self, job_id: JobId) -> Result<Turn, ApiError> {
        let registered = self.register(job_id);
        let mut number = 0;
        registered.upload.newest.send_modify(|newest| {
            *newest += 1;
            number = *newest;
        });
        let newest = registered.upload.newest.subscribe();
        let lock = Arc::clone(&registered.upload.lock).lock_owned();
        let guard = timeout(MAX_WAIT, lock).await.map_err(|_| superseded())?;
        if *newest.borrow() != number {
            return Err(superseded());
        }
        Ok(Turn {
            number,
            newest,
            _guard: guard,
            _registered: registered,
        })
    }

    fn register(&self, job_id: JobId) -> Registered {
        let mut uploads = self.0.lock();
        let upload = uploads.entry(job_id).or_insert_with(|| {
            Arc::new(Upload {
                lock: Arc::default(),
                newest: watch::Sender::new(0),
            })
        });
        Registered {
            job_id,
            upload: Arc::clone(upload),
            all: self.clone(),
        }
    }
}

impl Turn {
    /// Waits until a newer request wants to append.
    pub(super) async fn superseded(&mut self) -> ApiError {
        let number = self.number;
        // The sender lives as long as the turn.
        let _ = self.newest.wait_for(|newest| *newest != number).await;
        superseded()
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        let mut uploads = self.all.0.lock();
        // One reference in the map and one here.
        if Arc::strong_count(&self.upload) <= 2 {
            uploads.remove(&self.job_id);
        }
    }
}

fn superseded() -> ApiError {
    let detail = "another request continues this upload; try again when that has ended";
    ApiError::new(Code::UploadInProgress, detail)
}

#[cfg(test)]
mod tests {
    use lectern_domain::SystemClock;

    use super::*;

    #[actix_web::test]
    async fn a_new_request_ends_the_earlier_one() {
        let running = RunningAppends::default();
        let job_id = JobId::new(&SystemClock);
        let mut first = running.take_turn(job_id).await.unwrap();
        let other = running.take_turn(JobId::new(&SystemClock)).await;
        let second = running.take_turn(job_id);
        let end_first = async {
            let error = first.superseded().await;
            drop(first);
            error.code()
        };
        let (second, ended) = tokio::join!(second, end_first);
        assert_eq!(ended, Code::UploadInProgress);
        drop((second.unwrap(), other.unwrap()));
        assert!(running.0.lock().is_empty());
    }

    #[actix_web::test]
    async fn only_the_newest_of_several_waiting_requests_continues() {
        let running = RunningAppends::default();
        let job_id = JobId::new(&SystemClock);
        let first = running.take_turn(job_id).await.unwrap();
        let waiting = || async { running.take_turn(job_id).await.map(drop) };
        let end_first = async { drop(first) };
        let (second, third, ()) = tokio::join!(waiting(), waiting(), end_first);
        assert_eq!(second.unwrap_err().code(), Code::UploadInProgress);
        third.unwrap();
        assert!(running.0.lock().is_empty());
    }
}
