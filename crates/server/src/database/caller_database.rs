//! The database as the caller of a request sees it.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};

use super::handle::DatabaseHandle;
use crate::http::auth::Caller;
use crate::http::error::ApiError;
use crate::http::request::app_data::app_data;

/// The database with the jobs of all owners. Handlers and extractors cannot use it without
/// [`CallerDatabase`], which limits it.
#[derive(Debug, Clone)]
pub(crate) struct SharedDatabase(Data<DatabaseHandle>);

impl SharedDatabase {
    pub(crate) fn new(database: Data<DatabaseHandle>) -> Self {
        Self(database)
    }
}

/// The database, limited to the jobs of the caller's owner if its key has one.
#[derive(Debug, Clone)]
pub(crate) struct CallerDatabase(pub(crate) Data<DatabaseHandle>);

impl CallerDatabase {
    /// The database for a request.
    ///
    /// # Errors
    ///
    /// An internal error when the app was built without a database.
    pub(crate) fn of(request: &HttpRequest) -> Result<Self, ApiError> {
        let SharedDatabase(database) = app_data::<SharedDatabase>(request)?.get_ref();
        let caller = Caller::of(request);
        let owner = caller.as_ref().and_then(Caller::owner);
        Ok(Self(match owner {
            Some(owner) => Data::new(database.as_owner(owner.clone())),
            None => database.clone(),
        }))
    }
}

/// The database for the sessions of callers. Keys are no rows of owners: with row-level
/// security, no transaction of an owner may store them.
#[derive(Debug, Clone)]
pub(crate) struct SessionDatabase(pub(crate) Data<DatabaseHandle>);

impl FromRequest for SessionDatabase {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let shared = app_data::<SharedDatabase>(request);
        ready(shared.map(|shared| Self(shared.0.clone())))
    }
}

impl FromRequest for CallerDatabase {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}
