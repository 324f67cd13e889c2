//! Access to the handles that an app gives to its requests.

use actix_web::HttpRequest;
use actix_web::web::Data;

use crate::http::error::ApiError;

/// The handle of type `T` of the app that serves `request`.
///
/// # Errors
///
/// An internal error when the app was built without it.
pub(crate) fn app_data<T: 'static>(request: &HttpRequest) -> Result<&Data<T>, ApiError> {
    request.app_data::<Data<T>>().ok_or_else(|| {
        let name = std::any::type_name::<T>();
        ApiError::internal(format!("the app has no {name}"))
    })
}
