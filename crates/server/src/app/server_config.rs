//! Settings of a server, without command line or environment.

use std::time::Duration;

use lectern_domain::JobQuota;
use lectern_storage::Storage;
use url::Url;

use crate::http::address::IpNetwork;
use crate::http::auth::{Authentication, OidcConfig};
use crate::http::connections::ConnectionLimits;
use crate::http::extract::receive_body::BodyLimits;
use crate::http::rate_limit::RateLimit;
use crate::live::LiveConfig;
use crate::objects::upload_limits::UploadLimits;

/// What one caller may have; `None`: there is no bound. A caller is an owner, a key without
/// owner or, where no keys are asked for, an address.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quotas {
    /// Jobs of an owner. Jobs without an owner have one quota together, because it is not
    /// stored which key has created them.
    pub jobs: JobQuota,
    /// Live connections.
    pub watchers: Option<usize>,
    /// Claims that wait.
    pub waiters: Option<usize>,
    /// Requests, except to public routes.
    pub requests: Option<RateLimit>,
}

/// Settings of a server.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Address and port to listen on; without an address all addresses, of IPv4 and
    /// IPv6; port 0 takes a free one.
    pub bind: String,
    /// HTTP threads; `None`: one per processor.
    pub http_threads: Option<usize>,
    /// Origins whose pages may call the server, such as
    /// `https://example.org`, `https://*.example.org` for its subdomains, or `*`; with
    /// none, CORS is off.
    pub cors_origins: Vec<String>,
    /// Whether these pages may send cookies and HTTP authentication, for a proxy in front
    /// of the server.
    pub cors_credentials: bool,
    /// Whether callers need keys. The program decides by the address it listens on; here
    /// nothing is asked for unless it is set.
    pub authentication: Authentication,
    /// The identity provider at which people sign in; `None`: there are keys only. It counts
    /// only if keys are asked for.
    pub identity_provider: Option<OidcConfig>,
    /// How long somebody who has signed in stays signed in.
    pub session_lifetime: Duration,
    /// Hosts at which clients may address the server, or `*`. With none, a server
    /// that listens on a loopback address accepts local names and the host of
    /// `public_url`, and any other server accepts all hosts.
    pub hosts: Vec<String>,
    /// Proxies whose `X-Forwarded-Host`, `X-Forwarded-Proto` and `Forwarded` headers
    /// are believed.
    pub trusted_proxies: Vec<IpNetwork>,
    /// Limits of client connections.
    pub connections: ConnectionLimits,
    /// Upper bounds of request bodies.
    pub limits: BodyLimits,
    /// Storage of recordings and clips; `None`: a temporary directory that is
    /// removed with the server.
    pub storage: Option<Storage>,
    /// Upper bounds of uploads and lifetimes of signed URLs.
    pub uploads: UploadLimits,
    /// Public URL of the server, such as `https://example.org/lectern`;
    /// `None`: the address that each request was sent to.
    pub public_url: Option<Url>,
    /// Upper bound of a request's wait for the database, after which it is
    /// answered with 503.
    pub database_timeout: Duration,
    /// Limits of live updates.
    pub live: LiveConfig,
    /// Upper bound of the claims that wait for work at once.
    pub max_waiting_claims: usize,
    /// What one caller may have; unlimited by default.
    pub quotas: Quotas,
    /// How long it is kept who changed what.
    pub audit_retention: Duration,
    /// How long events are kept after their job has finished.
    pub event_retention: Duration,
    /// How long requests in flight may take to finish when the server stops.
    pub shutdown_grace: Duration,
}

impl Default for ServerConfig {
    /// A free port of this machine, one HTTP thread, no authentication (sessions of 12 hours if
    /// there is), no CORS, no proxies,
    /// a database timeout of 3 seconds, 1,000 waiting claims, the audit for a year, events for
    /// 30 days, 30 seconds of grace.
    fn default() -> Self {
        Self {
            bind: "127.0.0.1:0".to_owned(),
            http_threads: Some(1),
            cors_origins: Vec::new(),
            cors_credentials: false,
            authentication: Authentication::Off,
            identity_provider: None,
            session_lifetime: Duration::from_hours(12),
            hosts: Vec::new(),
            trusted_proxies: Vec::new(),
            connections: ConnectionLimits::default(),
            limits: BodyLimits::default(),
            storage: None,
            uploads: UploadLimits::default(),
            public_url: None,
            database_timeout: Duration::from_secs(3),
            live: LiveConfig::default(),
            max_waiting_claims: 1_000,
            quotas: Quotas::default(),
            audit_retention: Duration::from_hours(365 * 24),
            event_retention: Duration::from_hours(30 * 24),
            shutdown_grace: Duration::from_secs(30),
        }
    }
}

impl ServerConfig {
    /// The number of HTTP threads.
    pub(crate) fn http_threads(&self) -> usize {
        let default = || std::thread::available_parallelism().map_or(2, usize::from);
        // actix accepts no other numbers.
        self.http_threads.unwrap_or_else(default).clamp(1, 512)
    }
}
