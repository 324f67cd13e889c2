//! One client connection.

use std::net::IpAddr;
use std::sync::Arc;
use std::task::Waker;

use actix_web::HttpRequest;
use tokio::time::Instant;

use super::registry::Connections;
use super::state::{ConnectionState, Refusal};

/// A client connection, registered until the value is dropped.
#[derive(Debug)]
pub(crate) struct Connection {
    registry: Arc<Connections>,
    state: Arc<ConnectionState>,
}

impl Connection {
    /// The connection of a request; `None` in an app with another listener.
    pub(crate) fn of(request: &HttpRequest) -> Option<&Self> {
        request.conn_data::<Arc<Self>>().map(AsRef::as_ref)
    }

    /// Registers a new connection, which may be refused.
    pub(crate) fn open(registry: Arc<Connections>, peer: IpAddr) -> Self {
        let state = registry.admit(peer);
        Self { registry, state }
    }

    /// Why requests on this connection are refused, if they are.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        self.state.refusal
    }

    /// Ends the connection after the response in flight.
    pub(crate) fn close(&self) {
        self.state.close();
    }

    /// Whether no further request may begin.
    pub(super) fn is_closing(&self) -> bool {
        self.state.is_closing()
    }

    /// Whether the place of the connection was given to another one, so that it must not
    /// wait for the client to read.
    pub(super) fn is_evicted(&self) -> bool {
        self.state.is_evicted()
    }

    /// Begins a request. The connection stays open until the guard is dropped.
    pub(crate) fn begin_request(&self) -> RequestGuard {
        self.registry.set_busy(&self.state);
        *self.state.deadline.lock() = None;
        RequestGuard {
            registry: Arc::clone(&self.registry),
            state: Arc::clone(&self.state),
        }
    }

    /// When the next request must have begun; `None` while one is in flight.
    pub(super) fn deadline(&self) -> Option<Instant> {
        *self.state.deadline.lock()
    }

    /// Sets the waker that is woken when the connection has to be closed.
    pub(super) fn register(&self, waker: &Waker) {
        self.state.register(waker);
    }

    /// Notes that the client has read something. An idle connection moves to the end of the
    /// queue of idle connections.
    pub(super) fn note_progress(&self) {
        if self.deadline().is_some() {
            self.registry.set_idle(&self.state);
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.registry.remove(&self.state);
    }
}

/// A request in flight on a connection.
#[derive(Debug)]
pub(crate) struct RequestGuard {
    registry: Arc<Connections>,
    state: Arc<ConnectionState>,
}

impl Drop for RequestGuard {
    fn drop(&mut self) {
        let limits = &self.registry.limits;
        // The head of the next request may begin as late as the end of the idle time.
        let deadline = Instant::now() + limits.idle_timeout + limits.head_timeout;
        *self.state.deadline.lock() = Some(deadline);
        self.registry.set_idle(&self.state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::connections::{ConnectionLimits, MAX_REFUSED};

    fn connections(max: usize, per_address: usize) -> Arc<Connections> {
        let limits = ConnectionLimits {
            max_per_address: Some(per_address),
            ..ConnectionLimits::default()
        };
        let proxies = vec!["10.9.0.0/16".parse().unwrap()];
        Connections::new(limits, max, proxies)
    }

    fn open(connections: &Arc<Connections>, peer: IpAddr) -> Connection {
        Connection::open(Arc::clone(connections), peer)
    }

    fn peer(n: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, n])
    }

    #[test]
    fn the_connection_that_was_idle_longest_makes_room() {
        let connections = connections(3, 9);
        let [a, b, c] = [1, 2, 3].map(|n| open(&connections, peer(n)));
        drop(a.begin_request());
        let d = open(&connections, peer(4));
        let closing = [&a, &b, &c, &d].map(Connection::is_closing);
        assert_eq!(closing, [false, true, false, false]);
        drop(b);
        let last = open(&connections, peer(5));
        assert!(c.is_closing() && !a.is_closing());
        drop((a, c, d, last));
        assert_eq!(connections.count(), (0, 0));
    }

    #[test]
    fn a_connection_is_refused_only_when_all_are_busy() {
        let connections = connections(2, 9);
        let [a, b] = [1, 2].map(|n| open(&connections, peer(n)));
        let (busy, _b) = (a.begin_request(), b.begin_request());
        let refused = open(&connections, peer(3));
        assert_eq!(refused.refusal(), Some(Refusal::Server));
        assert!(!refused.is_closing(), "it is answered");
        let others: Vec<_> = (1..MAX_REFUSED)
            .map(|_| open(&connections, peer(3)))
            .collect();
        assert!(open(&connections, peer(3)).is_closing(), "one too many");
        drop((refused, others));
        assert!(!open(&connections, peer(3)).is_closing());
        drop(busy);
        assert_eq!(open(&connections, peer(3)).refusal(), None);
        assert!(a.is_closing());
    }

    #[test]
    fn connections_are_closed_when_the_server_stops() {
        let connections = connections(9, 9);
        let [idle, busy] = [1, 2].map(|n| open(&connections, peer(n)));
        let request = busy.begin_request();
        connections.close_idle();
        assert!(idle.is_closing() && !busy.is_closing());
        drop(request);
        assert!(busy.is_closing() && open(&connections, peer(3)).is_closing());
        drop((idle, busy));
        assert_eq!(connections.count(), (0, 0));
    }

    #[test]
    fn an_address_has_its_own_limit_unless_it_connects_for_many_clients() {
        let connections = connections(9, 2);
        let [a, b, other] = [1, 1, 2].map(|n| open(&connections, peer(n)));
        let _busy = a.begin_request();
        let c = open(&connections, peer(1));
        assert!(b.is_closing() && !other.is_closing());
        let _busy = c.begin_request();
        assert_eq!(
            open(&connections, peer(1)).refusal(),
            Some(Refusal::Address)
        );
        for unlimited in ["127.0.0.1", "::1", "10.9.1.1", "::ffff:127.0.0.1"] {
            let peer = unlimited.parse().unwrap();
            let open = [(); 3].map(|()| open(&connections, peer));
            assert!(open.iter().all(|open| !open.is_closing()), "{unlimited}");
        }
        // In IPv6 a /64 network is one client.
        let [a, _b, c] = ["2001:db8::1", "2001:db8::2", "2001:db8:0:0:9::1"]
            .map(|peer| open(&connections, peer.parse().unwrap()));
        assert!(a.is_closing() && !c.is_closing());
    }
}
