//! The state of one connection, which all threads share.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Waker;

use futures_util::task::AtomicWaker;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::idle::Ticket;

/// The state of one connection.
#[derive(Debug)]
pub(super) struct ConnectionState {
    /// The address under which the connection is counted.
    pub(super) client: IpAddr,
    pub(super) refusal: Option<Refusal>,
    /// Its place among the idle connections; changed under the lock of the registry.
    ticket: Mutex<Option<Ticket>>,
    /// When the next request must have begun; `None` while one is in flight.
    pub(super) deadline: Mutex<Option<Instant>>,
    /// Its place is given to another connection.
    is_evicted: AtomicBool,
    /// It has to end when the response in flight is sent.
    is_closing: AtomicBool,
    waker: AtomicWaker,
}

/// Which limit a refused connection exceeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The limit of the client's address.
    Address,
    /// The limit of the server.
    Server,
}

impl ConnectionState {
    /// A connection whose first request must have begun by `deadline`. It is closed at
    /// once unless `is_served`; a refused connection is served a 503.
    pub(super) fn new(
        client: IpAddr,
        refusal: Option<Refusal>,
        is_served: bool,
        deadline: Instant,
    ) -> Self {
        Self {
            client,
            refusal,
            ticket: Mutex::new(None),
            deadline: Mutex::new(Some(deadline)),
            is_evicted: AtomicBool::new(false),
            is_closing: AtomicBool::new(!is_served),
            waker: AtomicWaker::new(),
        }
    }

    /// Sets the waker that is woken when the connection has to be closed.
    pub(super) fn register(&self, waker: &Waker) {
        self.waker.register(waker);
    }

    /// Returns the previous ticket.
    pub(super) fn set_ticket(&self, ticket: Option<Ticket>) -> Option<Ticket> {
        std::mem::replace(&mut *self.ticket.lock(), ticket)
    }

    pub(super) fn is_evicted(&self) -> bool {
        self.is_evicted.load(Ordering::SeqCst)
    }

    pub(super) fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::SeqCst)
    }

    /// Ends the connection after the response in flight.
    pub(super) fn close(&self) {
        self.is_closing.store(true, Ordering::SeqCst);
        self.waker.wake();
    }

    /// Ends the connection, whose place is given to another one.
    pub(super) fn evict(&self) {
        self.is_evicted.store(true, Ordering::SeqCst);
        self.close();
    }
}
