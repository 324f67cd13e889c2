//! Public with the feature `diesel`: the caller's own statements on the connection of a
//! closure, and the types that they need.

pub use crate::connection::{DbConnection, MultiBackend as DbBackend};
pub use crate::error::Doing;
pub use crate::sql::types as sql_types;
/// The diesel that this crate was built with.
pub use ::diesel;

use crate::connection::{Reader, Tx};

impl Tx<'_> {
    /// Runs statements of your own in this transaction.
    ///
    /// The statements are committed and rolled back together with everything else that
    /// the closure of [`Database::write`](crate::Database::write) does. A
    /// `conn.transaction(…)` within is a savepoint, on both databases. The error may be of
    /// any type; diesel's error converts into [`Error`](crate::Error), to which
    /// [`Doing`](crate::Doing) adds the action that failed.
    ///
    /// ```
    /// use lectern_db::diesel::prelude::*;
    /// use lectern_db::schema::jobs;
    /// use lectern_db::{Database, Doing, Error, domain::NewJob};
    ///
    /// # let db = Database::open("sqlite::memory:")?;
    /// # db.migrate()?;
    /// db.write(|tx| {
    ///     tx.jobs().create(&NewJob::new("lecture.mp4")?)?;
    ///     let names: Vec<String> = tx
    ///         .diesel(|conn| jobs::table.select(jobs::filename).load(conn))
    ///         .doing("list the names of all recordings")?;
    ///     assert_eq!(names, ["lecture.mp4"]);
    ///     Ok::<_, Error>(())
    /// })?;
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # What to avoid
    ///
    /// - **Ending the transaction.** Do not send `BEGIN`, `COMMIT` or `ROLLBACK`,
    ///   not even within a script for `batch_execute`: `write` then returns
    ///   [`Error::NotCommitted`](crate::Error::NotCommitted), and the changes that the
    ///   statement committed stay committed.
    /// - **Changing rows of Lectern's tables.** Read any rows, but change them only
    ///   through the repositories. An `UPDATE jobs …` does not increment the
    ///   version, so `If-Match` and `update` miss the change; it records no event
    ///   for subscribers; and it does not update the job's stage runs. The same
    ///   holds for `stage_runs`, `job_events` and the sets of rows that belong to
    ///   a job.
    /// - **Changing Lectern's tables.** A column added to one of these tables is drift,
    ///   and the service does not start with drift. Add a table that refers to
    ///   `jobs.job_id`.
    /// - **Referring to the integer keys `id`.** These keys differ between databases and
    ///   may be renumbered. Refer to the public ids.
    pub fn diesel<T, E>(
        &mut self,
        statements: impl FnOnce(&mut DbConnection) -> Result<T, E>,
    ) -> Result<T, E> {
        statements(self.raw)
    }
}

impl Reader<'_> {
    /// Runs queries of your own, which all see one snapshot of the database.
    ///
    /// A statement that would write is refused by the database itself.
    ///
    /// ```
    /// use lectern_db::diesel::prelude::*;
    /// use lectern_db::schema::{clips, jobs};
    /// use lectern_db::{Database, Doing, Error};
    ///
    /// # let db = Database::open("sqlite::memory:")?;
    /// # db.migrate()?;
    /// let titles: Vec<(String, String)> = db.read(|conn| {
    ///     conn.diesel(|conn| {
    ///         clips::table
    ///             .inner_join(jobs::table.on(jobs::job_id.eq(clips::job_id)))
    ///             .select((jobs::filename, clips::title))
    ///             .load(conn)
    ///     })
    ///     .doing("list the titles of all clips")
    /// })?;
    /// # assert!(titles.is_empty());
    /// # Ok::<(), Error>(())
    /// ```
    pub fn diesel<T, E>(
        &mut self,
        queries: impl FnOnce(&mut DbConnection) -> Result<T, E>,
    ) -> Result<T, E>
    where
        E: From<diesel::result::Error>,
    {
        self.raw.snapshot(queries)
    }
}

/// Lets a table of yours appear in one query with tables of Lectern's, as a
/// join needs it.
///
/// diesel has a macro of this name for the tables of one crate. It does not compile
/// for tables of two crates if diesel's feature `postgres` is enabled: it also
/// implements traits for `Only<…>` and `Tablesample<…>`, which are foreign types.
///
/// ```
/// use lectern_db::diesel;
/// use lectern_db::schema::{clips, jobs};
///
/// diesel::table! {
///     use lectern_db::diesel::sql_types::*;
///     use lectern_db::sql_types::Uuid;
///
///     orders (id) {
///         id -> BigInt,
///         job_id -> Uuid,
///         customer -> Text,
///     }
/// }
///
/// lectern_db::allow_tables_to_appear_in_same_query!(orders: jobs, clips);
/// ```
///
/// With diesel's macro:
///
/// ```compile_fail,E0117
/// # use lectern_db::schema::jobs;
/// # diesel::table! { orders (id) { id -> BigInt } }
/// diesel::allow_tables_to_appear_in_same_query!(orders, jobs);
/// ```
///
/// `joinable!` is of no use for `orders.job_id`, because it joins on the integer
/// key of `jobs`: name the columns, as in
/// `orders::table.inner_join(jobs::table.on(jobs::job_id.eq(orders::job_id)))`.
#[macro_export]
macro_rules! allow_tables_to_appear_in_same_query {
    ($own:ident: $($lectern:ident),+ $(,)?) => {$(
        impl $crate::diesel::query_source::TableNotEqual<$lectern::table> for $own::table {}
        impl $crate::diesel::query_source::TableNotEqual<$own::table> for $lectern::table {}
    )+};
}
