//! The server's worker as threads of the server's process.

use std::thread::JoinHandle;

use lectern_media::CancellationToken;
use lectern_worker::Worker;

/// A worker in this process, for a database that no other process can open. It is
/// stopped when this value is dropped.
#[derive(Debug)]
pub(super) struct WorkerThread {
    cancellation: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl WorkerThread {
    pub(super) fn start(worker: Worker) -> anyhow::Result<Self> {
        let cancellation = worker.cancellation().clone();
        let thread = std::thread::Builder::new()
            .name("worker".into())
            .spawn(move || {
                if let Err(error) = worker.run() {
                    log::error!("the worker failed: {error}");
                }
            })?;
        Ok(Self {
            cancellation,
            thread: Some(thread),
        })
    }

    /// Lets the worker return its stages.
    pub(super) fn stop(&self) {
        self.cancellation.cancel();
    }
}

impl Drop for WorkerThread {
    fn drop(&mut self) {
        self.stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
