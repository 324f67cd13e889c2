//! Appends the bodies of requests to resumable uploads, and makes a complete upload the
//! recording of its job.

use std::pin::pin;
use std::time::{Duration, Instant};

use actix_web::web;
use chrono::TimeDelta;
use futures_util::StreamExt as _;
use lectern_api::{Code, TusChecksum};
use lectern_db::{AppendStart, Tx};
use lectern_domain::{
    AppendId, AppendedBytes, FileSize, Job, JobId, JobStatus, MultipartId, ResumableUpload,
};
use lectern_storage::{Append, ObjectKey, ResumableState};
use ring::digest;

use super::handle::{Objects, STORAGE_TIMEOUT, within};
use super::running_appends::Turn;
use super::store_recording::check_pending;
use crate::database::handle::DatabaseHandle;
use crate::http::error::ApiError;
use crate::http::memory_budget::MemoryPermit;

/// How often the received bytes are recorded, so that they need not be sent again.
const RECORD_INTERVAL: Duration = Duration::from_secs(2);

/// How long other servers wait for a request that receives nothing, before one of them
/// takes over the upload.
const LEASE: TimeDelta = TimeDelta::seconds(6);
const LEASE_DURATION: Duration = Duration::from_secs(6);

/// Upper bound of the time to complete an upload in a bucket.
const COMPLETION_TIMEOUT: Duration = Duration::from_mins(1);

/// The recording that a resumable upload is for.
#[derive(Debug, Clone)]
pub(crate) struct Recording {
    pub(crate) job_id: JobId,
    pub(crate) key: ObjectKey,
    /// In bytes.
    pub(crate) size: u64,
}

impl Recording {
    /// `None` if the job was not created for an upload.
    pub(crate) fn of(job: &Job) -> Option<Self> {
        Some(Self {
            job_id: job.job_id,
            key: ObjectKey::try_from(job.original_s3_key.clone()?).ok()?,
            size: job.file_size.map(FileSize::get)?.unsigned_abs(),
        })
    }
}

/// The body of a request, to be appended at an offset.
pub(crate) struct Body {
    pub(crate) offset: u64,
    pub(crate) payload: web::Payload,
    pub(crate) checksum: Option<Checksum>,
}

/// The expected checksum of a body.
pub(crate) struct Checksum {
    context: digest::Context,
    expected: Vec<u8>,
}

impl TryFrom<TusChecksum> for Checksum {
    type Error = ApiError;

    fn try_from(checksum: TusChecksum) -> Result<Self, ApiError> {
        let algorithm = match &*checksum.algorithm {
            "sha1" => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            "sha256" => &digest::SHA256,
            "sha512" => &digest::SHA512,
            _ => {
                let known = lectern_api::TUS_CHECKSUM_ALGORITHMS;
                let detail = format!("the algorithm must be one of {known}");
                return Err(ApiError::new(Code::ChecksumNotSupported, detail));
            }
        };
        Ok(Self {
            context: digest::Context::new(algorithm),
            expected: checksum.hash,
        })
    }
}

impl Checksum {
    fn check(self) -> Result<(), ApiError> {
        if self.context.finish().as_ref() == self.expected {
            return Ok(());
        }
        let detail = "the body has another checksum; nothing of it was kept";
        Err(ApiError::new(Code::ChecksumMismatch, detail))
    }
}

impl Objects {
    /// Begins a resumable upload of an object. Returns the id of a multipart upload in a
    /// bucket.
    pub(crate) async fn begin_resumable(
        &self,
        key: &ObjectKey,
    ) -> Result<Option<MultipartId>, ApiError> {
        within(STORAGE_TIMEOUT, self.storage.begin_resumable(key)).await
    }
}

/// Appends a body to an upload, and finishes the upload when it is complete. Returns the
/// upload as it then is.
///
/// What has arrived is kept if the body breaks off, unless it has a checksum.
pub(crate) async fn append(
    db: &DatabaseHandle,
    objects: &Objects,
    recording: &Recording,
    body: Body,
) -> Result<ResumableUpload, ApiError> {
    let job_id = recording.job_id;
    let _permit = match objects.storage.append_memory(recording.size) {
        Some(bytes) => objects.part_memory.for_request(bytes).await?,
        None => MemoryPermit::default(),
    };
    let turn = objects.running_appends.take_turn(job_id).await?;
    let append_id = db.new_append_id();
    let (upload, parts) = begin(db, job_id, append_id, body.offset).await?;
    let appending = Appending {
        db,
        objects,
        recording,
        append_id,
        turn,
    };
    let tail = upload.tail;
    let appended = appending.receive(upload, parts, body).await;
    let (upload, received) = match appended {
        Ok(appended) => appended,
        Err(error) => {
            // Without this, other servers would wait until the lease expires.
            let end = move |tx: &mut Tx<'_>| Ok(tx.uploads().end_append(job_id, append_id)?);
            if let Err(failure) = db.write(end, |()| ()).await {
                log::debug!(job_id:%; "the lease of an append expires by itself: {failure}");
            }
            return Err(error);
        }
    };
    if let Some(tail) = tail
        && upload.tail != Some(tail)
    {
        delete_tail(objects, job_id, tail).await;
    }
    received?;
    if upload.received == recording.size {
        finish(db, objects, recording, &upload).await?;
    }
    Ok(upload)
}

/// Takes the lease of an upload. Returns the upload, and the number of its parts.
async fn begin(
    db: &DatabaseHandle,
    job_id: JobId,
    append_id: AppendId,
    offset: u64,
) -> Result<(ResumableUpload, usize), ApiError> {
    let begin = move |tx: &mut Tx<'_>| {
        check_pending(job_id, tx.jobs().find(job_id)?.as_ref())?;
        let start = tx
            .uploads()
            .begin_append(job_id, append_id, offset, LEASE)?;
        let parts = tx.uploads().parts(job_id)?.len();
        Ok((start, parts))
    };
    let (start, parts) = db.write(begin, |begun| begun).await?;
    match start {
        AppendStart::Granted(upload) => Ok((upload, parts)),
        AppendStart::Leased => Err(lease_lost()),
        AppendStart::Refused(upload) => {
            check_not_expired(&upload)?;
            Err(wrong_offset(&upload))
        }
        AppendStart::NotFound => Err(no_upload(job_id)),
    }
}

/// A request that has the lease of an upload.
struct Appending<'a> {
    db: &'a DatabaseHandle,
    objects: &'a Objects,
    recording: &'a Recording,
    append_id: AppendId,
    turn: Turn,
}

impl Appending<'_> {
    /// Returns the upload as it then is, and why the body broke off if it did.
    async fn receive(
        mut self,
        upload: ResumableUpload,
        parts: usize,
        body: Body,
    ) -> Result<(ResumableUpload, Result<(), ApiError>), ApiError> {
        let Recording { job_id, key, size } = self.recording;
        let state = ResumableState {
            size: *size,
            received: upload.received,
            multipart_id: upload.multipart_id,
            parts,
            tail: upload
                .tail
                .map(|tail| ObjectKey::upload_tail(*job_id, tail)),
        };
        let tail = ObjectKey::upload_tail(*job_id, self.append_id);
        let storage = &self.objects.storage;
        let mut append = within(STORAGE_TIMEOUT, storage.append(key, &state, tail)).await?;
        let mut checksum = body.checksum;
        let has_checksum = checksum.is_some();
        let received = self
            .receive_chunks(&mut append, body.payload, &mut checksum)
            .await;
        if has_checksum {
            // What has arrived is discarded: it is not recorded.
            received.clone()?;
            checksum.map_or(Ok(()), Checksum::check)?;
        }
        let upload = self.record_end(append.finish().await?).await?;
        Ok((upload, received))
    }

    /// Writes the chunks of a body until it ends, or another request wants to append.
    async fn receive_chunks(
        &mut self,
        append: &mut Append,
        payload: web::Payload,
        checksum: &mut Option<Checksum>,
    ) -> Result<(), ApiError> {
        let mut chunks = pin!(self.objects.chunks(payload));
        let mut recorded_at = Instant::now();
        loop {
            let chunk = tokio::select! {
                biased;
                superseded = self.turn.superseded() => return Err(superseded),
                chunk = chunks.next() => chunk,
            };
            let Some(chunk) = chunk.transpose()? else {
                return Ok(());
            };
            let left = self.recording.size.saturating_sub(append.len());
            if chunk.len() as u64 > left {
                return Err(too_large(self.recording.size));
            }
            if let Some(checksum) = checksum {
                checksum.context.update(&chunk);
            }
            if recorded_at.elapsed() >= LEASE_DURATION {
                // Another server may have taken over since the last bytes arrived.
                self.record(None).await?;
                recorded_at = Instant::now();
            }
            append.write(chunk).await?;
            if recorded_at.elapsed() >= RECORD_INTERVAL {
                // Bytes whose checksum is not known yet are not recorded.
                let stored = match checksum {
                    None => append.sync().await?,
                    Some(_) => None,
                };
                self.record(stored).await?;
                recorded_at = Instant::now();
            }
        }
    }

    /// Renews the lease, and records bytes that are stored.
    async fn record(&self, stored: Option<AppendedBytes>) -> Result<(), ApiError> {
        let (job_id, append_id) = (self.recording.job_id, self.append_id);
        let lifetime = self.objects.limits.resumable_lifetime();
        let record = move |tx: &mut Tx<'_>| match &stored {
            Some(stored) => Ok(tx
                .uploads()
                .advance(job_id, append_id, stored, LEASE, lifetime)?),
            None => Ok(tx.uploads().renew(job_id, append_id, LEASE)?),
        };
        let has_lease = self.db.write(record, |has_lease| has_lease).await?;
        has_lease.then_some(()).ok_or_else(lease_lost)
    }

    /// Records bytes that are stored, and returns the lease.
    async fn record_end(&self, stored: Option<AppendedBytes>) -> Result<ResumableUpload, ApiError> {
        let (job_id, append_id) = (self.recording.job_id, self.append_id);
        let lifetime = self.objects.limits.resumable_lifetime();
        let record = move |tx: &mut Tx<'_>| {
            if let Some(stored) = &stored
                && !tx
                    .uploads()
                    .advance(job_id, append_id, stored, LEASE, lifetime)?
            {
                return Err(lease_lost());
            }
            tx.uploads().end_append(job_id, append_id)?;
            tx.uploads().find(job_id)?.ok_or_else(|| no_upload(job_id))
        };
        self.db.write(record, |upload| upload).await
    }
}

/// Makes an upload that has received all bytes the recording of its job, and queues the
/// job. Does nothing if that has happened before.
pub(crate) async fn finish(
    db: &DatabaseHandle,
    objects: &Objects,
    recording: &Recording,
    upload: &ResumableUpload,
) -> Result<(), ApiError> {
    let job_id = recording.job_id;
    let find = move |conn: &mut lectern_db::Reader<'_>| {
        Ok((conn.jobs().find(job_id)?, conn.uploads().parts(job_id)?))
    };
    let (job, parts) = db.read(find, |found| found).await?;
    if is_confirmed(job.as_ref()) {
        return Ok(());
    }
    check_pending(job_id, job.as_ref())?;
    let multipart_id = upload.multipart_id.as_ref();
    let storage = &objects.storage;
    let completed = storage.complete_resumable(&recording.key, recording.size, multipart_id, parts);
    within(COMPLETION_TIMEOUT, completed).await?;
    let confirm = move |tx: &mut Tx<'_>| Ok(tx.jobs().confirm(job_id)?);
    let db = db.one_at_a_time_for(job_id.as_uuid());
    db.write(confirm, drop).await?;
    if let Some(tail) = upload.tail {
        delete_tail(objects, job_id, tail).await;
    }
    Ok(())
}

/// Whether the recording of a job has been confirmed.
pub(crate) fn is_confirmed(job: Option<&Job>) -> bool {
    use JobStatus::{Completed, Queued, Running};
    job.is_some_and(|job| matches!(job.status, Queued | Running | Completed))
}

/// Deletes a tail that is no longer needed. One that stays after a failure is deleted with
/// the job.
async fn delete_tail(objects: &Objects, job_id: JobId, tail: AppendId) {
    let key = ObjectKey::upload_tail(job_id, tail);
    if let Err(error) = within(STORAGE_TIMEOUT, objects.storage.delete(&key)).await {
        log::debug!(job_id:%; "cannot delete {key}: {error}");
    }
}

/// Fails if an upload can no longer be resumed.
pub(crate) fn check_not_expired(upload: &ResumableUpload) -> Result<(), ApiError> {
    if !upload.is_expired {
        return Ok(());
    }
    let detail = format!("the upload could be resumed until {}", upload.expires_at);
    Err(ApiError::new(Code::UploadExpired, detail))
}

pub(crate) fn wrong_offset(upload: &ResumableUpload) -> ApiError {
    let detail = format!("{} bytes have arrived; continue there", upload.received);
    ApiError::new(Code::UploadOffsetMismatch, detail)
}

pub(crate) fn no_upload(job_id: JobId) -> ApiError {
    ApiError::new(Code::UploadNotFound, format!("there is no upload {job_id}"))
}

pub(crate) fn too_large(size: u64) -> ApiError {
    let detail = format!("the recording was announced with {size} bytes");
    ApiError::new(Code::BodyTooLarge, detail)
}

fn lease_lost() -> ApiError {
    let detail = "another server receives this upload; try again when that has ended";
    ApiError::new(Code::UploadInProgress, detail)
}
