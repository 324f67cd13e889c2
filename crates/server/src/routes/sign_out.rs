//! Signing out, in a browser.

use actix_web::http::Method;
use actix_web::http::header::{LOCATION, SET_COOKIE};
use actix_web::{HttpRequest, HttpResponse};
use lectern_domain::Access;
use lectern_web::signed_out_page;

use crate::database::caller_database::SessionDatabase;
use crate::http::auth::{MaybeCaller, RequestActor};
use crate::http::page;
use crate::http::resource::Resource;
use crate::routes::sessions;

pub(super) fn resources() -> Vec<Resource> {
    vec![Resource::at("/logout").page().get(Access::Public, show).on(
        Method::POST,
        Access::AnyKey,
        sign_out,
    )]
}

/// Ends the session and leads to the page that says so. The page of the recordings would send the
/// browser to the identity provider, which may sign its reader in again at once.
async fn sign_out(
    SessionDatabase(db): SessionDatabase,
    caller: MaybeCaller,
    RequestActor(actor): RequestActor,
    request: HttpRequest,
) -> HttpResponse {
    match sessions::end(&db, &caller, actor, &request).await {
        Ok(cookie) => HttpResponse::SeeOther()
            .insert_header((LOCATION, "logout"))
            .insert_header((SET_COOKIE, cookie))
            .finish(),
        Err(error) => page::refuse(&request, &error),
    }
}

async fn show(request: HttpRequest) -> HttpResponse {
    if page::has_session(&request) {
        return HttpResponse::SeeOther()
            .insert_header((LOCATION, "./"))
            .finish();
    }
    let page = signed_out_page(page::language(&request));
    page::respond(&request, Ok(page))
}
