//! The settings of a server.

use std::time::Duration;

use lectern_storage::Storage;
use url::Url;

use crate::http::extract::body_limits::BodyLimits;
use crate::live::LiveConfig;
use crate::objects::upload_limits::UploadLimits;

/// How requests are answered.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Address and port to listen on; port 0 takes a free one.
    pub bind: String,
    /// Threads that answer requests; `None`: one per processor.
    pub http_threads: Option<usize>,
    /// Origins whose pages may call the server, such as
    /// `https://example.org`, or `*`; with none, CORS is off.
    pub cors_origins: Vec<String>,
    /// How large request bodies may be.
    pub limits: BodyLimits,
    /// Where recordings and clips lie; `None`: in a temporary directory that
    /// goes with the server.
    pub storage: Option<Storage>,
    /// How large recordings may be, and how long they may take.
    pub uploads: UploadLimits,
    /// Where clients reach the server, such as `https://example.org/lectern`;
    /// `None`: wherever they send their requests.
    pub public_url: Option<Url>,
    /// How long a request waits for the database before it is refused.
    pub database_timeout: Duration,
    /// How watching clients are treated.
    pub live: LiveConfig,
    /// How many workers may wait for work at once.
    pub max_waiting_claims: usize,
    /// How long the events of a finished job are kept.
    pub event_retention: Duration,
    /// How long running requests get to finish when the server stops.
    pub shutdown_grace: Duration,
}

impl Default for ServerConfig {
    /// A free port of this machine, one thread, no CORS, 3 seconds of database_timeout,
    /// 1,000 waiters, events for 30 days, 30 seconds of grace.
    fn default() -> Self {
        Self {
            bind: "127.0.0.1:0".to_owned(),
            http_threads: Some(1),
            cors_origins: Vec::new(),
            limits: BodyLimits::default(),
            storage: None,
            uploads: UploadLimits::default(),
            public_url: None,
            database_timeout: Duration::from_secs(3),
            live: LiveConfig::default(),
            max_waiting_claims: 1_000,
            event_retention: Duration::from_hours(30 * 24),
            shutdown_grace: Duration::from_secs(30),
        }
    }
}
