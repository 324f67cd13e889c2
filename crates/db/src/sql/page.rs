//! Pages of a list. The query of a page reads one row more than the page holds, to see
//! whether another page follows.

use lectern_domain::{Cursor, Page, PageLimit};

/// The `LIMIT` of the query of a page: one row more than the page holds.
pub(crate) fn query_limit(limit: PageLimit) -> i64 {
    row_count(limit.get()) + 1
}

/// Makes a page of the rows that a query with the limit [`query_limit`] returned.
pub(crate) fn from_rows<T>(
    mut items: Vec<T>,
    limit: PageLimit,
    cursor: impl Fn(&T) -> Cursor,
) -> Page<T> {
    let more = items.len() > limit.get();
    items.truncate(limit.get());
    let next = items.last().filter(|_| more).map(cursor);
    Page { items, next }
}

/// A number of rows as a `bigint`.
pub(crate) fn row_count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
