//! The stored keys, for the authentication of requests.

use chrono::{DateTime, Utc};
use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use lectern_domain::{ApiKey, ApiKeyId};

use crate::database::handle::DatabaseHandle;
use crate::http::auth::KeyStore;
use crate::http::error::ApiError;

impl KeyStore for DatabaseHandle {
    fn find(&self, key_id: ApiKeyId) -> LocalBoxFuture<'static, Result<Option<ApiKey>, ApiError>> {
        let database = self.clone();
        let find = async move {
            let find = database
                .read_committed(move |conn| Ok(conn.api_keys().find(key_id)?), |found| found);
            find.await
        };
        find.boxed_local()
    }

    fn touch(&self, key_id: ApiKeyId) {
        let database = self.clone();
        actix_web::rt::spawn(async move {
            let touch = database.write(move |tx| Ok(tx.api_keys().touch(key_id)?), |()| ());
            // A database that accepts no writes still authenticates.
            if let Err(error) = touch.await {
                log::debug!("cannot record the use of a key: {}", error.chain());
            }
        });
    }

    fn now(&self) -> DateTime<Utc> {
        self.database.clock().now()
    }
}
