//! Replaces the rows of one kind that belong to one job: its transcript segments,
//! silence regions, content segments or clips.

use std::cmp::Ordering;

use lectern_domain::{Clock, JobId};

use crate::connection::{DbConnection, Tx};
use crate::dialect::JobLock;
use crate::error::Error;
use crate::sql::row;

/// A stored value in a set that belongs to a job; implemented by [`job_set!`].
pub(crate) trait JobSetItem: TryFrom<Self::Row, Error = Error> {
    /// The value before it is stored.
    type New: Clone + PartialEq;
    type Row: From<Self>;

    /// Whether the value contains arbitrary JSON. PostgreSQL rewrites numbers in
    /// `jsonb` (`1e16` becomes an integer), so such a value is read back before it
    /// is returned.
    const HAS_ARBITRARY_JSON: bool;

    fn new(new: Self::New, lock: JobLock, clock: &dyn Clock) -> Self;

    fn data(&self) -> &Self::New;

    /// The order in which the repository lists the set.
    fn order(&self, other: &Self) -> Ordering;

    /// The rows of a job in the order in which they were inserted.
    fn load(conn: &mut DbConnection, job_id: JobId) -> Result<Vec<Self::Row>, Error>;

    fn delete(conn: &mut DbConnection, job_id: JobId) -> Result<(), Error>;

    fn insert(conn: &mut DbConnection, rows: &[Self::Row]) -> Result<(), Error>;
}

/// Replaces the set of a locked job and returns it sorted by [`JobSetItem::order`]. A set
/// equal to the stored one changes nothing: its rows keep their ids.
pub(crate) fn replace<T: JobSetItem>(
    tx: &mut Tx<'_>,
    lock: JobLock,
    new: &[T::New],
) -> Result<Vec<T>, Error> {
    let rows = T::load(tx.raw, lock.job_id())?;
    let is_empty = rows.is_empty();
    let mut stored = match row::all::<_, T>(rows) {
        Ok(stored) if stored.iter().map(T::data).eq(new) => stored,
        // A set with an unreadable row is always replaced.
        Ok(_) | Err(Error::Corrupt { .. }) => {
            if !is_empty {
                T::delete(tx.raw, lock.job_id())?;
            }
            insert(tx, lock, new)?
        }
        Err(error) => return Err(error),
    };
    stored.sort_by(T::order);
    Ok(stored)
}

/// Adds to the set of a locked job and returns the added values.
pub(crate) fn insert<T: JobSetItem>(
    tx: &mut Tx<'_>,
    lock: JobLock,
    new: &[T::New],
) -> Result<Vec<T>, Error> {
    let rows: Vec<_> = new
        .iter()
        .map(|new| T::new(new.clone(), lock, tx.clock).into())
        .collect();
    T::insert(tx.raw, &rows)?;
    if T::HAS_ARBITRARY_JSON && matches!(tx.raw, DbConnection::Postgres(_)) && !rows.is_empty() {
        return row::all(T::load(tx.raw, lock.job_id())?);
    }
    row::all(rows)
}

/// Implements [`JobSetItem`] for a table whose domain type is made of a public id,
/// `job_id`, `data` and `created_at`.
macro_rules! job_set {
    (
        $table:ident: $value:ident { $id:ident: $id_type:ident, data: $new:ident } in $row:ident,
        arbitrary JSON: $arbitrary_json:literal,
        order by $order:expr $(,)?
    ) => {
        impl $crate::repositories::replace_set::JobSetItem for $value {
            type New = $new;
            type Row = $row;

            const HAS_ARBITRARY_JSON: bool = $arbitrary_json;

            fn new(
                new: $new,
                lock: $crate::dialect::JobLock,
                clock: &dyn lectern_domain::Clock,
            ) -> Self {
                Self {
                    $id: $id_type::new(clock),
                    job_id: lock.job_id(),
                    data: new,
                    created_at: lock.time().0,
                }
            }

            fn data(&self) -> &$new {
                &self.data
            }

            fn order(&self, other: &Self) -> std::cmp::Ordering {
                let order: fn(&Self, &Self) -> _ = $order;
                order(self, other)
            }

            fn load(
                conn: &mut $crate::connection::DbConnection,
                job_id: JobId,
            ) -> Result<Vec<$row>, Error> {
                $table::table
                    .filter($table::job_id.eq($crate::sql::types::Id(job_id)))
                    .order($table::id)
                    .select($crate::sql::row::columns::<$row>())
                    .load(conn)
                    .doing(concat!("read the ", stringify!($table), " of a job"))
            }

            fn delete(
                conn: &mut $crate::connection::DbConnection,
                job_id: JobId,
            ) -> Result<(), Error> {
                diesel::delete(
                    $table::table.filter($table::job_id.eq($crate::sql::types::Id(job_id))),
                )
                .execute(conn)
                .map(drop)
                .doing(concat!("delete the ", stringify!($table), " of a job"))
            }

            fn insert(
                conn: &mut $crate::connection::DbConnection,
                rows: &[$row],
            ) -> Result<(), Error> {
                $crate::dialect::insert_all!(conn, $table::table, rows).doing(concat!(
                    "store the ",
                    stringify!($table),
                    " of a job"
                ))
            }
        }
    };
}
pub(crate) use job_set;
