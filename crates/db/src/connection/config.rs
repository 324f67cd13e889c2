//! Settings of a database.

use std::time::Duration;

use super::url::DatabaseUrl;
use crate::error::Error;

/// The address of a database and the limits of its connection pool.
#[derive(Debug, Clone)]
pub struct DatabaseConfig {
    /// The address of the database.
    pub url: DatabaseUrl,
    /// Connections kept open. On SQLite these only read; there is one more that writes.
    pub pool_size: u32,
    /// Connections opened in addition under load. Unused on SQLite.
    pub max_overflow: u32,
    /// Age at which a connection is replaced.
    pub recycle: Duration,
    /// The longest wait for a connection.
    pub checkout_timeout: Duration,
}

impl DatabaseConfig {
    /// Five connections and up to ten more under load, replaced after an hour,
    /// with a checkout timeout of 30 seconds.
    ///
    /// # Errors
    ///
    /// [`Error::Url`].
    pub fn new(url: &str) -> Result<Self, Error> {
        url.parse().map(Self::at)
    }

    /// The same for an address that was parsed before.
    pub fn at(url: DatabaseUrl) -> Self {
        Self {
            url,
            pool_size: 5,
            max_overflow: 10,
            recycle: Duration::from_hours(1),
            checkout_timeout: Duration::from_secs(30),
        }
    }
}
