//! Pages of a set of rows that belongs to a job.
//!
//! A set can have a hundred thousand rows, so a caller that sends it to a slow client
//! reads the set page by page, and takes a connection for each page. Together, the
//! pages are the set as it was when the first page was read. A set changes only in three
//! ways: rows are added, with higher ids, all rows are replaced, or a single row is changed
//! or deleted, which `jobs.row_edits` counts. A later page therefore omits rows that were
//! added after the first page, and fails if the set was replaced or a row was edited.

use std::ops::ControlFlow;

use uuid::Uuid;

/// Upper bound of the rows of a page.
const MAX_ROWS: usize = 2_000;

/// Bytes of text after which a page ends.
const MAX_BYTES: usize = 256 << 10;

/// A row with more bytes of text than this is a page of its own. The SQL of
/// [`unless_large!`] contains the same number.
pub(crate) const LARGE_ROW_BYTES: i64 = 256 << 10;

/// A page of a set.
#[derive(Debug, Clone)]
pub struct SetPage<T> {
    /// The rows in the order of the set.
    pub items: Vec<T>,
    /// Where the next page begins; `None` on the last page.
    pub next: Option<SetCursor>,
}

/// Where the next page of a set begins.
#[derive(Debug, Clone)]
pub struct SetCursor {
    /// The last row of the pages so far, if any.
    pub(crate) last: Option<RowKey>,
    /// The number of rows so far: the offset of the next page if the order is not one of
    /// the columns of [`RowKey`], as for content segments by importance.
    pub(crate) skip: usize,
    /// The highest `id` when the first page was read. Later rows have higher ids.
    pub(crate) newest_id: i64,
    /// `jobs.row_edits` when the first page was read.
    pub(crate) row_edits: i64,
    /// The next row and its bytes of text, if the row is a page of its own.
    pub(crate) large: Option<(RowKey, usize)>,
    /// Upper bound of the rows that the next query reads: about the number that fits into
    /// a page, because PostgreSQL would also send the rows after the end of the page.
    limit: usize,
}

impl SetCursor {
    /// The size of the next row in bytes, if the row is a page of its own because of its
    /// size. Reading the row needs a few times this memory.
    pub fn large_row_bytes(&self) -> Option<usize> {
        self.large.map(|(_, bytes)| bytes)
    }
}

/// The position of a row in its set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowKey {
    pub(crate) id: i64,
    pub(crate) public_id: Uuid,
    pub(crate) start_time: f64,
    pub(crate) position: i32,
}

/// Collects the rows of a page.
#[derive(Debug)]
pub(crate) struct PageBuilder<T> {
    items: Vec<T>,
    bytes: usize,
    pub(crate) skip: usize,
    pub(crate) last: Option<RowKey>,
    large: Option<(RowKey, usize)>,
    limit: usize,
    /// The number of rows of the current query so far.
    returned: usize,
    is_full: bool,
}

impl<T> PageBuilder<T> {
    pub(crate) fn starting_after(cursor: Option<&SetCursor>) -> Self {
        Self {
            items: Vec::new(),
            bytes: 0,
            skip: cursor.map_or(0, |cursor| cursor.skip),
            last: cursor.and_then(|cursor| cursor.last),
            large: None,
            limit: cursor.map_or(MAX_ROWS + 1, |cursor| cursor.limit),
            returned: 0,
            is_full: false,
        }
    }

    /// A page that consists of one large row. Another page follows and may be empty.
    pub(crate) fn large_row(cursor: &SetCursor, key: RowKey, item: Option<T>) -> SetPage<T> {
        SetPage {
            items: item.into_iter().collect(),
            next: Some(SetCursor {
                last: Some(key),
                skip: cursor.skip + 1,
                large: None,
                ..cursor.clone()
            }),
        }
    }

    /// Begins a query.
    pub(crate) fn begin_query(&mut self) {
        self.returned = 0;
    }

    /// Upper bound of the rows of a query.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// Whether the set may have more rows for this page than the last query returned.
    pub(crate) fn wants_more(&self) -> bool {
        !self.is_full && self.returned == self.limit
    }

    /// Counts a row with `bytes` bytes of text. Breaks if the page ends before this row.
    pub(crate) fn admit(&mut self, key: RowKey, bytes: i64) -> ControlFlow<()> {
        let is_large = bytes > LARGE_ROW_BYTES;
        if is_large {
            self.large = Some((key, usize::try_from(bytes).unwrap_or_default()));
        }
        if is_large || self.items.len() >= MAX_ROWS || self.bytes >= MAX_BYTES {
            self.is_full = true;
            return ControlFlow::Break(());
        }
        self.returned += 1;
        self.skip += 1;
        self.last = Some(key);
        ControlFlow::Continue(())
    }

    /// Adds an admitted row.
    pub(crate) fn push(&mut self, item: T, bytes: i64) {
        self.items.push(item);
        self.bytes += usize::try_from(bytes).unwrap_or_default();
    }

    /// Returns the page. `set` is called if another page follows; it returns the
    /// `newest_id` and the `row_edits` of the first page.
    pub(crate) fn finish<E>(
        self,
        set: impl FnOnce() -> Result<(i64, i64), E>,
    ) -> Result<SetPage<T>, E> {
        let rows_that_fit = if self.bytes >= MAX_BYTES {
            self.returned
        } else {
            MAX_ROWS
        };
        let next = if self.is_full {
            let (newest_id, row_edits) = set()?;
            Some(SetCursor {
                last: self.last,
                skip: self.skip,
                newest_id,
                row_edits,
                large: self.large,
                limit: (2 * rows_that_fit).clamp(2, MAX_ROWS + 1),
            })
        } else {
            None
        };
        Ok(SetPage {
            items: self.items,
            next,
        })
    }
}

/// SQL for a column of unbounded length. Returns the value of the column, or `else` if the
/// value is large. The database then determines only the size of the value.
macro_rules! unless_large {
    ($type:ty, $column:literal, else $empty:literal) => {
        diesel::dsl::sql::<$type>(concat!(
            "CASE WHEN octet_length(CAST(",
            $column,
            " AS text)) <= 262144 THEN ",
            $column,
            " ELSE ",
            $empty,
            " END"
        ))
    };
}
pub(crate) use unless_large;

/// The body of a method that reads a page of a set.
///
/// `$query` is the boxed query of the rows that the filter selects, for the type `Db`.
/// `$sorted` adds the order and the condition that a row comes after the last row so far.
/// `$columns` has the columns of the row. Columns of unbounded length are wrapped in
/// [`unless_large!`], and `$bytes` is SQL for the number of bytes in these columns. `$key` is
/// the [`RowKey`] of a row. `$matches` is the part of the filter that SQL does not check, such
/// as the words of a search.
macro_rules! page_of_set {
    (
        $conn:expr, $job_id:expr, $after:expr,
        $table:ident, $row:ident, $public_id:ident,
        query: $query:expr,
        sorted: |$unsorted:ident, $pages:ident| $sorted:expr,
        columns: $columns:expr,
        bytes: $bytes:expr,
        key: |$keyed:ident, $id:ident| $key:expr,
        matches: |$matched:ident| $matches:expr $(,)?
    ) => {{
        use std::ops::ControlFlow;

        use diesel::sql_types::BigInt;

        use $crate::connection::each_row;
        use $crate::repositories::replace_set::set_page::{LARGE_ROW_BYTES, PageBuilder};
        use $crate::sql::page::row_count;
        use $crate::sql::prepared::Prepared;

        const DOING: &str = concat!("read a page of the ", stringify!($table), " of a job");
        let after: Option<&SetCursor> = $after;
        let job_id: JobId = $job_id;
        let context = $conn.context;
        let key_of = |$id: i64, $keyed: &$row| $key;
        let matches = |$matched: &$row| $matches;
        if let Some((cursor, last)) = after.and_then(|cursor| Some((cursor, cursor.last?))) {
            let has_no_edits = $crate::schema::jobs::table
                .filter($crate::schema::jobs::job_id.eq(Id(job_id)))
                .filter($crate::schema::jobs::row_edits.eq(cursor.row_edits));
            let found: i64 = $table::table
                .filter($table::$public_id.eq(Id(last.public_id)))
                .filter($table::job_id.eq(Id(job_id)))
                .filter(context.owned(stringify!($table)))
                .filter(diesel::dsl::exists(has_no_edits))
                .count()
                .get_result($conn.raw)
                .doing(DOING)?;
            if found == 0 {
                return Err(Error::ReplacedMeanwhile);
            }
        }
        if let Some((cursor, (key, bytes))) =
            after.and_then(|cursor| cursor.large.map(|large| (cursor, large)))
        {
            context.record_value_size(bytes);
            let row = $table::table
                .filter($table::$public_id.eq(Id(key.public_id)))
                .filter($table::job_id.eq(Id(job_id)))
                .filter(context.owned(stringify!($table)))
                .select(columns::<$row>())
                .first::<$row>($conn.raw)
                .optional()
                .doing(DOING)?
                .ok_or(Error::ReplacedMeanwhile)?;
            let item = if matches(&row) { context.readable(row)? } else { None };
            return Ok(PageBuilder::large_row(cursor, key, item));
        }
        let mut $pages = PageBuilder::starting_after(after);
        loop {
            $pages.begin_query();
            each_row!(
                $conn.raw,
                {
                    let mut $unsorted = $query
                        .filter($table::job_id.eq(Id(job_id)))
                        .filter(context.owned(stringify!($table)))
                        .limit(row_count($pages.limit()));
                    if let Some(cursor) = after {
                        $unsorted = $unsorted.filter($table::id.le(cursor.newest_id));
                    }
                    let row = ($table::id, diesel::dsl::sql::<BigInt>($bytes), $columns);
                    Prepared($sorted.select(row))
                } => (i64, i64, $row),
                DOING,
                |(id, bytes, row): (i64, i64, $row)| {
                    if $pages.admit(key_of(id, &row), bytes).is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                    debug_assert!(bytes <= LARGE_ROW_BYTES);
                    if matches(&row)
                        && let Some(item) = context.readable(row)?
                    {
                        $pages.push(item, bytes);
                    }
                    Ok::<_, Error>(ControlFlow::Continue(()))
                }
            );
            if !$pages.wants_more() {
                break;
            }
        }
        $pages.finish(|| match after {
            Some(cursor) => Ok((cursor.newest_id, cursor.row_edits)),
            None => {
                let newest: Option<i64> = $table::table
                    .filter($table::job_id.eq(Id(job_id)))
                    .select(diesel::dsl::max($table::id))
                    .first($conn.raw)
                    .doing(DOING)?;
                let row_edits: Option<i64> = $crate::schema::jobs::table
                    .filter($crate::schema::jobs::job_id.eq(Id(job_id)))
                    .select($crate::schema::jobs::row_edits)
                    .first($conn.raw)
                    .optional()
                    .doing(DOING)?;
                Ok((newest.unwrap_or_default(), row_edits.unwrap_or_default()))
            }
        })
    }};
}
pub(crate) use page_of_set;
