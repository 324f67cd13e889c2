//! Detects a write within a write, which would deadlock.

use std::cell::RefCell;

use crate::error::Error;

thread_local! {
    /// The databases this thread has an open write transaction on, each by the
    /// address of its pools.
    static WRITING: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// Marks the current thread as writing to one database until the mark is dropped,
/// also by a panic.
#[derive(Debug)]
pub(crate) struct WriteMark(usize);

impl WriteMark {
    /// `pools` is the address of the pools, which all handles to the database
    /// share.
    ///
    /// # Errors
    ///
    /// [`Error::NestedWrite`] when the thread is marked already.
    pub(crate) fn set(pools: usize) -> Result<Self, Error> {
        check(pools)?;
        WRITING.with_borrow_mut(|writing| writing.push(pools));
        Ok(Self(pools))
    }
}

/// [`Error::NestedWrite`] when the current thread writes to this database.
pub(crate) fn check(pools: usize) -> Result<(), Error> {
    if WRITING.with_borrow(|writing| writing.contains(&pools)) {
        return Err(Error::NestedWrite);
    }
    Ok(())
}

impl Drop for WriteMark {
    fn drop(&mut self) {
        WRITING.with_borrow_mut(|writing| writing.retain(|pools| *pools != self.0));
    }
}
