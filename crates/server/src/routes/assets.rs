//! Style sheet, scripts and icon of the pages.

use actix_web::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use actix_web::{HttpRequest, HttpResponse};
use lectern_api::Code;
use lectern_domain::Access;
use lectern_web::assets;

use crate::http::error::ApiError;
use crate::http::resource::Resource;

/// The name changes with the content.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

pub(super) fn resources() -> Vec<Resource> {
    vec![Resource::at("/assets/{name}").get(Access::Public, find)]
}

async fn find(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let name = request.match_info().get("name").unwrap_or_default();
    let asset = assets::find(name)
        .ok_or_else(|| ApiError::new(Code::NotFound, "there is nothing at this path"))?;
    Ok(HttpResponse::Ok()
        .content_type(asset.content_type)
        .insert_header((CACHE_CONTROL, FOR_EVER))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(&*asset.content))
}
