//! Makes a complete upload the recording of its job, or a file that a worker has made.

use std::mem;
use std::sync::Arc;

use actix_web::web;
use lectern_api::Code;
use lectern_db::{Error as DbError, Tx};
use lectern_domain::{Job, JobId, JobStatus};
use lectern_storage::{Error as StorageError, ObjectKey, ReceivedObject};
use parking_lot::Mutex;

use crate::database::handle::DatabaseHandle;
use crate::http::error::ApiError;
use crate::objects::error::STORAGE_UNAVAILABLE;

/// What an upload becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UploadPurpose {
    /// The recording of a pending job.
    Recording,
    /// A file of a job that a worker works on, such as a clip.
    WorkerFile,
}

impl UploadPurpose {
    /// The purpose of an upload to `key`. The recording of a job is the only object that
    /// is uploaded for it before it is queued.
    pub(crate) fn of(key: &ObjectKey, job: &Job) -> Self {
        let recording = job.original_s3_key.as_ref();
        if recording.is_some_and(|recording| recording.as_str() == key.as_str()) {
            Self::Recording
        } else {
            Self::WorkerFile
        }
    }
}

/// Stores a file that a worker has made. A transaction locks the job's row, so that the job is
/// not deleted meanwhile.
pub(crate) async fn store_worker_file(
    db: &DatabaseHandle,
    job_id: JobId,
    object: ReceivedObject,
) -> Result<(), ApiError> {
    let upload = CompleteUpload(Mutex::new(State::Received(object)));
    let publish = move |tx: &mut Tx<'_>| {
        let job = lock(tx, job_id)?;
        check_running(job_id, job.as_ref())?;
        match upload.publish()? {
            Outcome::Published => Ok(()),
            Outcome::RecordingExists | Outcome::FailedBefore => {
                Err(ApiError::new(Code::Overloaded, STORAGE_UNAVAILABLE))
            }
        }
    };
    let db = db.one_at_a_time_for(job_id.as_uuid());
    db.write(publish, |()| ()).await
}

/// Stores the recording of a pending job.
///
/// A transaction locks the job's row, so that no server confirms or deletes the job
/// between the check of the job's status and the replacement of the recording.
///
/// If the database does not respond, the recording is stored only if the job has no
/// recording yet, because such a job cannot have been confirmed. The job may have been
/// deleted; `lectern gc` then removes the recording.
pub(crate) async fn store(
    db: &DatabaseHandle,
    job_id: JobId,
    object: ReceivedObject,
) -> Result<(), ApiError> {
    let upload = Arc::new(CompleteUpload(Mutex::new(State::Received(object))));
    let stored = {
        let upload = Arc::clone(&upload);
        let replace = move |tx: &mut Tx<'_>| {
            lock_pending(tx, job_id)?;
            match upload.publish()? {
                Outcome::Published => Ok(()),
                Outcome::RecordingExists | Outcome::FailedBefore => {
                    Err(ApiError::new(Code::Overloaded, STORAGE_UNAVAILABLE))
                }
            }
        };
        let db = db.one_at_a_time_for(job_id.as_uuid());
        db.write(replace, |()| ()).await
    };
    let error = match stored {
        Ok(()) => return Ok(()),
        Err(error) if error.is_unavailable() => error,
        Err(error) => return Err(error),
    };
    match web::block(move || upload.publish_new()).await?? {
        Outcome::Published => {
            log::warn!(job_id:%; "the recording is stored without the database: {}", error.chain());
            Ok(())
        }
        Outcome::RecordingExists => Err(error.with_detail(
            "the server cannot check whether this recording may replace the recording that was \
             uploaded before; confirm the earlier recording, or send this one again",
        )),
        Outcome::FailedBefore => Err(error),
    }
}

/// Locks the row of a job. Fails if the job no longer waits for its recording.
fn lock_pending(tx: &mut Tx<'_>, job_id: JobId) -> Result<(), ApiError> {
    let job = lock(tx, job_id)?;
    check_pending(job_id, job.as_ref())
}

/// Locks the row of a job, if there is one.
fn lock(tx: &mut Tx<'_>, job_id: JobId) -> Result<Option<Job>, ApiError> {
    match tx.lock_job(job_id) {
        Ok(_) => Ok(tx.jobs().find(job_id)?),
        Err(DbError::JobNotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Fails if no worker can be working on a job, or if it does not exist.
pub(crate) fn check_running(job_id: JobId, job: Option<&Job>) -> Result<(), ApiError> {
    match job.map(|job| job.status) {
        Some(JobStatus::Running) => Ok(()),
        Some(status) => {
            let detail = format!("job {job_id} is {status}; no worker works on it");
            Err(ApiError::new(Code::LeaseLost, detail))
        }
        None => Err(ApiError::no_object()),
    }
}

/// Fails if a job no longer waits for its recording, or does not exist.
pub(crate) fn check_pending(job_id: JobId, job: Option<&Job>) -> Result<(), ApiError> {
    match job.map(|job| job.status) {
        Some(JobStatus::Pending) => Ok(()),
        Some(status) => {
            let detail =
                format!("job {job_id} is {status}; its recording can no longer be replaced");
            Err(ApiError::new(Code::IllegalTransition, detail))
        }
        None => Err(ApiError::no_object()),
    }
}

/// An upload that is published at most once: in the transaction, or after the transaction
/// has failed. The lock is necessary because the transaction may still be running on its
/// thread when the request has already received an error.
struct CompleteUpload(Mutex<State>);

enum State {
    Received(ReceivedObject),
    Published,
    Failed,
}

/// The outcome of publishing an upload.
enum Outcome {
    Published,
    /// The job has a recording, which was not replaced.
    RecordingExists,
    /// An earlier attempt to publish this upload has failed.
    FailedBefore,
}

impl CompleteUpload {
    /// Makes the upload the job's recording and replaces an earlier recording. Blocks.
    fn publish(&self) -> Result<Outcome, StorageError> {
        self.publish_with(|object| object.publish().map(|()| true))
    }

    /// Makes the upload the job's recording if the job has none. Blocks.
    fn publish_new(&self) -> Result<Outcome, StorageError> {
        self.publish_with(ReceivedObject::publish_new)
    }

    /// `publish` returns `false` if the job has a recording, which was not replaced.
    fn publish_with(
        &self,
        publish: impl FnOnce(ReceivedObject) -> Result<bool, StorageError>,
    ) -> Result<Outcome, StorageError> {
        let mut state = self.0.lock();
        match mem::replace(&mut *state, State::Failed) {
            State::Received(object) => {
                if !publish(object)? {
                    return Ok(Outcome::RecordingExists);
                }
                *state = State::Published;
                Ok(Outcome::Published)
            }
            State::Published => {
                *state = State::Published;
                Ok(Outcome::Published)
            }
            State::Failed => Ok(Outcome::FailedBefore),
        }
    }
}
