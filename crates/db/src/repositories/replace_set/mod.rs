//! Replaces the rows of one kind that belong to one job: its transcript segments,
//! silence regions, content segments or clips.

pub(crate) mod edit;
pub(crate) mod parts;
pub(crate) mod set_page;

use std::cmp::Ordering;

use lectern_domain::{Clock, JobId};

use crate::connection::{Conn, DbConnection, Tx};
use crate::dialect::JobLock;
use crate::error::Error;
use crate::sql::row;

/// A stored value in a set that belongs to a job; implemented by [`job_set!`].
pub(crate) trait JobSetItem: TryFrom<Self::Row, Error = Error> {
    /// The value before it is stored.
    type New: Clone;
    type Row: From<Self>;

    fn new(new: Self::New, lock: JobLock, clock: &dyn Clock) -> Self;

    /// Approximate number of bytes in the columns of unbounded length.
    fn text_bytes(new: &Self::New) -> usize;

    /// The order in which the repository lists the set.
    fn order(&self, other: &Self) -> Ordering;

    /// Compares the rows of a job, in the order in which they were inserted, with `new`.
    /// Stops reading at the first difference.
    fn compare<Mode>(
        conn: &mut Conn<'_, Mode>,
        job_id: JobId,
        new: &[Self::New],
        keep: Keep,
    ) -> Result<Comparison<Self>, Error>;

    /// The rows of a job in the order in which they were inserted.
    fn load(conn: &mut DbConnection, job_id: JobId) -> Result<Vec<Self::Row>, Error>;

    /// Deletes the rows of a job, and returns their number. Those of a set that was stored in
    /// parts are not deleted, but not there for readers any more; see [`parts`].
    fn delete(conn: &mut DbConnection, job_id: JobId) -> Result<usize, Error>;

    /// The number of rows of a job.
    fn count(conn: &mut DbConnection, job_id: JobId) -> Result<i64, Error>;

    fn insert(tx: &mut Tx<'_>, rows: &[Self::Row]) -> Result<(), Error>;
}

/// Whether the equal rows of a comparison are returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    Rows,
    Nothing,
}

/// The stored set of a job, compared with a new set.
#[derive(Debug)]
pub(crate) enum Comparison<T> {
    /// The sets are equal. Contains the stored rows with [`Keep::Rows`].
    Equal(Vec<T>),
    /// At least one row is stored, and the sets differ. A set with an unreadable row
    /// differs from any other.
    Different,
    /// No row is stored, and the new set is not empty.
    Missing,
}

/// Upper bound of the rows per statement of [`insert_without_returning`]: small enough to
/// limit the memory, and large enough that the cost per statement does not matter.
const ROWS_PER_INSERT: usize = 4_000;

/// Bytes of text per statement of [`insert_without_returning`]; a single row may have more.
const BYTES_PER_INSERT: usize = 1 << 20;

/// Whether a job exists and its stored set equals `new`, so that replacing it changes nothing.
pub(crate) fn is_stored<T: JobSetItem, Mode>(
    conn: &mut Conn<'_, Mode>,
    job_id: JobId,
    new: &[T::New],
) -> Result<bool, Error> {
    if !conn.jobs().exists(job_id)? {
        return Ok(false);
    }
    let compared = T::compare(conn, job_id, new, Keep::Nothing)?;
    Ok(matches!(compared, Comparison::Equal(_)))
}

/// Replaces the set of a locked job and returns the new set in the order of lists. A set
/// that equals the stored set changes nothing: the stored rows keep their ids.
pub(crate) fn replace<T: JobSetItem>(
    tx: &mut Tx<'_>,
    lock: JobLock,
    new: &[T::New],
) -> Result<Vec<T>, Error> {
    let compared = T::compare(tx, lock.job_id(), new, Keep::Rows)?;
    let mut stored = match compared {
        Comparison::Equal(stored) => stored,
        Comparison::Missing => append(tx, lock, new)?,
        Comparison::Different => {
            let deleted = delete_for::<T>(tx, lock, new.len())?;
            let inserted = insert(tx, lock, new)?;
            tx.count_rows(lock, new.len(), deleted)?;
            inserted
        }
    };
    stored.sort_by(T::order);
    Ok(stored)
}

/// Like [`replace`], but does not return the set, so that memory for a few thousand rows
/// is enough.
pub(crate) fn replace_without_returning<T: JobSetItem>(
    tx: &mut Tx<'_>,
    lock: JobLock,
    new: &[T::New],
) -> Result<(), Error> {
    match T::compare(tx, lock.job_id(), new, Keep::Nothing)? {
        Comparison::Equal(_) => Ok(()),
        Comparison::Missing => append_without_returning::<T>(tx, lock, new),
        Comparison::Different => {
            let deleted = delete_for::<T>(tx, lock, new.len())?;
            insert_without_returning::<T>(tx, lock, new)?;
            tx.count_rows(lock, new.len(), deleted)
        }
    }
}

/// Deletes the set of a locked job and returns the number of its rows, unless the quota of its
/// owner does not allow `new` rows in their place.
pub(crate) fn delete_for<T: JobSetItem>(
    tx: &mut Tx<'_>,
    lock: JobLock,
    new: usize,
) -> Result<usize, Error> {
    let job_id = lock.job_id();
    tx.check_row_quota_of_set(lock, |tx| T::count(tx.raw, job_id), new)?;
    T::delete(tx.raw, job_id)
}

/// Like [`append`], but does not return the values.
pub(crate) fn append_without_returning<T: JobSetItem>(
    tx: &mut Tx<'_>,
    lock: JobLock,
    new: &[T::New],
) -> Result<(), Error> {
    tx.check_row_quota(lock, new.len())?;
    insert_without_returning::<T>(tx, lock, new)?;
    tx.count_rows(lock, new.len(), 0)
}

/// Like [`insert`], but does not return the values.
fn insert_without_returning<T: JobSetItem>(
    tx: &mut Tx<'_>,
    lock: JobLock,
    new: &[T::New],
) -> Result<(), Error> {
    let mut new = new;
    while !new.is_empty() {
        let (next, rest) = new.split_at(rows_of_insert(new.iter().map(T::text_bytes)));
        let rows = rows::<T>(tx, lock, next);
        T::insert(tx, &rows)?;
        new = rest;
    }
    Ok(())
}

/// The number of rows that the next statement of an insert of many rows inserts, at least
/// one. `text_bytes` are the bytes of text of each row.
pub(crate) fn rows_of_insert(text_bytes: impl Iterator<Item = usize>) -> usize {
    let mut bytes = 0;
    let fitting = text_bytes.take(ROWS_PER_INSERT).take_while(|row| {
        bytes += row;
        bytes <= BYTES_PER_INSERT
    });
    fitting.count().max(1)
}

/// Adds to the set of a locked job and returns the added values.
pub(crate) fn append<T: JobSetItem>(
    tx: &mut Tx<'_>,
    lock: JobLock,
    new: &[T::New],
) -> Result<Vec<T>, Error> {
    tx.check_row_quota(lock, new.len())?;
    let inserted = insert(tx, lock, new)?;
    tx.count_rows(lock, new.len(), 0)?;
    Ok(inserted)
}

/// Stores rows of a locked job, which the caller counts, and returns their values.
fn insert<T: JobSetItem>(tx: &mut Tx<'_>, lock: JobLock, new: &[T::New]) -> Result<Vec<T>, Error> {
    let rows = rows::<T>(tx, lock, new);
    T::insert(tx, &rows)?;
    row::all(rows)
}

fn rows<T: JobSetItem>(tx: &Tx<'_>, lock: JobLock, new: &[T::New]) -> Vec<T::Row> {
    let longest = new.iter().map(T::text_bytes).max();
    tx.context.record_value_size(longest.unwrap_or_default());
    new.iter()
        .map(|new| T::new(new.clone(), lock, tx.clock).into())
        .collect()
}

/// [`JobSetItem::compare`] with a condition for equal rows.
macro_rules! compare_rows {
    (
        $conn:expr, $job_id:expr, $new:expr, $keep:expr,
        $table:ident: $value:ident in $row:ident,
        equal: |$stored:ident, $item:ident| $equal:expr
    ) => {{
        use std::ops::ControlFlow;

        use $crate::repositories::replace_set::{Comparison, JobSetItem, Keep};

        let (new, keep) = ($new, $keep);
        let (mut equal, mut found, mut kept) = (true, 0, Vec::new());
        let context = $conn.context;
        $crate::connection::each_row!(
            $conn.raw,
            $table::table
                .filter($table::job_id.eq($crate::sql::types::Id($job_id)))
                .filter($crate::sql::owned::shown(context.backend, stringify!($table)))
                .order($table::id)
                .select($crate::sql::row::columns::<$row>())
                .into_boxed::<Db>() => $row,
            concat!("read the ", stringify!($table), " of a job"),
            |row: $row| {
                found += 1;
                let stored = <$value>::try_from(row);
                if let Ok(stored) = &stored {
                    context.record_value_size(<$value as JobSetItem>::text_bytes(&stored.data));
                }
                match stored {
                    Ok($stored) if new.get(found - 1).is_some_and(|$item| $equal) => {
                        if keep == Keep::Rows {
                            kept.push($stored);
                        }
                    }
                    Ok(_) | Err(Error::Corrupt { .. }) => equal = false,
                    Err(error) => return Err(error),
                }
                Ok(if equal { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
            }
        );
        Ok(match found {
            0 if !new.is_empty() => Comparison::Missing,
            _ if equal && found == new.len() => Comparison::Equal(kept),
            _ => Comparison::Different,
        })
    }};
}
pub(crate) use compare_rows;

/// Implements [`JobSetItem`] for a table whose domain type is made of a public id,
/// `job_id`, `data` and `created_at`.
macro_rules! job_set {
    (
        $table:ident: $value:ident {
            $id:ident: $id_type:ident, data: $new:ident $(, $field:ident: $default:expr)*
        } in $row:ident,
        bytes of long columns: $text_bytes:expr,
        order by $order:expr $(,)?
    ) => {
        impl $crate::repositories::replace_set::JobSetItem for $value {
            type New = $new;
            type Row = $row;

            fn new(
                new: $new,
                lock: $crate::dialect::JobLock,
                clock: &dyn lectern_domain::Clock,
            ) -> Self {
                Self {
                    $id: $id_type::new(clock),
                    job_id: lock.job_id(),
                    data: new,
                    $($field: $default,)*
                    created_at: lock.time().0,
                }
            }

            fn text_bytes(new: &$new) -> usize {
                let text_bytes: fn(&$new) -> usize = $text_bytes;
                text_bytes(new)
            }

            fn order(&self, other: &Self) -> std::cmp::Ordering {
                let order: fn(&Self, &Self) -> _ = $order;
                order(self, other)
            }

            fn compare<Mode>(
                conn: &mut $crate::connection::Conn<'_, Mode>,
                job_id: JobId,
                new: &[$new],
                keep: $crate::repositories::replace_set::Keep,
            ) -> Result<$crate::repositories::replace_set::Comparison<Self>, Error> {
                $crate::repositories::replace_set::compare_rows!(
                    conn, job_id, new, keep,
                    $table: $value in $row,
                    equal: |stored, new| stored.data == *new
                )
            }

            fn load(
                conn: &mut $crate::connection::DbConnection,
                job_id: JobId,
            ) -> Result<Vec<$row>, Error> {
                let shown = $crate::sql::owned::shown(conn.backend(), stringify!($table));
                $table::table
                    .filter($table::job_id.eq($crate::sql::types::Id(job_id)))
                    .filter(shown)
                    .order($table::id)
                    .select($crate::sql::row::columns::<$row>())
                    .load(conn)
                    .doing(concat!("read the ", stringify!($table), " of a job"))
            }

            fn delete(
                conn: &mut $crate::connection::DbConnection,
                job_id: JobId,
            ) -> Result<usize, Error> {
                if let Some(deleted) =
                    $crate::repositories::replace_set::parts::hide(conn, stringify!($table), job_id)?
                {
                    return Ok(deleted);
                }
                diesel::delete(
                    $table::table.filter($table::job_id.eq($crate::sql::types::Id(job_id))),
                )
                .execute(conn)
                .doing(concat!("delete the ", stringify!($table), " of a job"))
            }

            fn count(
                conn: &mut $crate::connection::DbConnection,
                job_id: JobId,
            ) -> Result<i64, Error> {
                let shown = $crate::sql::owned::shown(conn.backend(), stringify!($table));
                $table::table
                    .filter($table::job_id.eq($crate::sql::types::Id(job_id)))
                    .filter(shown)
                    .count()
                    .get_result(conn)
                    .doing(concat!("count the ", stringify!($table), " of a job"))
            }

            fn insert(
                tx: &mut $crate::connection::Tx<'_>,
                rows: &[$row],
            ) -> Result<(), Error> {
                let fenced = tx.context.is_fenced;
                $crate::dialect::insert_set!(fenced: fenced, &mut *tx.raw, $table::table, rows)
                    .doing(concat!("store the ", stringify!($table), " of a job"))
            }
        }
    };
}
pub(crate) use job_set;
