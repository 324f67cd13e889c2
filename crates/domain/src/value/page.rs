//! Pages of a list.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::value::invalid::Invalid;
use crate::value::string_enum::string_enum;

/// How many items a page holds, 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageLimit(u8);

impl PageLimit {
    /// The greatest number of items.
    pub const MAX: i64 = 100;

    /// Checks the bounds.
    pub fn new(limit: i64) -> Result<Self, Invalid> {
        match u8::try_from(limit) {
            Ok(limit @ 1..=100) => Ok(Self(limit)),
            _ => Err(Invalid::new("must be between 1 and 100")),
        }
    }

    /// The number of items.
    pub fn get(self) -> usize {
        usize::from(self.0)
    }
}

impl Default for PageLimit {
    /// 50 items.
    fn default() -> Self {
        Self(50)
    }
}

/// The position in a list after which the next page begins: the time and public id
/// of the last row of a page. Rows that are deleted or added in the meantime do
/// not shift the position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The value the list is sorted by.
    pub time: DateTime<Utc>,
    /// Orders rows of the same time.
    pub id: Uuid,
}

/// A request for one page of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PageRequest {
    /// The greatest number of items.
    pub limit: PageLimit,
    /// [`Page::next`] of the previous page; `None` for the first page.
    pub after: Option<Cursor>,
}

/// One page of a list, whose positions are `C`.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T, C = Cursor> {
    /// The items.
    pub items: Vec<T>,
    /// Cursor of the next page; `None` on the last page.
    pub next: Option<C>,
}

string_enum! {
    /// The direction of a list.
    Direction {
        /// The oldest first.
        Ascending = "asc",
        /// The newest first.
        Descending = "desc",
    }
}

/// The number of items on all pages of a list, counted up to a limit, because the time
/// to count items grows with their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Total {
    /// The number of items, or the limit if there are more.
    pub count: i64,
    /// Whether there are more items than `count`.
    pub is_lower_bound: bool,
}

impl Total {
    /// How many items of a list are counted.
    pub const MAX: i64 = 10_000;

    /// The total of a list, of which `found` items were counted by a query that stops
    /// after `max + 1`.
    pub fn up_to(max: i64, found: i64) -> Self {
        Self {
            count: found.min(max),
            is_lower_bound: found > max,
        }
    }
}
