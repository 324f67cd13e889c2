//! The handlers' access to the database.

use std::time::Duration;

use actix_web::web;
use chrono::{DateTime, Utc};
use lectern_db::{Database, PoolStats, Reader, Tx};
use lectern_domain::{Claim, ClaimRequest, JobId};

use crate::database::admission::ConnectionLimiter;
use crate::http::error::ApiError;
use crate::metrics::Metrics;

/// The database, with admission control. Closures run on a thread that may block.
///
/// When a client disconnects, its handler is dropped, but a closure that has
/// started runs to its end: a write is done completely or not at all.
#[derive(Debug, Clone)]
pub(crate) struct DatabaseHandle {
    database: Database,
    limiter: ConnectionLimiter,
}

impl DatabaseHandle {
    /// `timeout` bounds a request's wait for admission and for a connection.
    pub(crate) fn new(database: Database, timeout: Duration, metrics: Metrics) -> Self {
        let limiter = ConnectionLimiter::new(database.capacity(), timeout, metrics);
        Self { database, limiter }
    }

    /// Runs `queries` on one snapshot of the database, then `respond` without a
    /// connection. `queries` may run twice; see [`Database::read`].
    pub(crate) async fn read<T, R>(
        &self,
        queries: impl Fn(&mut Reader<'_>) -> Result<T, ApiError> + Send + 'static,
        respond: impl FnOnce(T) -> R + Send + 'static,
    ) -> Result<R, ApiError>
    where
        R: Send + 'static,
    {
        self.read_by(move |database| database.read(queries), respond)
            .await
    }

    /// The same for a single query; see [`Database::read_committed`].
    pub(crate) async fn read_committed<T, R>(
        &self,
        query: impl Fn(&mut Reader<'_>) -> Result<T, ApiError> + Send + 'static,
        respond: impl FnOnce(T) -> R + Send + 'static,
    ) -> Result<R, ApiError>
    where
        R: Send + 'static,
    {
        self.read_by(move |database| database.read_committed(query), respond)
            .await
    }

    async fn read_by<T, R>(
        &self,
        read: impl FnOnce(&Database) -> Result<T, ApiError> + Send + 'static,
        respond: impl FnOnce(T) -> R + Send + 'static,
    ) -> Result<R, ApiError>
    where
        R: Send + 'static,
    {
        let permit = self.limiter.read().await?;
        let database = self.database.with_checkout_timeout(permit.remaining);
        web::block(move || {
            let result = read(&database)?;
            drop(permit);
            Ok(respond(result))
        })
        .await?
    }

    /// Runs `change` in a transaction and, after the commit, `respond`.
    pub(crate) async fn write<T, R>(
        &self,
        change: impl FnOnce(&mut Tx<'_>) -> Result<T, ApiError> + Send + 'static,
        respond: impl FnOnce(T) -> R + Send + 'static,
    ) -> Result<R, ApiError>
    where
        R: Send + 'static,
    {
        let permit = self.limiter.write().await?;
        let database = self.database.with_checkout_timeout(permit.remaining);
        web::block(move || {
            let result = database.write(change)?;
            drop(permit);
            Ok(respond(result))
        })
        .await?
    }

    /// Claims stage runs for a worker.
    pub(crate) async fn claim(&self, request: ClaimRequest) -> Result<Vec<Claim>, ApiError> {
        let claim_permit = self.limiter.claim().await?;
        let permit = self.limiter.write_within(claim_permit.remaining).await?;
        let database = self.database.with_checkout_timeout(permit.remaining);
        web::block(move || {
            let claims = database.claim(&request)?;
            drop((claim_permit, permit));
            Ok(claims)
        })
        .await?
    }

    /// Whether all migrations are applied; an error when the database does not
    /// answer.
    pub(crate) async fn is_ready(&self) -> Result<bool, ApiError> {
        let permit = self.limiter.read().await?;
        let database = self.database.with_checkout_timeout(permit.remaining);
        web::block(move || {
            database.ping()?;
            let ready = !database.migrations().pending()?;
            drop(permit);
            Ok(ready)
        })
        .await?
    }

    /// The current time of the database's clock.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.database.clock().now()
    }

    /// A new id, from the database's clock.
    pub(crate) fn new_job_id(&self) -> JobId {
        JobId::new(self.database.clock())
    }

    /// Counts of open connections.
    pub(crate) fn stats(&self) -> PoolStats {
        self.database.stats()
    }

    /// How often an invalid row was left out of a list.
    pub(crate) fn unreadable_rows(&self) -> u64 {
        self.database.unreadable_rows()
    }
}
