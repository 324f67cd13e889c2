//! The order of lists of jobs, and their pages.

use crate::value::string_enum::string_enum;
use crate::value::{Cursor, Direction, PageLimit};

string_enum! {
    /// The time by which a list of jobs is sorted.
    JobOrder {
        /// The time of creation.
        CreatedAt = "created_at",
        /// The time of the last change.
        UpdatedAt = "updated_at",
        /// The time of completion. In both directions, the jobs that are not completed come
        /// last, sorted by their time of creation.
        CompletedAt = "completed_at",
    }
}

/// A position in a list of jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobCursor {
    /// The order of the list.
    pub order: JobOrder,
    /// The direction of the list.
    pub direction: Direction,
    /// The time by which the list is sorted, and the id of the last job of a page.
    pub position: Cursor,
    /// In the order of completion, whether the last job of the page is not completed. The
    /// time is then that of its creation.
    pub is_uncompleted: bool,
}

/// A request for one page of a list of jobs. By default, the newest jobs come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobPageRequest {
    /// The greatest number of jobs.
    pub limit: PageLimit,
    /// The time by which the list is sorted.
    pub order: JobOrder,
    /// Whether the list begins with the oldest or with the newest job.
    pub direction: Direction,
    /// [`Page::next`](crate::Page::next) of the previous page, which must have the same
    /// order and direction; `None` for the first page.
    pub after: Option<JobCursor>,
}

impl Default for JobPageRequest {
    fn default() -> Self {
        Self {
            limit: PageLimit::default(),
            order: JobOrder::CreatedAt,
            direction: Direction::Descending,
            after: None,
        }
    }
}

impl JobPageRequest {
    /// Whether the cursor, if there is one, is from a list of the same order and direction.
    pub fn has_matching_cursor(&self) -> bool {
        let matches =
            |after: JobCursor| after.order == self.order && after.direction == self.direction;
        self.after.is_none_or(matches)
    }
}
