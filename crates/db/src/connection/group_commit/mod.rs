//! Commits the writes of concurrent callers together, on SQLite.
//!
//! SQLite has one writer at a time, and a durable commit waits for the disk. So a
//! writer that is done passes its open transaction on to the next writer in the queue
//! instead of committing it, and waits; the last writer commits for all. A writer
//! that fails rolls back to the savepoint at which it began, which leaves the changes
//! of the other writers in place. If no other writer waits, a writer commits at once.
//!
//! A write of many rows shares no transaction, because the others would wait for it. Such
//! writes have a queue of their own, and between two of them come all short writes that wait when
//! the first one ends: a short write waits for at most one long one, and a long one for these.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::db_connection::DbConnection;
use super::pool::Checkout;
use crate::error::{Doing, Error, Outage};

/// The greatest number of writes in one commit.
const MAX_MEMBERS: usize = 64;

/// Age at which a transaction is committed even if more writers are queued, because
/// its first member and other processes wait until it ends.
const MAX_AGE: Duration = Duration::from_millis(20);

/// The queue of the writers of one database.
#[derive(Default)]
pub(crate) struct WriterQueue(Mutex<State>);

#[derive(Default)]
struct State {
    /// Whether a writer has its turn.
    is_busy: bool,
    waiting: VecDeque<Arc<Waiter>>,
    /// Those that wait for a long write.
    waiting_long: VecDeque<Arc<Waiter>>,
    /// Whether the last turn, or the current one, is that of a long write.
    is_long: bool,
    /// The number of short writes that come before the next long one.
    short_first: usize,
}

/// How long a write takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    Short,
    /// It stores many rows.
    Long,
}

impl State {
    fn queue(&mut self, length: Length) -> &mut VecDeque<Arc<Waiter>> {
        match length {
            Length::Short => &mut self.waiting,
            Length::Long => &mut self.waiting_long,
        }
    }

    /// The short writer that is next.
    fn next_short(&mut self) -> Option<Arc<Waiter>> {
        self.short_first = self.short_first.saturating_sub(1);
        self.waiting.pop_front()
    }

    /// The writer that begins the next transaction.
    fn next(&mut self) -> Option<Arc<Waiter>> {
        if self.is_long {
            self.short_first = self.waiting.len();
        }
        let is_turn_of_long = self.waiting.is_empty() || self.short_first == 0;
        self.is_long = is_turn_of_long && !self.waiting_long.is_empty();
        if self.is_long {
            self.waiting_long.pop_front()
        } else {
            self.next_short()
        }
    }
}

#[derive(Default)]
struct Waiter {
    turn: Mutex<Option<Turn>>,
    has_turn: Condvar,
}

/// How a writer begins when its turn comes.
pub(super) enum Turn {
    /// Begin a transaction.
    Begin,
    /// Join the transaction of the writers before it.
    Join(Box<OpenTransaction>),
}

/// A transaction with the changes of writers that wait for its commit.
pub(super) struct OpenTransaction {
    conn: Checkout,
    began: Instant,
    members: Vec<SyncSender<Outcome>>,
}

/// The outcome of a commit, as sent to the members that wait for it.
type Outcome = Result<(), (Outage, String)>;

impl WriterQueue {
    /// Waits for the caller's turn.
    pub(super) fn turn(&self, length: Length, timeout: Duration) -> Result<Turn, Error> {
        let deadline = Instant::now() + timeout;
        let waiter = {
            let mut state = self.0.lock();
            if !state.is_busy {
                state.is_busy = true;
                state.is_long = length == Length::Long;
                return Ok(Turn::Begin);
            }
            let waiter = Arc::new(Waiter::default());
            state.queue(length).push_back(Arc::clone(&waiter));
            waiter
        };
        {
            let mut turn = waiter.turn.lock();
            while turn.is_none() {
                if waiter.has_turn.wait_until(&mut turn, deadline).timed_out() {
                    break;
                }
            }
            if let Some(turn) = turn.take() {
                return Ok(turn);
            }
        }
        let mut state = self.0.lock();
        let queue = state.queue(length);
        queue.retain(|other| !Arc::ptr_eq(other, &waiter));
        // The turn may have come just now.
        let turn = waiter.turn.lock().take();
        turn.ok_or_else(|| Error::Unavailable {
            doing: format!("other writes took longer than {timeout:?}"),
            outage: Outage::Locked,
            source: "timeout".into(),
        })
    }

    /// Ends the caller's turn; the next short writer joins `open`, if given. But if `open` is
    /// given and no short writer waits, returns it: the turn goes on, and the caller has to
    /// commit.
    fn pass_on(&self, open: Option<OpenTransaction>) -> Option<OpenTransaction> {
        let mut state = self.0.lock();
        let next = if open.is_some() {
            state.next_short()
        } else {
            state.next()
        };
        let Some(next) = next else {
            state.is_busy = open.is_some();
            return open;
        };
        *next.turn.lock() = Some(open.map_or(Turn::Begin, |open| Turn::Join(Box::new(open))));
        next.has_turn.notify_one();
        None
    }
}

/// The transaction of one write.
pub(super) enum WriteTransaction {
    /// A transaction of its own, on PostgreSQL.
    Unshared(Checkout),
    /// A transaction that the write may share with other writes, on SQLite.
    Shared(WriterTurn),
}

impl WriteTransaction {
    pub(super) fn connection(&mut self) -> Result<&mut DbConnection, Error> {
        match self {
            Self::Unshared(pooled) => Ok(&mut pooled.conn),
            Self::Shared(turn) => turn.connection(),
        }
    }

    /// Makes the pool replace the connection after the transaction. Does nothing on
    /// SQLite, where all writes share one connection.
    pub(super) fn replace_connection_afterwards(&mut self) {
        if let Self::Unshared(pooled) = self {
            pooled.replace_when_returned();
        }
    }

    pub(super) fn commit(self) -> Result<(), Error> {
        match self {
            Self::Unshared(mut pooled) => {
                let ended = pooled.conn.commit();
                end(pooled, ended)
            }
            Self::Shared(turn) => turn.commit(),
        }
    }

    pub(super) fn rollback(self) -> Result<(), Error> {
        match self {
            Self::Unshared(mut pooled) => {
                let ended = pooled.conn.rollback();
                end(pooled, ended)
            }
            Self::Shared(turn) => turn.rollback(),
        }
    }
}

/// If the transaction could not be ended, closes the connection, so that the database
/// rolls back.
fn end(mut pooled: Checkout, ended: Result<(), Error>) -> Result<(), Error> {
    if ended.is_err() {
        pooled.discard();
    }
    ended
}

/// The turn of one writer, in its transaction or in the one it has joined.
pub(super) struct WriterTurn {
    queue: Arc<WriterQueue>,
    /// `None` once the turn has ended.
    open: Option<OpenTransaction>,
    has_joined: bool,
    length: Length,
}

impl WriterTurn {
    /// Waits for the caller's turn and begins. `begin` opens a transaction.
    pub(super) fn begin(
        queue: Arc<WriterQueue>,
        length: Length,
        timeout: Duration,
        begin: impl FnOnce() -> Result<Checkout, Error>,
    ) -> Result<Self, Error> {
        let turn = queue.turn(length, timeout)?;
        let mut this = Self {
            queue,
            open: None,
            has_joined: false,
            length,
        };
        let open = match turn {
            Turn::Begin => OpenTransaction {
                conn: begin().inspect_err(|_| {
                    this.queue.pass_on(None);
                })?,
                began: Instant::now(),
                members: Vec::new(),
            },
            Turn::Join(open) => {
                this.has_joined = true;
                *open
            }
        };
        let conn = &mut this.open.insert(open).conn;
        if this.has_joined {
            conn.conn.begin_savepoint().doing("begin a savepoint")?;
        }
        Ok(this)
    }

    fn connection(&mut self) -> Result<&mut DbConnection, Error> {
        let open = self.open.as_mut().map(|open| &mut open.conn.conn);
        open.ok_or(Error::NotCommitted {
            reason: "its turn has ended",
        })
    }

    /// Commits, or lets the next writer join and waits until the last one has
    /// committed.
    fn commit(mut self) -> Result<(), Error> {
        let Some(mut open) = self.open.take() else {
            return Ok(());
        };
        let ended = if self.has_joined {
            open.conn.conn.release_savepoint()
        } else {
            open.conn.conn.check_open()
        };
        if let Err(error) = ended {
            self.abandon(open, &error);
            return Err(error);
        }
        let is_shared = self.length == Length::Short;
        if is_shared && open.members.len() + 1 < MAX_MEMBERS && open.began.elapsed() < MAX_AGE {
            let (sender, outcome) = sync_channel(1);
            open.members.push(sender);
            match self.queue.pass_on(Some(open)) {
                Some(returned) => {
                    open = returned;
                    open.members.pop();
                }
                None => return result_for_member(outcome.recv().ok()),
            }
        }
        self.commit_all(open)
    }

    /// Rolls back the caller's changes only.
    fn rollback(mut self) -> Result<(), Error> {
        let Some(mut open) = self.open.take() else {
            return Ok(());
        };
        if !self.has_joined {
            let rolled_back = open.conn.conn.rollback();
            if rolled_back.is_err() {
                open.conn.discard();
            }
            drop(open);
            self.queue.pass_on(None);
            return rolled_back;
        }
        if let Err(error) = open.conn.conn.rollback_to_savepoint() {
            self.abandon(open, &error);
            return Err(error);
        }
        if let Some(open) = self.queue.pass_on(Some(open)) {
            // If the commit fails, the other members get the error. The caller's own
            // changes are rolled back in any case.
            let _ = self.commit_all(open);
        }
        Ok(())
    }

    fn commit_all(&self, mut open: OpenTransaction) -> Result<(), Error> {
        let committed = open.conn.conn.commit();
        if let Err(error) = &committed {
            self.abandon(open, error);
            return committed;
        }
        let OpenTransaction { conn, members, .. } = open;
        drop(conn);
        self.queue.pass_on(None);
        for member in members {
            // Does not block: the channel has capacity 1.
            let _ = member.send(Ok(()));
        }
        Ok(())
    }

    /// Closes the connection, which rolls everything back, and ends the turn.
    fn abandon(&self, mut open: OpenTransaction, error: &Error) {
        open.conn.discard();
        let OpenTransaction { conn, members, .. } = open;
        drop(conn);
        self.queue.pass_on(None);
        let outage = match error {
            Error::Unavailable { outage, .. } => *outage,
            _ => Outage::Connection,
        };
        for member in members {
            let _ = member.send(Err((outage, error.to_string())));
        }
    }
}

/// The result of a commit for a member that waited for it.
fn result_for_member(outcome: Option<Outcome>) -> Result<(), Error> {
    let unknown = || {
        Err((
            Outage::Commit,
            "the writer that was to commit it ended without a result".to_owned(),
        ))
    };
    outcome
        .unwrap_or_else(unknown)
        .map_err(|(outage, message)| Error::Unavailable {
            doing: "could not commit a transaction that several writes share".to_owned(),
            outage,
            source: message.into(),
        })
}

impl Drop for WriterTurn {
    /// After an error or a panic, ends the turn if it has not ended yet.
    fn drop(&mut self) {
        if let Some(open) = self.open.take() {
            let error = Error::NotCommitted {
                reason: "a writer of the same transaction ended",
            };
            self.abandon(open, &error);
        }
    }
}
