//! Single rows of the sets of a job: find, change and delete.

use actix_web::http::header;
use lectern_db::{Conn, Error, JobRef, Reader, Tx};
use lectern_domain::{JobId, Stage};
use serde::Serialize;

use crate::database::handle::DatabaseHandle;
use crate::http::error::ApiError;
use crate::http::extract::lease_header::LeaseHeader;
use crate::http::memory_budget::{MemoryBudget, MemoryPermit};
use crate::http::response::etag::{IfMatchContent, IfNoneMatch, content_etag};
use crate::http::response::streamed_body::memory_for_row;
use crate::http::response::{ApiResponse, ApiResult};

/// Bytes in the columns of unbounded length of a row above which a request waits for
/// memory.
const LARGE_ROW_BYTES: usize = 256 << 10;

/// The id of a row that clients change by itself.
pub(super) trait SingleRow: Copy + Send + Sync + 'static {
    /// The stored value.
    type Value: Send + 'static;
    /// Its whole representation, of which the `ETag` is made.
    type Wire: From<Self::Value> + Serialize;

    /// The kind of row, in messages.
    const NOUN: &'static str;
    /// The stages that store such rows.
    const OWNERS: &'static [Stage];

    /// The number of bytes in the columns of unbounded length.
    fn large_bytes(self, conn: &mut Reader<'_>) -> Result<Option<usize>, Error>;

    fn find<Mode>(self, conn: &mut Conn<'_, Mode>) -> Result<Option<Self::Value>, Error>;

    fn delete(self, tx: &mut Tx<'_>, job: JobRef) -> Result<(), Error>;

    fn job_of(value: &Self::Value) -> JobId;

    /// The error if there is no such row.
    fn missing(self) -> ApiError;

    /// The representation without what only some requests ask for; `None` if that is all of it.
    fn without_optional(_whole: &Self::Wire) -> Option<Self::Wire> {
        None
    }
}

/// Responds with the row, or with a part of it as [`SingleRow::without_optional`] says.
pub(super) async fn find<R: SingleRow>(
    db: &DatabaseHandle,
    memory: &MemoryBudget,
    row: R,
    known: &IfNoneMatch,
) -> ApiResult {
    find_with(db, memory, row, known, R::without_optional).await
}

/// Responds with the whole row.
pub(super) async fn find_whole<R: SingleRow>(
    db: &DatabaseHandle,
    memory: &MemoryBudget,
    row: R,
    known: &IfNoneMatch,
) -> ApiResult {
    find_with(db, memory, row, known, |_| None).await
}

async fn find_with<R: SingleRow>(
    db: &DatabaseHandle,
    memory: &MemoryBudget,
    row: R,
    known: &IfNoneMatch,
    part: fn(&R::Wire) -> Option<R::Wire>,
) -> ApiResult {
    let permit = memory_for(db, memory, row).await?;
    let read = move |conn: &mut Reader<'_>| row.find(conn)?.ok_or_else(|| row.missing());
    let respond = move |value| respond_part(&R::Wire::from(value), part);
    let response = db.read_committed(read, respond).await??;
    Ok(response.not_modified_if(known).with_permit(permit))
}

/// Changes the row with `change`, and responds with the changed row.
pub(super) async fn update<R: SingleRow>(
    db: &DatabaseHandle,
    memory: &MemoryBudget,
    row: R,
    preconditions: Preconditions,
    mut change: impl FnMut(&mut Tx<'_>, JobRef) -> Result<R::Value, Error> + Send + 'static,
) -> ApiResult {
    let permit = memory_for(db, memory, row).await?;
    let write = move |tx: &mut Tx<'_>| {
        let job = preconditions.check(tx, row)?;
        Ok(change(tx, job)?)
    };
    let respond = |value| respond_part(&R::Wire::from(value), R::without_optional);
    Ok(db.write(write, respond).await??.with_permit(permit))
}

/// Responds with a part of a representation, if there is one, and with the `ETag` of the whole,
/// so that nobody overwrites unseen what the part lacks.
fn respond_part<W: Serialize>(whole: &W, part: fn(&W) -> Option<W>) -> ApiResult {
    match part(whole) {
        None => ApiResponse::with_content_etag(whole),
        Some(part) => {
            let whole = serde_json::to_vec(whole).map_err(ApiError::internal)?;
            ApiResponse::ok(&part)?.with_header(header::ETAG, &content_etag(&whole))
        }
    }
}

/// Deletes the row.
pub(super) async fn delete<R: SingleRow>(
    db: &DatabaseHandle,
    row: R,
    preconditions: Preconditions,
) -> ApiResult {
    let write = move |tx: &mut Tx<'_>| {
        let job = preconditions.check(tx, row)?;
        Ok(row.delete(tx, job)?)
    };
    db.write(write, |()| ApiResponse::no_content()).await
}

/// What has to hold for a change.
#[derive(Debug)]
pub(super) struct Preconditions {
    pub(super) lease: LeaseHeader,
    pub(super) expected: IfMatchContent,
}

impl Preconditions {
    /// Checks the lease and the version of the row, and locks its job.
    fn check<R: SingleRow>(&self, tx: &mut Tx<'_>, row: R) -> Result<JobRef, ApiError> {
        let find = |tx: &mut Tx<'_>| row.find(tx)?.ok_or_else(|| row.missing());
        let job_id = R::job_of(&find(tx)?);
        let job = self.lease.check_output(tx, job_id, R::OWNERS)?;
        // Read again, because the row may have changed before the job was locked.
        self.expected.check(R::NOUN, || {
            let representation = serde_json::to_vec(&R::Wire::from(find(tx)?));
            Ok(content_etag(&representation.map_err(ApiError::internal)?))
        })?;
        Ok(job)
    }
}

async fn memory_for<R: SingleRow>(
    db: &DatabaseHandle,
    memory: &MemoryBudget,
    row: R,
) -> Result<MemoryPermit, ApiError> {
    let size = move |conn: &mut Reader<'_>| row.large_bytes(conn)?.ok_or_else(|| row.missing());
    let bytes = db.read_committed(size, |bytes| bytes).await?;
    memory_for_row(memory, (bytes > LARGE_ROW_BYTES).then_some(bytes)).await
}
