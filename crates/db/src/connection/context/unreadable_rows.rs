//! Leaves rows that break a rule of the domain out of lists, and counts and logs them.
//! Another program may have written such a row before the table had a CHECK for the rule.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use super::TransactionContext;
use crate::error::Error;

/// The greatest number of rows that are remembered as logged, so that polling a
/// list does not fill the log. Every omission of further rows is logged.
const MAX_REPORTED: usize = 10_000;

impl TransactionContext<'_> {
    /// Converts the rows of a list, without those that break a rule of the domain: one
    /// invalid row must not hide all other rows.
    pub(crate) fn readable_rows<Row, T>(&self, rows: Vec<Row>) -> Result<Vec<T>, Error>
    where
        T: TryFrom<Row, Error = Error>,
    {
        let rows = rows.into_iter();
        rows.filter_map(|row| self.readable(row).transpose())
            .collect()
    }

    /// Converts a row of a list; `None` if it breaks a rule of the domain.
    pub(crate) fn readable<Row, T>(&self, row: Row) -> Result<Option<T>, Error>
    where
        T: TryFrom<Row, Error = Error>,
    {
        match T::try_from(row) {
            Err(error @ Error::Corrupt { .. }) => {
                self.unreadable.record(&error);
                Ok(None)
            }
            converted => converted.map(Some),
        }
    }
}

/// Counts how often rows were left out of lists and claims, and logs each of up to
/// [`MAX_REPORTED`] rows once.
#[derive(Debug, Default)]
pub(crate) struct UnreadableRows {
    omissions: AtomicU64,
    reported: Mutex<HashSet<(&'static str, uuid::Uuid)>>,
}

impl UnreadableRows {
    pub(crate) fn omissions(&self) -> u64 {
        self.omissions.load(Ordering::Relaxed)
    }

    pub(crate) fn record(&self, error: &Error) {
        self.omissions.fetch_add(1, Ordering::Relaxed);
        if let Error::Corrupt { table, id, .. } = error {
            let mut reported = self.reported.lock();
            if reported.contains(&(*table, *id)) {
                return;
            }
            if reported.len() < MAX_REPORTED {
                reported.insert((*table, *id));
            }
        }
        log::error!("left out an unreadable row: {error}");
    }
}
