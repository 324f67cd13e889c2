//! Limits and intervals of live updates.

use std::time::Duration;

/// Limits and intervals of live updates.
#[derive(Debug, Clone, Copy)]
pub struct LiveConfig {
    /// Upper bound of live connections; 10,000 by default.
    pub max_watchers: usize,
    /// Upper bound of the time a message waits until the client reads; 30 seconds
    /// by default.
    pub send_timeout: Duration,
    /// How long the peer of any connection may acknowledge no data before the
    /// kernel closes it (Linux only); two minutes by default.
    pub tcp_send_timeout: Duration,
    /// Time between two pings on a WebSocket; 30 seconds by default.
    pub ping_interval: Duration,
    /// How long a WebSocket may be silent before it is closed; 75 seconds by
    /// default, which is two unanswered pings.
    pub receive_timeout: Duration,
    /// Time between two comments in a server-sent event stream; 15 seconds by
    /// default.
    pub comment_interval: Duration,
}

impl Default for LiveConfig {
    fn default() -> Self {
        Self {
            max_watchers: 10_000,
            send_timeout: Duration::from_secs(30),
            tcp_send_timeout: Duration::from_mins(2),
            ping_interval: Duration::from_secs(30),
            receive_timeout: Duration::from_secs(75),
            comment_interval: Duration::from_secs(15),
        }
    }
}
