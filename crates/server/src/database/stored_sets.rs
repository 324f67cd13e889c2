//! Storing large sets of rows.

use std::ops::Deref;
use std::sync::Arc;

use lectern_db::{Backend, Error, JobRef, Reader, StagedSet, Tx};
use lectern_domain::{JobId, NewSilenceRegion, NewTranscriptSegment};

use crate::database::failure_log::FailureLog;
use crate::database::handle::DatabaseHandle;
use crate::http::error::ApiError;

impl DatabaseHandle {
    /// Stores a large set of rows with `store`, unless `is_stored` finds that this would change
    /// nothing. Both get `set`, which is dropped at the end.
    ///
    /// SQLite has one writer, and comparing two large sets takes as long as hundreds of small
    /// writes. So there, `is_stored` compares them on a snapshot, beside the writer. A set that
    /// equals the stored one is then answered as of the snapshot, without a transaction.
    /// Otherwise `store` compares them again, because other writes may come in between. On
    /// PostgreSQL, where only writes of the same job wait, `is_stored` is not called.
    pub(crate) async fn store_set<T: 'static>(
        &self,
        set: impl Deref<Target = Vec<T>> + Send + Sync + 'static,
        is_stored: impl Fn(&mut Reader<'_>, &[T]) -> Result<bool, ApiError> + Send + 'static,
        mut store: impl FnMut(&mut Tx<'_>, &[T]) -> Result<(), ApiError> + Send + 'static,
    ) -> Result<(), ApiError> {
        let set = Arc::new(set);
        if self.database.backend() == Backend::Sqlite {
            let set = Arc::clone(&set);
            let compare = move |conn: &mut Reader<'_>| is_stored(conn, &set);
            if self.read(compare, |is_stored| is_stored).await? {
                return Ok(());
            }
        }
        self.write(move |tx| store(tx, &set), |()| ()).await
    }

    /// As [`store_set`](Self::store_set), for rows that SQLite stores in parts. `check` returns
    /// the locked job if the request may store the set; it runs before the first part and in
    /// the transaction in which the set takes the place of the stored one. `store` stores it as
    /// a whole, on PostgreSQL.
    pub(crate) async fn store_set_in_parts<T: StoredInParts>(
        &self,
        job_id: JobId,
        set: impl Deref<Target = Vec<T>> + Send + Sync + 'static,
        is_stored: impl Fn(&mut Reader<'_>, &[T]) -> Result<bool, ApiError> + Send + 'static,
        check: impl Fn(&mut Tx<'_>) -> Result<JobRef, ApiError> + Clone + Send + 'static,
        show: impl Fn(&mut Tx<'_>, JobRef, StagedSet, &[T]) -> Result<(), Error> + Send + 'static,
        mut store: impl FnMut(&mut Tx<'_>, JobRef, &[T]) -> Result<(), Error> + Send + 'static,
    ) -> Result<(), ApiError> {
        if self.database.backend() == Backend::Postgres {
            let store = move |tx: &mut Tx<'_>, set: &[T]| {
                let job = check(tx)?;
                Ok(store(tx, job, set)?)
            };
            return self.store_set(set, is_stored, store).await;
        }
        let set = Arc::new(set);
        let compared = Arc::clone(&set);
        let compare = move |conn: &mut Reader<'_>| is_stored(conn, &compared);
        if self.read(compare, |is_stored| is_stored).await? {
            return Ok(());
        }
        let (rows, is_allowed) = (set.len(), check.clone());
        let begin = move |tx: &mut Tx<'_>| {
            let job = is_allowed(tx)?;
            Ok(T::begin(tx, job, rows)?)
        };
        let Some(staged) = self.write(begin, |staged| staged).await? else {
            return Err(ApiError::internal("a set cannot be stored in parts"));
        };
        let mut cleaning = HiddenRows {
            db: self.clone(),
            job_id,
            staged: Some(staged),
        };
        for first in (0..rows).step_by(ROWS_OF_PART) {
            let set = Arc::clone(&set);
            let add = move |tx: &mut Tx<'_>| {
                let part = &set[first..rows.min(first + ROWS_OF_PART)];
                Ok(T::add(tx, staged, part)?)
            };
            self.write(add, |()| ()).await?;
        }
        let show = move |tx: &mut Tx<'_>| {
            let job = check(tx)?;
            Ok(show(tx, job, staged, &set)?)
        };
        self.write(show, |()| ()).await?;
        cleaning.staged = None;
        // The set is stored, whether or not the rows of the one before can be deleted now.
        let deleted = delete_hidden_rows(self, Some(job_id)).await;
        FailureLog::new("deleting replaced rows").record(deleted);
        Ok(())
    }
}

/// The rows of a part, which takes a few milliseconds: other writes wait for one part at most.
const ROWS_OF_PART: usize = 500;

/// Rows that SQLite stores in parts.
pub(crate) trait StoredInParts: Send + Sync + Sized + 'static {
    /// See [`lectern_db::Transcripts::begin_set`].
    fn begin(tx: &mut Tx<'_>, job: JobRef, rows: usize) -> Result<Option<StagedSet>, Error>;

    /// See [`lectern_db::Transcripts::add_to_set`].
    fn add(tx: &mut Tx<'_>, set: StagedSet, part: &[Self]) -> Result<(), Error>;
}

impl StoredInParts for NewTranscriptSegment {
    fn begin(tx: &mut Tx<'_>, job: JobRef, rows: usize) -> Result<Option<StagedSet>, Error> {
        tx.transcripts().begin_set(job, rows)
    }

    fn add(tx: &mut Tx<'_>, set: StagedSet, part: &[Self]) -> Result<(), Error> {
        tx.transcripts().add_to_set(set, part)
    }
}

impl StoredInParts for NewSilenceRegion {
    fn begin(tx: &mut Tx<'_>, job: JobRef, rows: usize) -> Result<Option<StagedSet>, Error> {
        tx.silence_regions().begin_set(job, rows)
    }

    fn add(tx: &mut Tx<'_>, set: StagedSet, part: &[Self]) -> Result<(), Error> {
        tx.silence_regions().add_to_set(set, part)
    }
}

/// Deletes the rows of a set that was given up when it is dropped, also because the client has
/// disconnected.
struct HiddenRows {
    db: DatabaseHandle,
    job_id: JobId,
    /// The set, unless it is shown.
    staged: Option<StagedSet>,
}

impl Drop for HiddenRows {
    fn drop(&mut self) {
        let Some(staged) = self.staged else {
            return;
        };
        let (db, job_id) = (self.db.clone(), self.job_id);
        actix_web::rt::spawn(async move {
            let discard = move |tx: &mut Tx<'_>| Ok(tx.row_sets().discard(staged)?);
            let mut deleted = db.write(discard, |()| 0).await;
            if deleted.is_ok() {
                deleted = delete_hidden_rows(&db, Some(job_id)).await;
            }
            FailureLog::new("deleting rows of a set that was given up").record(deleted);
        });
    }
}

/// Deletes the rows of sets that were replaced or given up, of one job or of all, a part at a
/// time. Returns the number of parts.
pub(crate) async fn delete_hidden_rows(
    db: &DatabaseHandle,
    job_id: Option<JobId>,
) -> Result<usize, ApiError> {
    let mut parts = 0;
    loop {
        let delete =
            move |tx: &mut Tx<'_>| Ok(tx.row_sets().delete_hidden(job_id, ROWS_OF_PART)?);
        if !db.write(delete, |has_more| has_more).await? {
            return Ok(parts);
        }
        parts += 1;
    }
}
