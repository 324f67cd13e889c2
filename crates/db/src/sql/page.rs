//! Pages of a list. The query of a page reads one row more than the page holds, to see
//! whether another page follows.

use std::ops::ControlFlow;

use lectern_domain::{Cursor, Page, PageLimit};

/// The `LIMIT` of the query of a page: one row more than the page holds.
pub(crate) fn query_limit(limit: PageLimit) -> i64 {
    row_count(limit.get()) + 1
}

/// Bytes after which a page ends even if it has fewer rows than requested. A page has at
/// least one row, even if the row has more bytes.
const MAX_PAGE_BYTES: usize = 1 << 20;

/// Collects the rows of a page that is bounded in rows and bytes.
#[derive(Debug)]
pub(crate) struct BoundedPage<T, C = Cursor> {
    items: Vec<T>,
    rows: usize,
    bytes: usize,
    limit: usize,
    last: Option<C>,
    is_full: bool,
}

impl<T, C> BoundedPage<T, C> {
    pub(crate) fn new(limit: PageLimit) -> Self {
        Self {
            items: Vec::new(),
            rows: 0,
            bytes: 0,
            limit: limit.get(),
            last: None,
            is_full: false,
        }
    }

    /// Counts a row, unless the page ends before it. A page whose last row has no cursor
    /// is the last page.
    pub(crate) fn admit(&mut self, cursor: Option<C>, bytes: usize) -> ControlFlow<()> {
        if self.rows == self.limit || self.bytes >= MAX_PAGE_BYTES {
            self.is_full = true;
            return ControlFlow::Break(());
        }
        self.rows += 1;
        self.bytes += bytes;
        self.last = cursor;
        ControlFlow::Continue(())
    }

    /// Adds the value of an admitted row, unless it is unreadable.
    pub(crate) fn push(&mut self, item: Option<T>) {
        self.items.extend(item);
    }

    /// Whether no further row can be admitted.
    pub(crate) fn is_full(&self) -> bool {
        self.is_full
    }

    pub(crate) fn finish(self) -> Page<T, C> {
        Page {
            next: self.last.filter(|_| self.is_full),
            items: self.items,
        }
    }
}

/// Makes a page of the rows that a query with [`query_limit`] found. A page whose last row
/// has no cursor is the last page.
pub(crate) fn from_rows<T, C>(
    mut items: Vec<T>,
    limit: PageLimit,
    cursor: impl Fn(&T) -> Option<C>,
) -> Page<T, C> {
    let more = items.len() > limit.get();
    items.truncate(limit.get());
    let next = items.last().filter(|_| more).and_then(cursor);
    Page { items, next }
}

/// A number of rows as a `bigint`.
pub(crate) fn row_count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
