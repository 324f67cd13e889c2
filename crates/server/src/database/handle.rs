//! How handlers get at the database.

use std::time::Duration;

use actix_web::web;
use chrono::{DateTime, Utc};
use lectern_db::{Database, PoolStats, Reader, Tx};
use lectern_domain::{Claim, ClaimRequest, JobId};

use crate::database::admission::Gate;
use crate::http::error::ApiError;
use crate::metrics::Metrics;

/// The database as a handler's argument.
///
/// The closures run on a thread that may wait, once it is the request's turn. A
/// handler whose client has gone away is dropped, but what it has begun here
/// runs to its end: a write is done whole or not at all.
#[derive(Debug, Clone)]
pub(crate) struct Db {
    database: Database,
    gate: Gate,
}

impl Db {
    /// Each request waits for its turn with so much `patience`.
    pub(crate) fn new(database: Database, patience: Duration, metrics: Metrics) -> Self {
        let gate = Gate::new(database.capacity(), patience, metrics);
        Self { database, gate }
    }

    /// Runs `look` with a connection, then `answer` without it. `look` may run
    /// twice; see [`Database::read`].
    pub(crate) async fn read<T, A>(
        &self,
        look: impl Fn(&mut Reader<'_>) -> Result<T, ApiError> + Send + 'static,
        answer: impl FnOnce(T) -> A + Send + 'static,
    ) -> Result<A, ApiError>
    where
        A: Send + 'static,
    {
        let pass = self.gate.read().await?;
        let database = self.database.within(pass.left);
        web::block(move || {
            let found = database.read(look)?;
            drop(pass);
            Ok(answer(found))
        })
        .await?
    }

    /// Runs `change` in a transaction, then, when it is committed, `answer`.
    pub(crate) async fn write<T, A>(
        &self,
        change: impl FnOnce(&mut Tx<'_>) -> Result<T, ApiError> + Send + 'static,
        answer: impl FnOnce(T) -> A + Send + 'static,
    ) -> Result<A, ApiError>
    where
        A: Send + 'static,
    {
        let pass = self.gate.write().await?;
        let database = self.database.within(pass.left);
        web::block(move || {
            let done = database.write(change)?;
            drop(pass);
            Ok(answer(done))
        })
        .await?
    }

    /// Gives a worker something to do.
    pub(crate) async fn claim(&self, request: ClaimRequest) -> Result<Vec<Claim>, ApiError> {
        let turn = self.gate.claim().await?;
        let pass = self.gate.write_within(turn.left).await?;
        let database = self.database.within(pass.left);
        web::block(move || {
            let claims = database.claim(&request)?;
            drop((turn, pass));
            Ok(claims)
        })
        .await?
    }

    /// Asks whether the database answers and has all its migrations; `false`
    /// when some are missing.
    pub(crate) async fn is_ready(&self) -> Result<bool, ApiError> {
        let pass = self.gate.read().await?;
        let database = self.database.within(pass.left);
        web::block(move || {
            database.ping()?;
            let ready = !database.migrations().pending()?;
            drop(pass);
            Ok(ready)
        })
        .await?
    }

    /// What time it is for new rows.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.database.clock().now()
    }

    /// An id for a new job.
    pub(crate) fn new_job_id(&self) -> JobId {
        JobId::new(self.database.clock())
    }

    /// How many connections there are.
    pub(crate) fn stats(&self) -> PoolStats {
        self.database.stats()
    }
}
