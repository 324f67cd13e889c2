//! Responds to the first request of a connection over a limit.

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::ConnectionType;
use actix_web::middleware::Next;
use actix_web::{Error, ResponseError as _};
use lectern_api::Code;

use crate::http::connections::{Connection, Refusal};
use crate::http::error::ApiError;

/// Runs the handler in `next`, or responds 503 if the connection is refused.
pub(crate) async fn refuse_excess_connections<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let Some(refusal) = Connection::of(request.request()).and_then(Connection::refusal) else {
        return Ok(next.call(request).await?.map_into_left_body());
    };
    let detail = match refusal {
        Refusal::Address => "there are too many connections from this address",
        Refusal::Server => "there are too many connections; try again",
    };
    let refused = ApiError::new(Code::Overloaded, detail);
    let mut response = request.into_response(refused.error_response());
    let head = response.response_mut().head_mut();
    head.set_connection_type(ConnectionType::Close);
    Ok(response.map_into_right_body())
}
