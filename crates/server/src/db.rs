//! How handlers get at the database.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use lectern_db::{Database, PoolStats, Reader, Tx};

use crate::ApiError;
use crate::gate::Gate;
use crate::metrics::Metrics;
use crate::state::State;

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
    pub(crate) fn new(database: Database, metrics: Metrics) -> Self {
        let gate = Gate::new(database.capacity(), metrics);
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

    /// How many connections there are.
    pub(crate) fn stats(&self) -> PoolStats {
        self.database.stats()
    }
}

impl FromRequest for Db {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(State::of(request).map(|state| state.db.clone()))
    }
}
