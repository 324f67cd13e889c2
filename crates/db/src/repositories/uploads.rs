//! Uploads of pending jobs: the tables `uploads` and `upload_parts`.
//!
//! A row says when the pending job is cleared. The row of a resumable upload also has its
//! offset, so that every server of the database can continue it. One request at a time
//! appends: it holds a lease, whose id it gives with each change. A lease that has expired
//! is still good until another request takes it.

use chrono::TimeDelta;
use diesel::prelude::*;
use lectern_domain::{
    AppendId, AppendedBytes, JobId, JobStatus, MultipartId, PartEtag, ResumableUpload, Stage,
    StorageKey, UploadMetadata,
};

use crate::connection::{Conn, ReadWrite, on_either};
use crate::error::{Doing, Error};
use crate::schema::{upload_parts, uploads};
use crate::sql::row::{RowDecoder, columns};
use crate::sql::stored::Stored;
use crate::sql::stored_time::StoredTime;
use crate::sql::types::Id;

/// A row of `uploads`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = uploads)]
struct UploadRow {
    job_id: Id<JobId>,
    expires_at: StoredTime,
    received: Option<i64>,
    metadata: Option<Stored<UploadMetadata>>,
    multipart_id: Option<Stored<MultipartId>>,
    tail_id: Option<Id<AppendId>>,
}

impl UploadRow {
    fn decode(self, is_expired: bool) -> Result<ResumableUpload, Error> {
        let decoder = RowDecoder::new("uploads", self.job_id.0);
        Ok(ResumableUpload {
            job_id: self.job_id.0,
            received: decoder.converted("received", u64::try_from(self.received.unwrap_or(0)))?,
            metadata: decoder.column("metadata", self.metadata)?,
            multipart_id: decoder.column("multipart_id", self.multipart_id)?,
            tail: self.tail_id.map(|id| id.0),
            expires_at: decoder.column("expires_at", self.expires_at)?,
            is_expired,
        })
    }
}

/// Whether a request may append to a resumable upload.
#[derive(Debug, Clone, PartialEq)]
pub enum AppendStart {
    /// It may, until it ends the append or its lease is taken.
    Granted(ResumableUpload),
    /// Another request holds the lease.
    Leased,
    /// The upload has another offset, or has expired.
    Refused(ResumableUpload),
    /// There is no such upload.
    NotFound,
}

/// An upload that has expired and was cleared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClearedUpload {
    /// The job, which was deleted if it was pending.
    pub job_id: JobId,
    /// Whether the job was deleted. Its objects are not needed then.
    pub is_job_deleted: bool,
    /// Where the recording was to be stored.
    pub recording: Option<StorageKey>,
    /// Whether the job was never queued. What has arrived of its recording is not needed
    /// then, even if the job was kept.
    pub is_unfinished: bool,
    /// The multipart upload of a resumable upload to a bucket.
    pub multipart_id: Option<MultipartId>,
}

/// The repository of the uploads: `conn.uploads()`.
#[derive(Debug)]
pub struct Uploads<'c, Mode>(pub(crate) Conn<'c, Mode>);

impl<Mode> Uploads<'_, Mode> {
    /// The resumable upload of a job. `None` if the job has none.
    pub fn find(&mut self, job_id: JobId) -> Result<Option<ResumableUpload>, Error> {
        let now = self.0.update_time();
        let by_id = uploads::table
            .filter(uploads::job_id.eq(Id(job_id)))
            .filter(self.0.context.owned("uploads"))
            .filter(uploads::received.is_not_null())
            .select((columns::<UploadRow>(), uploads::expires_at.le(now)));
        let row = on_either!(self.0.raw, conn => by_id.get_result::<(UploadRow, bool)>(conn))
            .optional()
            .doing("find an upload")?;
        row.map(|(row, is_expired)| row.decode(is_expired))
            .transpose()
    }

    /// The parts of a resumable upload to a bucket, in order.
    pub fn parts(&mut self, job_id: JobId) -> Result<Vec<PartEtag>, Error> {
        let rows = upload_parts::table
            .filter(upload_parts::job_id.eq(Id(job_id)))
            .filter(self.0.context.owned("upload_parts"))
            .order(upload_parts::part_number)
            .select(upload_parts::etag)
            .load::<Stored<PartEtag>>(self.0.raw)
            .doing("list the parts of an upload")?;
        let decoder = RowDecoder::new("upload_parts", job_id);
        let parts = rows.into_iter().map(|etag| decoder.column("etag", etag));
        parts.collect()
    }

    /// Jobs whose uploads have expired, at most `limit`, the oldest first.
    pub fn expired(&mut self, limit: u32) -> Result<Vec<JobId>, Error> {
        let now = self.0.retention_start(TimeDelta::zero())?;
        let expired = uploads::table
            .filter(uploads::expires_at.le(now))
            .filter(self.0.context.owned("uploads"))
            .order((uploads::expires_at, uploads::id))
            .limit(limit.into())
            .select(uploads::job_id);
        let job_ids = on_either!(self.0.raw, conn => expired.load::<Id<JobId>>(conn))
            .doing("list expired uploads")?;
        Ok(job_ids.into_iter().map(|id| id.0).collect())
    }
}

impl Uploads<'_, ReadWrite> {
    /// Fails if the transaction has an owner who has no such job. Without an owner, the foreign
    /// key checks that the job exists.
    fn require_job(&mut self, job_id: JobId) -> Result<(), Error> {
        if self.0.context.owner.is_none() || self.0.jobs().exists(job_id)? {
            return Ok(());
        }
        Err(Error::JobNotFound { job_id })
    }

    /// Keeps a pending job for at least `lifetime` from now.
    ///
    /// # Errors
    ///
    /// [`Error::Constraint`] when the job does not exist; [`Error::JobNotFound`] when it has
    /// another owner than the transaction, or does not exist and the transaction has one.
    pub fn keep(&mut self, job_id: JobId, lifetime: TimeDelta) -> Result<(), Error> {
        let expires_at = self.0.time_after(lifetime);
        self.require_job(job_id)?;
        let postponed = diesel::update(uploads::table.filter(uploads::job_id.eq(Id(job_id))))
            .filter(uploads::expires_at.le(expires_at))
            .set(uploads::expires_at.eq(expires_at));
        let postponed =
            on_either!(self.0.raw, conn => postponed.execute(conn)).doing("keep a pending job")?;
        if postponed > 0 {
            return Ok(());
        }
        let row = diesel::insert_into(uploads::table)
            .values((
                uploads::job_id.eq(Id(job_id)),
                uploads::expires_at.eq(expires_at),
            ))
            .on_conflict_do_nothing();
        on_either!(self.0.raw, conn => row.execute(conn))
            .map(drop)
            .doing("keep a pending job")
    }

    /// Begins a resumable upload, which expires `lifetime` after the last append.
    ///
    /// # Errors
    ///
    /// [`Error::Constraint`] when the job does not exist, or has an upload;
    /// [`Error::JobNotFound`] as in [`Uploads::keep`].
    pub fn create_resumable(
        &mut self,
        job_id: JobId,
        metadata: Option<&UploadMetadata>,
        multipart_id: Option<&MultipartId>,
        lifetime: TimeDelta,
    ) -> Result<(), Error> {
        self.require_job(job_id)?;
        let row = diesel::insert_into(uploads::table).values((
            uploads::job_id.eq(Id(job_id)),
            uploads::expires_at.eq(self.0.time_after(lifetime)),
            uploads::received.eq(Some(0)),
            uploads::metadata.eq(metadata.map(UploadMetadata::as_str)),
            uploads::multipart_id.eq(multipart_id.map(MultipartId::as_str)),
        ));
        on_either!(self.0.raw, conn => row.execute(conn))
            .map(drop)
            .doing("create a resumable upload")
    }

    /// Takes the lease to append at `offset`, which expires after `lease` unless it is
    /// renewed by [`Uploads::advance`] or [`Uploads::renew`].
    pub fn begin_append(
        &mut self,
        job_id: JobId,
        append_id: AppendId,
        offset: u64,
        lease: TimeDelta,
    ) -> Result<AppendStart, Error> {
        let now = self.0.update_time();
        let Ok(offset) = i64::try_from(offset) else {
            return self.refused(job_id, None);
        };
        let free = uploads::append_id
            .is_null()
            .or(uploads::append_expires_at.le(now.nullable()));
        let taken = diesel::update(uploads::table)
            .filter(uploads::job_id.eq(Id(job_id)))
            .filter(self.0.context.owned("uploads"))
            .filter(uploads::received.eq(Some(offset)))
            .filter(uploads::expires_at.gt(now))
            .filter(free)
            .set((
                uploads::append_id.eq(Some(Id(append_id))),
                uploads::append_expires_at.eq(self.0.time_after(lease).nullable()),
            ));
        let taken = on_either!(self.0.raw, conn => taken.execute(conn))
            .doing("begin to append to an upload")?;
        if taken == 0 {
            return self.refused(job_id, Some(offset));
        }
        let upload = self.find(job_id)?;
        Ok(upload.map_or(AppendStart::NotFound, AppendStart::Granted))
    }

    /// Why an append was not granted.
    fn refused(&mut self, job_id: JobId, offset: Option<i64>) -> Result<AppendStart, Error> {
        Ok(match self.find(job_id)? {
            None => AppendStart::NotFound,
            Some(upload)
                if !upload.is_expired
                    && offset.is_some_and(|offset| offset.unsigned_abs() == upload.received) =>
            {
                AppendStart::Leased
            }
            Some(upload) => AppendStart::Refused(upload),
        })
    }

    /// Records what an append has stored, renews its lease, and postpones the expiry of
    /// the upload to `lifetime` from now. Returns `false`, and changes nothing, if the
    /// append has no lease any more.
    pub fn advance(
        &mut self,
        job_id: JobId,
        append_id: AppendId,
        stored: &AppendedBytes,
        lease: TimeDelta,
        lifetime: TimeDelta,
    ) -> Result<bool, Error> {
        let received = i64::try_from(stored.received).unwrap_or(i64::MAX);
        let advanced = diesel::update(uploads::table)
            .filter(uploads::job_id.eq(Id(job_id)))
            .filter(self.0.context.owned("uploads"))
            .filter(uploads::append_id.eq(Some(Id(append_id))))
            .set((
                uploads::received.eq(Some(received)),
                uploads::tail_id.eq(stored.has_tail.then_some(Id(append_id))),
                uploads::append_expires_at.eq(self.0.time_after(lease).nullable()),
                uploads::expires_at.eq(self.0.time_after(lifetime)),
            ));
        let advanced = on_either!(self.0.raw, conn => advanced.execute(conn))
            .doing("record the bytes of an upload")?;
        if advanced == 0 {
            return Ok(false);
        }
        let last: i64 = upload_parts::table
            .filter(upload_parts::job_id.eq(Id(job_id)))
            .filter(self.0.context.owned("upload_parts"))
            .count()
            .get_result(self.0.raw)
            .doing("count the parts of an upload")?;
        for (number, etag) in (last + 1..).zip(&stored.parts) {
            // A bucket allows 10,000 parts, which a CHECK repeats.
            let number = i32::try_from(number).unwrap_or(i32::MAX);
            diesel::insert_into(upload_parts::table)
                .values((
                    upload_parts::job_id.eq(Id(job_id)),
                    upload_parts::part_number.eq(number),
                    upload_parts::etag.eq(etag.as_str()),
                ))
                .execute(self.0.raw)
                .doing("record a part of an upload")?;
        }
        Ok(true)
    }

    /// Renews the lease of an append. Returns `false` if it has none any more.
    pub fn renew(
        &mut self,
        job_id: JobId,
        append_id: AppendId,
        lease: TimeDelta,
    ) -> Result<bool, Error> {
        let renewed = diesel::update(uploads::table)
            .filter(uploads::job_id.eq(Id(job_id)))
            .filter(self.0.context.owned("uploads"))
            .filter(uploads::append_id.eq(Some(Id(append_id))))
            .set(uploads::append_expires_at.eq(self.0.time_after(lease).nullable()));
        on_either!(self.0.raw, conn => renewed.execute(conn))
            .map(|rows| rows > 0)
            .doing("renew the lease of an append")
    }

    /// Returns the lease of an append, if it has it still.
    pub fn end_append(&mut self, job_id: JobId, append_id: AppendId) -> Result<(), Error> {
        diesel::update(uploads::table)
            .filter(uploads::job_id.eq(Id(job_id)))
            .filter(self.0.context.owned("uploads"))
            .filter(uploads::append_id.eq(Some(Id(append_id))))
            .set((
                uploads::append_id.eq(None::<Id<AppendId>>),
                uploads::append_expires_at.eq(None::<crate::sql::types::DbTime>),
            ))
            .execute(self.0.raw)
            .map(drop)
            .doing("end an append")
    }

    /// Deletes the upload of a job, and keeps the job.
    pub fn delete(&mut self, job_id: JobId) -> Result<(), Error> {
        diesel::delete(upload_parts::table.filter(upload_parts::job_id.eq(Id(job_id))))
            .filter(self.0.context.owned("upload_parts"))
            .execute(self.0.raw)
            .doing("delete the parts of an upload")?;
        diesel::delete(uploads::table.filter(uploads::job_id.eq(Id(job_id))))
            .filter(self.0.context.owned("uploads"))
            .execute(self.0.raw)
            .map(drop)
            .doing("delete an upload")
    }

    /// Clears the upload of a job if it has expired: deletes the job if it is pending, and
    /// otherwise the upload only. `None` if there is nothing to clear any more.
    pub fn clear(&mut self, job_id: JobId) -> Result<Option<ClearedUpload>, Error> {
        match self.0.lock_job(job_id) {
            Ok(_) => {}
            Err(Error::JobNotFound { .. }) => return Ok(None),
            Err(error) => return Err(error),
        }
        let now = self.0.retention_start(TimeDelta::zero())?;
        let expired = uploads::table
            .filter(uploads::job_id.eq(Id(job_id)))
            .filter(self.0.context.owned("uploads"))
            .filter(uploads::expires_at.le(now))
            .select(uploads::job_id);
        let expired = on_either!(self.0.raw, conn => expired.get_result::<Id<JobId>>(conn))
            .optional()
            .doing("find an expired upload")?;
        let (Some(_), Some(job)) = (expired, self.0.jobs().find(job_id)?) else {
            return Ok(None);
        };
        let upload = self.find(job_id)?;
        let is_job_deleted = job.status == JobStatus::Pending;
        let is_stage_uploading = job
            .progress
            .is_some_and(|progress| progress.stage == Stage::Uploading);
        let has_ended = matches!(job.status, JobStatus::Failed | JobStatus::Cancelled);
        if is_job_deleted {
            self.0.jobs().delete(job_id)?;
        } else {
            self.delete(job_id)?;
        }
        Ok(Some(ClearedUpload {
            job_id,
            is_job_deleted,
            recording: job.original_s3_key,
            is_unfinished: is_job_deleted || (has_ended && is_stage_uploading),
            multipart_id: upload.and_then(|upload| upload.multipart_id),
        }))
    }
}
