//! Refuses requests for other hosts, and changes made by pages of other sites.

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{ACCESS_CONTROL_REQUEST_METHOD, ORIGIN};
use actix_web::middleware::Next;
use actix_web::{Error, HttpRequest, ResponseError as _};
use lectern_api::Code;

use crate::http::address::{
    AllowedHosts, AllowedOrigins, ConnectionAddress, RequestAddress, TrustedProxies,
};
use crate::http::error::ApiError;
use crate::http::request::app_data::app_data;

/// Runs the handler in `next` unless the request is for another host, or changes
/// something on behalf of another site's page, or asks whether it may.
pub(crate) async fn refuse_foreign_requests<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    match check(request.request()) {
        Ok(()) => Ok(next.call(request).await?.map_into_left_body()),
        Err(refusal) => {
            let response = request.into_response(refusal.error_response());
            Ok(response.map_into_right_body())
        }
    }
}

fn check(request: &HttpRequest) -> Result<(), ApiError> {
    let address = RequestAddress::of(request, app_data::<TrustedProxies>(request)?);
    let hosts = app_data::<AllowedHosts>(request)?;
    let server_address = request.conn_data::<ConnectionAddress>().copied();
    // A request without a host is not from a browser and is allowed. A request with two
    // hosts does not arrive here, because actix refuses it.
    let is_foreign = |host| !hosts.allow(host, server_address);
    if address.host.is_some_and(is_foreign) {
        let detail = "this server has another name; LECTERN_HOSTS and LECTERN_PUBLIC_URL set the \
                      names it is called by";
        return Err(ApiError::new(Code::HostNotAllowed, detail));
    }
    let origins = app_data::<AllowedOrigins>(request)?;
    if let Some((origin, method)) = preflight(request) {
        return origins.check_preflight(origin, method);
    }
    if request.method().is_safe() {
        return Ok(());
    }
    origins.check(request, address)
}

/// The origin and the method of the request for which a browser asks; `None` if this is no
/// preflight.
fn preflight(request: &HttpRequest) -> Option<(&str, &str)> {
    let header = |name| request.headers().get(name)?.to_str().ok();
    let is_options = request.method() == Method::OPTIONS;
    is_options.then(|| header(ORIGIN).zip(header(ACCESS_CONTROL_REQUEST_METHOD)))?
}
