//! Which priorities a caller may give its jobs.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::ops::RangeInclusive;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use lectern_api::{Code, FieldError};
use lectern_domain::Role;

use super::caller::Caller;
use crate::http::error::ApiError;

/// The priorities that the role of the caller allows. Where no keys are asked for, all are.
#[derive(Debug, Clone)]
pub(crate) struct PriorityLimit(RangeInclusive<i32>);

impl PriorityLimit {
    pub(crate) fn of(request: &HttpRequest) -> Self {
        let role = Caller::of(request).map_or(Role::Admin, |caller| caller.key().data.role);
        Self(role.priorities())
    }

    /// Checks the priority in `field` of a request.
    ///
    /// # Errors
    ///
    /// [`Code::ValidationFailed`] names the field.
    pub(crate) fn check(&self, field: &str, priority: i32) -> Result<(), ApiError> {
        if self.0.contains(&priority) {
            return Ok(());
        }
        let (min, max) = (self.0.start(), self.0.end());
        let message = format!("must be from {min} to {max} with a key of this role");
        let error = FieldError::new(field, message);
        Err(ApiError::fields(Code::ValidationFailed, error))
    }
}

impl FromRequest for PriorityLimit {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(request)))
    }
}
