//! Limits and intervals of live updates.

use std::time::Duration;

/// How a client is watched by the server in turn.
#[derive(Debug, Clone, Copy)]
pub struct LiveConfig {
    /// How many clients may watch at once; 10,000 by default.
    pub max_watchers: usize,
    /// How long a client may take to make room for a message; 30 seconds by
    /// default.
    pub send_timeout: Duration,
    /// How long a connection may take nothing of what it is sent before the
    /// system closes it, whatever it is used for (Linux only); two minutes by
    /// default.
    pub tcp_send_timeout: Duration,
    /// Time between two pings on a WebSocket; 30 seconds by default.
    pub ping_interval: Duration,
    /// How long nothing may be heard on a WebSocket; 75 seconds by default,
    /// which is two pings without an answer.
    pub receive_timeout: Duration,
    /// Time between two comments in a stream of server-sent events; 15 seconds
    /// by default.
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
