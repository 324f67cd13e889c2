//! Large sets on SQLite, which are stored and deleted in parts.
//!
//! SQLite has one writer: while a set of a hundred thousand rows is stored in one transaction, all
//! other writes wait for a second. So each part of a large set is a transaction of its own, and
//! others come in between:
//!
//! 1. [`begin`] gives the new set a number, and `row_sets` says that it is *staged*.
//! 2. [`add`] stores a part of its rows, which have the number. They are not there for readers.
//! 3. [`show`] makes the set *shown*, and *hides* those that it replaces, unless they are equal. That
//!    takes as long as a small write, whatever the size of the sets, if they begin or end at other
//!    times, and is the only change that readers see.
//! 4. [`RowSets::delete_hidden`] deletes the rows of hidden sets, a part at a time.
//!
//! - Rows without a number are always there: those of small sets, of appends and of other programs.
//! - Queries leave out what is not shown by the condition in `sql/owned.rs`. Other programs that
//!   read `transcripts` or `silence_regions` of a file which a server writes need the same.
//! - A set whose writer has failed stays staged, and is hidden after [`STAGING_TIME`].
//! - `jobs.stored_rows` counts all rows of a job, also those that are not shown.
//!
//! Tables whose rows have unique positions within a job are stored in one transaction, and so is
//! everything on PostgreSQL, where only writes of the same job wait.

use chrono::TimeDelta;
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Double, Nullable};
use lectern_domain::JobId;

use super::{Comparison, JobSetItem, Keep};
use crate::connection::{Backend, Conn, DbConnection, MultiBackend, ReadWrite, Tx, on_either};
use crate::dialect::JobLock;
use crate::error::{Doing, Error};
use crate::schema::row_sets;
use crate::sql::owned::{has_sets, shown_sql};
use crate::sql::page::row_count;
use crate::sql::types::{Id, Uuid};

/// How long a set may be staged.
const STAGING_TIME: TimeDelta = TimeDelta::hours(1);

const STAGED: &str = "staged";
const SHOWN: &str = "shown";
const HIDDEN: &str = "hidden";

/// A set whose rows are being stored, and which readers do not see yet.
#[derive(Debug, Clone, Copy)]
pub struct StagedSet {
    job_id: JobId,
    number: i64,
}

impl StagedSet {
    /// The job whose set it is.
    pub fn job_id(&self) -> JobId {
        self.job_id
    }
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = Nullable<BigInt>)]
    value: Option<i64>,
}

#[derive(QueryableByName)]
struct StartTime {
    #[diesel(sql_type = Double)]
    value: f64,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = row_sets)]
struct HiddenSet {
    set_number: i64,
    table_name: String,
    first_id: i64,
    last_id: i64,
}

/// Begins a set of `rows` rows in place of the stored one.
///
/// # Errors
///
/// [`Error::QuotaExceeded`].
pub(crate) fn begin<T: JobSetItem>(
    tx: &mut Tx<'_>,
    table: &'static str,
    lock: JobLock,
    rows: usize,
) -> Result<Option<StagedSet>, Error> {
    if !has_sets(tx.context.backend, table) {
        return Ok(None);
    }
    let job_id = lock.job_id();
    tx.check_row_quota_of_set(lock, |tx| T::count(tx.raw, job_id), rows)?;
    let number = diesel::insert_into(row_sets::table)
        .values((
            row_sets::job_id.eq(Id(job_id)),
            row_sets::table_name.eq(table),
            row_sets::state.eq(STAGED),
            row_sets::first_id.eq(i64::MAX),
            row_sets::last_id.eq(0),
            row_sets::created_at.eq(lock.time()),
        ))
        .returning(row_sets::set_number)
        .get_result::<i64>(tx.raw)
        .doing("begin a set of rows")?;
    Ok(Some(StagedSet { job_id, number }))
}

/// Stores rows of a staged set, after those of the calls before.
///
/// # Errors
///
/// [`Error::JobNotFound`]; [`Error::ReplacedMeanwhile`] when it has been staged for too long.
pub(crate) fn add<T: JobSetItem>(
    tx: &mut Tx<'_>,
    table: &'static str,
    set: StagedSet,
    new: &[T::New],
) -> Result<(), Error> {
    let lock = tx.lock_job(set.job_id)?;
    let newest = max_id(tx.raw, table)?;
    super::insert_without_returning::<T>(tx, lock, new)?;
    // There is no other writer, so that all later rows are those of this call.
    let last_id = max_id(tx.raw, table)?;
    sql_query(format!("UPDATE {table} SET set_number = ?1 WHERE id > ?2"))
        .bind::<BigInt, _>(set.number)
        .bind::<BigInt, _>(newest)
        .execute(tx.raw)
        .doing("number the rows of a set")?;
    let staged = row_sets::table
        .find(set.number)
        .filter(row_sets::state.eq(STAGED));
    let added = diesel::update(staged)
        .set(row_sets::last_id.eq(last_id))
        .execute(tx.raw)
        .doing("add to a set of rows")?;
    if added == 0 {
        return Err(Error::ReplacedMeanwhile);
    }
    // Ids are given again after the rows with the highest ones were deleted.
    let later = row_sets::table
        .find(set.number)
        .filter(row_sets::first_id.gt(newest + 1));
    diesel::update(later)
        .set(row_sets::first_id.eq(newest + 1))
        .execute(tx.raw)
        .doing("add to a set of rows")?;
    tx.count_rows(lock, new.len(), 0)
}

/// Shows a staged set of the rows `new` in place of those that the job has. If they are equal, the
/// stored rows stay, and the staged set is given up.
///
/// # Errors
///
/// [`Error::ReplacedMeanwhile`] when it has been staged for too long.
pub(crate) fn show<T: JobSetItem>(
    tx: &mut Tx<'_>,
    table: &'static str,
    lock: JobLock,
    set: StagedSet,
    new: &[T::New],
    start_time: impl Fn(&T::New) -> f64,
) -> Result<(), Error> {
    if set.job_id != lock.job_id() {
        return Err(Error::ReplacedMeanwhile);
    }
    // A comparison sorts all rows, while other writes wait: a tenth of a second for a hundred
    // thousand. Sets that begin or end at other times need none.
    let starts = || new.iter().map(&start_time);
    let (first, last) = (starts().reduce(f64::min), starts().reduce(f64::max));
    if first_start(tx, table, lock, "ASC")? == first
        && first_start(tx, table, lock, "DESC")? == last
        && let Comparison::Equal(_) = T::compare(tx, lock.job_id(), new, Keep::Nothing)?
    {
        return tx.row_sets().discard(set);
    }
    let deleted = T::delete(tx.raw, lock.job_id())?;
    let staged = row_sets::table
        .find(set.number)
        .filter(row_sets::state.eq(STAGED));
    let shown = diesel::update(staged)
        .set(row_sets::state.eq(SHOWN))
        .execute(tx.raw)
        .doing("show a set of rows")?;
    if shown == 0 {
        return Err(Error::ReplacedMeanwhile);
    }
    tx.count_rows(lock, 0, deleted)
}

/// The start of the first row of a job in this order of the starts, which are in an index.
fn first_start(
    tx: &mut Tx<'_>,
    table: &'static str,
    lock: JobLock,
    order: &str,
) -> Result<Option<f64>, Error> {
    let query = format!(
        "SELECT start_time AS value FROM {table} WHERE job_id = ?1 AND {} \
         ORDER BY start_time {order} LIMIT 1",
        shown_sql(table)
    );
    let first = sql_query(query)
        .bind::<Uuid, _>(Id(lock.job_id()))
        .get_result::<StartTime>(tx.raw)
        .optional()
        .doing("find the start of a set of rows")?;
    Ok(first.map(|first| first.value))
}

/// Hides the sets of a job that were stored in parts, and deletes its other rows. Returns the
/// number of deleted rows; `None` if the table has no such sets, and nothing was done.
pub(crate) fn hide(
    conn: &mut DbConnection,
    table: &'static str,
    job_id: JobId,
) -> Result<Option<usize>, Error> {
    if !has_sets(conn.backend(), table) {
        return Ok(None);
    }
    let shown = row_sets::table
        .filter(row_sets::job_id.eq(Id(job_id)))
        .filter(row_sets::table_name.eq(table))
        .filter(row_sets::state.eq(SHOWN));
    diesel::update(shown)
        .set(row_sets::state.eq(HIDDEN))
        .execute(conn)
        .doing("hide a set of rows")?;
    let delete = format!("DELETE FROM {table} WHERE job_id = ?1 AND set_number IS NULL");
    let deleted = sql_query(delete)
        .bind::<Uuid, _>(Id(job_id))
        .execute(conn)
        .doing("delete the rows of a job")?;
    Ok(Some(deleted))
}

/// The repository of the large sets that were stored in parts: `conn.row_sets()`. There are none
/// on PostgreSQL.
#[derive(Debug)]
pub struct RowSets<'c, Mode>(pub(crate) Conn<'c, Mode>);

impl<Mode> RowSets<'_, Mode> {
    /// Whether there is a set that readers do not see: one that is being stored, or whose rows
    /// [`delete_hidden`](Self::delete_hidden) deletes.
    pub fn any_hidden(&mut self) -> Result<bool, Error> {
        if self.0.context.backend == Backend::Postgres {
            return Ok(false);
        }
        diesel::select(exists(row_sets::table.filter(row_sets::state.ne(SHOWN))))
            .get_result(self.0.raw)
            .doing("find hidden sets of rows")
    }
}

impl RowSets<'_, ReadWrite> {
    /// Deletes up to `limit` rows of the sets of a job that were replaced or given up; without a
    /// job, of all jobs, and also of the sets that were begun an hour ago. Returns whether there
    /// may be more. `lectern serve` calls it until there are none. In a file that no server
    /// works on, hidden rows stay until another program calls it.
    pub fn delete_hidden(&mut self, job_id: Option<JobId>, limit: usize) -> Result<bool, Error> {
        if self.0.context.backend == Backend::Postgres {
            return Ok(false);
        }
        let mut hidden = row_sets::table
            .filter(row_sets::state.eq(HIDDEN))
            .into_boxed::<MultiBackend>();
        if let Some(job_id) = job_id {
            hidden = hidden.filter(row_sets::job_id.eq(Id(job_id)));
        } else {
            let abandoned = row_sets::table
                .filter(row_sets::state.eq(STAGED))
                .filter(row_sets::created_at.le(self.0.retention_start(STAGING_TIME)?));
            let hide = diesel::update(abandoned).set(row_sets::state.eq(HIDDEN));
            on_either!(self.0.raw, conn => hide.execute(conn))
                .doing("hide abandoned sets of rows")?;
        }
        let hidden = hidden
            .order(row_sets::set_number)
            .select((row_sets::job_id, HiddenSet::as_select()))
            .first::<(Id<JobId>, HiddenSet)>(self.0.raw)
            .optional()
            .doing("find a hidden set of rows")?;
        let Some((job_id, hidden)) = hidden else {
            return Ok(false);
        };
        let deleted = self.delete_part(&hidden, limit)?;
        let lock = self.0.lock_job(job_id.0)?;
        self.0.count_rows(lock, 0, deleted)?;
        Ok(true)
    }

    /// Returns the number of deleted rows. A set without rows is deleted itself.
    fn delete_part(&mut self, hidden: &HiddenSet, limit: usize) -> Result<usize, Error> {
        // Its check constraint allows no other text.
        let table = &hidden.table_name;
        let last_id = sql_query(format!(
            "SELECT max(id) AS value FROM (SELECT id FROM {table} \
             WHERE id BETWEEN ?1 AND ?2 AND set_number = ?3 ORDER BY id LIMIT ?4)"
        ));
        let last_id = last_id
            .bind::<BigInt, _>(hidden.first_id)
            .bind::<BigInt, _>(hidden.last_id)
            .bind::<BigInt, _>(hidden.set_number)
            .bind::<BigInt, _>(row_count(limit))
            .get_result::<Number>(self.0.raw)
            .doing("find rows of a hidden set")?;
        let set = row_sets::table.find(hidden.set_number);
        let Some(last_id) = last_id.value else {
            diesel::delete(set)
                .execute(self.0.raw)
                .doing("delete a hidden set of rows")?;
            return Ok(0);
        };
        let delete = sql_query(format!(
            "DELETE FROM {table} WHERE id BETWEEN ?1 AND ?2 AND set_number = ?3"
        ));
        let deleted = delete
            .bind::<BigInt, _>(hidden.first_id)
            .bind::<BigInt, _>(last_id)
            .bind::<BigInt, _>(hidden.set_number)
            .execute(self.0.raw)
            .doing("delete rows of a hidden set")?;
        diesel::update(set)
            .set(row_sets::first_id.eq(last_id + 1))
            .execute(self.0.raw)
            .doing("record the deletion of rows of a set")?;
        Ok(deleted)
    }

    /// Gives up a set that was begun.
    pub fn discard(&mut self, set: StagedSet) -> Result<(), Error> {
        let staged = row_sets::table
            .find(set.number)
            .filter(row_sets::state.eq(STAGED));
        diesel::update(staged)
            .set(row_sets::state.eq(HIDDEN))
            .execute(self.0.raw)
            .map(drop)
            .doing("give a set of rows up")
    }
}

fn max_id(conn: &mut DbConnection, table: &str) -> Result<i64, Error> {
    let newest = sql_query(format!("SELECT max(id) AS value FROM {table}"))
        .get_result::<Number>(conn)
        .doing("find the newest row")?;
    Ok(newest.value.unwrap_or_default())
}

/// Methods of a repository that store a large set in parts.
macro_rules! store_in_parts {
    ($repository:ident of $table:ident: $value:ident { data: $new:ident }) => {
        impl $repository<'_, ReadWrite> {
            /// Begins to store a set of `rows` rows in parts, so that other writes come in
            /// between. `None` on PostgreSQL, where they do not wait for a large set.
            ///
            /// [`add_to_set`](Self::add_to_set) stores a part, in a transaction of its own, and
            /// [`show_set`](Self::show_set) puts the set in place of the stored one. Until then
            /// readers see the stored one. Afterwards, and also if a set is given up,
            /// [`RowSets::delete_hidden`](crate::RowSets::delete_hidden) deletes the hidden rows.
            ///
            /// # Errors
            ///
            /// [`Error::JobNotFound`]; [`Error::QuotaExceeded`].
            pub fn begin_set(
                &mut self,
                job: impl Into<JobRef>,
                rows: usize,
            ) -> Result<Option<$crate::StagedSet>, Error> {
                let lock = self.0.lock_job(job)?;
                $crate::repositories::replace_set::parts::begin::<$value>(
                    &mut self.0,
                    stringify!($table),
                    lock,
                    rows,
                )
            }

            /// Stores a part of a set that was begun.
            ///
            /// # Errors
            ///
            /// [`Error::JobNotFound`]; [`Error::ReplacedMeanwhile`] an hour after the set was
            /// begun.
            pub fn add_to_set(
                &mut self,
                set: $crate::StagedSet,
                rows: &[$new],
            ) -> Result<(), Error> {
                $crate::repositories::replace_set::parts::add::<$value>(
                    &mut self.0,
                    stringify!($table),
                    set,
                    rows,
                )
            }
        }
    };
}
pub(crate) use store_in_parts;
