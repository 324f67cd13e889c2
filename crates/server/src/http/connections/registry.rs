//! All client connections of a server.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::idle::IdleQueue;
use super::limits::{ConnectionLimits, client_of};
use super::state::{ConnectionState, Refusal};
use crate::http::address::IpNetwork;

/// Upper bound of the refused connections that are kept open until their first request
/// has been answered with a 503. Further ones are closed at once.
pub(crate) const MAX_REFUSED: usize = 16;

/// Time between two warnings that connections are refused.
const WARNING_INTERVAL: Duration = Duration::from_mins(1);

/// The client connections of one server, on all its HTTP threads.
#[derive(Debug)]
pub(crate) struct Connections {
    pub(super) limits: ConnectionLimits,
    max: usize,
    max_per_address: usize,
    /// Peers whose connections are limited only by `max`.
    trusted_proxies: Vec<IpNetwork>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    open: usize,
    open_by_client: HashMap<IpAddr, usize>,
    idle: IdleQueue<Arc<ConnectionState>>,
    /// Connections are closed as soon as they are idle.
    is_stopping: bool,
    /// Refused connections that are still open.
    refused: usize,
    last_warning: Option<Instant>,
}

impl Connections {
    /// A registry for at most `capacity` connections, or fewer if `limits` says so.
    pub(crate) fn new(
        limits: ConnectionLimits,
        capacity: usize,
        trusted_proxies: Vec<IpNetwork>,
    ) -> Arc<Self> {
        let max = limits.max.map_or(capacity, |max| max.min(capacity)).max(1);
        Arc::new(Self {
            limits,
            max,
            max_per_address: limits.max_per_address.unwrap_or((max / 4).max(1)),
            trusted_proxies,
            state: Mutex::default(),
        })
    }

    /// Upper bound of the connections.
    pub(crate) fn max(&self) -> usize {
        self.max
    }

    /// Registers a new connection. At a limit it takes the place of the connection that
    /// has been idle longest.
    pub(super) fn admit(&self, peer: IpAddr) -> Arc<ConnectionState> {
        let client = client_of(peer);
        let deadline = tokio::time::Instant::now() + self.limits.head_timeout;
        let mut state = self.state.lock();
        if let Err(refusal) = self.make_room(&mut state, peer, client) {
            self.warn(&mut state, peer, refusal);
            state.refused += 1;
            let is_served = state.refused <= MAX_REFUSED;
            return Arc::new(ConnectionState::new(
                client,
                Some(refusal),
                is_served,
                deadline,
            ));
        }
        state.open += 1;
        *state.open_by_client.entry(client).or_default() += 1;
        let connection = Arc::new(ConnectionState::new(client, None, true, deadline));
        state.set_idle(&connection);
        connection
    }

    /// Closes the idle connections, and all others when they have become idle.
    pub(crate) fn close_idle(&self) {
        let mut state = self.state.lock();
        state.is_stopping = true;
        while let Some(idle) = state.idle.pop() {
            idle.set_ticket(None);
            idle.close();
        }
    }

    /// The numbers of open connections and of clients that have one.
    #[cfg(test)]
    pub(super) fn count(&self) -> (usize, usize) {
        let state = self.state.lock();
        (state.open, state.open_by_client.len())
    }

    fn make_room(&self, state: &mut State, peer: IpAddr, client: IpAddr) -> Result<(), Refusal> {
        let client_connections = state.open_by_client.get(&client).copied().unwrap_or(0);
        if client_connections >= self.max_per_address && !self.is_unlimited(peer) {
            let idle = state.idle.pop_of(client).ok_or(Refusal::Address)?;
            state.evict(&idle);
        }
        if state.open >= self.max {
            let idle = state.idle.pop().ok_or(Refusal::Server)?;
            state.evict(&idle);
        }
        Ok(())
    }

    /// Whether the peer connects for many clients.
    fn is_unlimited(&self, peer: IpAddr) -> bool {
        let mut proxies = self.trusted_proxies.iter();
        peer.to_canonical().is_loopback() || proxies.any(|proxy| proxy.contains(peer))
    }

    fn warn(&self, state: &mut State, peer: IpAddr, refusal: Refusal) {
        let now = Instant::now();
        let is_recent = |last: Instant| now.duration_since(last) < WARNING_INTERVAL;
        if state.last_warning.is_some_and(is_recent) {
            return;
        }
        state.last_warning = Some(now);
        match refusal {
            Refusal::Address => log::warn!(
                "connections from {peer} are refused: it has {} with requests in flight; \
                 LECTERN_MAX_CONNECTIONS_PER_ADDRESS and LECTERN_TRUSTED_PROXIES change that",
                self.max_per_address
            ),
            Refusal::Server => log::warn!(
                "connections are refused: all {} have requests in flight",
                self.max
            ),
        }
    }

    /// Removes a connection from the idle queue, because a request begins.
    pub(super) fn set_busy(&self, connection: &ConnectionState) {
        let mut state = self.state.lock();
        if let Some(ticket) = connection.set_ticket(None) {
            state.idle.remove(ticket);
        }
    }

    /// Moves a connection to the end of the idle queue, or adds it there.
    pub(super) fn set_idle(&self, connection: &Arc<ConnectionState>) {
        let mut state = self.state.lock();
        if connection.is_closing() || connection.refusal.is_some() {
            return;
        }
        if let Some(ticket) = connection.set_ticket(None) {
            state.idle.remove(ticket);
        }
        state.set_idle(connection);
    }

    /// Forgets a connection that is closed.
    pub(super) fn remove(&self, connection: &ConnectionState) {
        let mut state = self.state.lock();
        // A request that ends later must not make it idle.
        connection.close();
        if connection.refusal.is_some() {
            state.refused -= 1;
            return;
        }
        if let Some(ticket) = connection.set_ticket(None) {
            state.idle.remove(ticket);
        }
        if !connection.is_evicted() {
            state.release(connection.client);
        }
    }
}

impl State {
    /// Adds a connection that is not in the idle queue to its end.
    fn set_idle(&mut self, connection: &Arc<ConnectionState>) {
        if self.is_stopping {
            connection.close();
            return;
        }
        let ticket = self.idle.push(connection.client, Arc::clone(connection));
        connection.set_ticket(Some(ticket));
    }

    /// Closes a connection, and frees its place at once.
    fn evict(&mut self, idle: &ConnectionState) {
        idle.set_ticket(None);
        self.release(idle.client);
        idle.evict();
    }

    fn release(&mut self, client: IpAddr) {
        self.open -= 1;
        if let Some(count) = self.open_by_client.get_mut(&client) {
            *count -= 1;
            if *count == 0 {
                self.open_by_client.remove(&client);
            }
        }
    }
}
