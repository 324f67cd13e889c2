//! Who makes a request, for the audit.

use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use lectern_domain::Actor;

use super::caller::Caller;

/// The key and the address of a request.
#[derive(Debug)]
pub(crate) struct RequestActor(pub(crate) Actor);

impl RequestActor {
    pub(crate) fn of(request: &HttpRequest) -> Self {
        let caller = Caller::of(request);
        let address = request.peer_addr().map(|address| address.ip());
        Self(Actor::client(caller.as_ref().map(Caller::key), address))
    }
}

impl FromRequest for RequestActor {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(request)))
    }
}
