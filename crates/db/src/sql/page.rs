//! Pages of a list: one row more than asked for shows that another page follows.

use lectern_domain::{Cursor, Page, PageLimit};

/// The `LIMIT` of the query of a page.
pub(crate) fn one_more(limit: PageLimit) -> i64 {
    row_count(limit.get()) + 1
}

/// Makes a page of the rows that a query with [`one_more`] found.
pub(crate) fn cut<T>(
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
