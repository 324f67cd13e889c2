//! Public with the feature `diesel`: the parts a crate needs to run statements
//! of its own on Lectern's connections.

pub use crate::connection::{DbConnection, MultiBackend as DbBackend};
pub use crate::error::Doing;
pub use crate::sql::types as sql_types;
/// The diesel that this crate was built with.
pub use ::diesel;

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
