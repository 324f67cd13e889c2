//! Limits of live connections and their buffers; the poller has its own intervals.

use std::time::Duration;

/// Limits of live connections and their buffers.
#[derive(Debug, Clone, Copy)]
pub struct LiveConfig {
    /// Upper bound of live connections; 10,000 by default.
    pub max_watchers: usize,
    /// How long a message may wait for the client to read before the client is
    /// disconnected; 30 seconds by default.
    pub send_timeout: Duration,
    /// How long data sent on any connection may stay unacknowledged before the
    /// kernel closes the connection (Linux only); two minutes by default.
    pub tcp_send_timeout: Duration,
    /// Time between two pings on a WebSocket; 30 seconds by default.
    pub ping_interval: Duration,
    /// How long a client may send nothing over a WebSocket before the server closes the
    /// WebSocket; 75 seconds by default, enough for two unanswered pings.
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
