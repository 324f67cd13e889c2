//! Long lists, page by page.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::Invalid;

/// How many items a page holds, 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageLimit(u8);

impl PageLimit {
    /// The greatest page.
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

/// The place in a list after which the next page begins: the time and public
/// id of the last row seen. It needs no row to be there still, and rows added
/// meanwhile move nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// Time of the last row seen.
    pub time: DateTime<Utc>,
    /// Public id of the last row seen.
    pub id: Uuid,
}

/// Which page of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PageRequest {
    /// How many items at most.
    pub limit: PageLimit,
    /// Where the page before ended; `None` for the first page.
    pub after: Option<Cursor>,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next page begins; `None` when this one is the last.
    pub next: Option<Cursor>,
}
