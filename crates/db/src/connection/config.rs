//! Settings of a database.

use std::time::Duration;

use super::url::DatabaseUrl;
use crate::error::Error;

/// Where the database is and how many connections it gets.
#[derive(Debug, Clone)]
pub struct DatabaseConfig {
    /// Where the database is.
    pub url: DatabaseUrl,
    /// Connections kept open. On SQLite: connections that read, beside the one
    /// that writes.
    pub pool_size: u32,
    /// Connections opened on top under load. SQLite does without.
    pub max_overflow: u32,
    /// Age at which a connection is replaced.
    pub recycle: Duration,
    /// How long to wait for a connection.
    pub checkout_timeout: Duration,
}

impl DatabaseConfig {
    /// Five connections and up to ten more, replaced after an hour, waited for
    /// at most 30 seconds.
    pub fn new(url: &str) -> Result<Self, Error> {
        Ok(Self {
            url: url.parse()?,
            pool_size: 5,
            max_overflow: 10,
            recycle: Duration::from_hours(1),
            checkout_timeout: Duration::from_secs(30),
        })
    }
}
