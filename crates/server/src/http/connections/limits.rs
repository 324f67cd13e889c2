//! How many connections there may be, and for how long they may be idle.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

/// Limits of client connections.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionLimits {
    /// Upper bound of connections; `None`: as many as the limit of open files allows.
    pub max: Option<usize>,
    /// Upper bound of connections from one address, or from one /64 network in IPv6;
    /// `None`: a quarter of all. Loopback addresses and trusted proxies have no bound,
    /// because they connect for many clients.
    pub max_per_address: Option<usize>,
    /// How long a client may take to send the head of its first request; 10 seconds by
    /// default. The head of a later request must be complete within `idle_timeout` plus
    /// this time after the previous request.
    pub head_timeout: Duration,
    /// How long a connection may be idle between two requests; 75 seconds by default,
    /// longer than the idle timeout of common load balancers, so that the server does
    /// not close a connection just as a request arrives on it.
    pub idle_timeout: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            max: None,
            max_per_address: None,
            head_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
        }
    }
}

/// The address under which a peer is counted: in IPv6 that of its /64 network,
/// because a client can use all addresses of its network.
pub(super) fn client_of(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => {
            let network = address.to_bits() & (u128::MAX << 64);
            IpAddr::V6(Ipv6Addr::from_bits(network))
        }
        address @ IpAddr::V4(_) => address,
    }
}
