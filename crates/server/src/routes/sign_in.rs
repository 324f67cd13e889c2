//! Signing in at an identity provider, in a browser.

use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, LOCATION, REFERRER_POLICY, SET_COOKIE,
};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use chrono::TimeDelta;
use lectern_api::Code;
use lectern_domain::{Access, Actor, NewApiKey, Session};
use url::form_urlencoded;

use crate::database::caller_database::SessionDatabase;
use crate::database::sessions;
use crate::http::auth::oidc::sign_in::PendingSignIn;
use crate::http::auth::{Authenticator, RequestActor, ServerCookie};
use crate::http::error::ApiError;
use crate::http::request::mount::public_prefix;
use crate::http::resource::Resource;
use crate::objects::signed_urls::SignedUrls;
use crate::routes::sessions::SessionLifetime;

/// How long signing in at the provider may take.
const SIGN_IN_TIME: TimeDelta = TimeDelta::minutes(15);

/// Upper bound of the path to return to, in bytes.
const MAX_RETURN_TO: usize = 2_000;

pub(super) fn resources() -> Vec<Resource> {
    vec![
        Resource::at("/login").get(Access::Public, begin),
        Resource::at("/login/callback").get(Access::Public, end),
    ]
}

/// Sends the browser to the provider. `return_to` is the path to which it goes afterwards.
async fn begin(
    authenticator: Data<Authenticator>,
    urls: SignedUrls,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let provider = authenticator.provider()?;
    let return_to = parameter(&request, "return_to").filter(|path| is_own_path(path));
    let return_to = return_to.unwrap_or_else(|| format!("{}/", public_prefix(&request)));
    let (pending, address) = provider
        .begin_sign_in(&redirect_uri(&urls), return_to)
        .await?;
    let cookie = pending.to_cookie()?;
    let cookie = ServerCookie::SignIn.set(&request, &cookie, SIGN_IN_TIME)?;
    Ok(HttpResponse::SeeOther()
        .insert_header((LOCATION, address.as_str()))
        .insert_header((SET_COOKIE, cookie))
        .insert_header((CACHE_CONTROL, "no-store"))
        .finish())
}

/// Takes the browser back from the provider, with a session.
async fn end(
    authenticator: Data<Authenticator>,
    SessionDatabase(db): SessionDatabase,
    RequestActor(actor): RequestActor,
    lifetime: Data<SessionLifetime>,
    urls: SignedUrls,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let provider = authenticator.provider()?;
    let pending = ServerCookie::SignIn.read(&request)?;
    let pending = pending
        .and_then(PendingSignIn::from_cookie)
        .ok_or_else(|| {
            let detail =
                "no sign-in has begun in this browser, or it took too long; begin it again";
            ApiError::new(Code::InvalidToken, detail)
        })?;
    if let Some(error) = parameter(&request, "error") {
        let description = parameter(&request, "error_description").unwrap_or_default();
        let detail = format!("the identity provider refused: {error} {description}");
        return Err(ApiError::new(Code::InvalidToken, detail.trim_end()));
    }
    let [state, code] = ["state", "code"].map(|name| parameter(&request, name));
    let (state, code) = state.zip(code).ok_or_else(|| {
        ApiError::new(Code::InvalidToken, "the identity provider has sent no code")
    })?;
    let access = provider
        .end_sign_in(&pending, &state, code, redirect_uri(&urls))
        .await?;
    let lifetime = lifetime.get();
    let session = NewApiKey {
        expires_at: Some(db.now() + lifetime),
        ..access
    };
    let signed_in = Actor {
        owner: session.owner.clone(),
        person: session.session.as_ref().and_then(Session::person).cloned(),
        ..actor
    };
    let as_session = |id| Actor {
        key_id: Some(id),
        ..signed_in
    };
    let (_, text) = sessions::store(&db, session, as_session).await?;
    let session = ServerCookie::Session.set(&request, &text.reveal(), lifetime)?;
    Ok(HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .append_header((SET_COOKIE, session))
        .append_header((SET_COOKIE, ServerCookie::SignIn.clear(&request)?))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((CONTENT_SECURITY_POLICY, "default-src 'none'"))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .body(page_that_leads_to(&pending.return_to)))
}

/// A redirect would still be a part of the provider's navigation, with which browsers do not
/// send the cookie of the session.
fn page_that_leads_to(path: &str) -> String {
    let path = path
        .replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"refresh\" content=\"0; url={path}\">\n<title>Signed in</title>\n\
         </head>\n<body>\n<p>Signed in. <a href=\"{path}\">Continue</a></p>\n</body>\n</html>\n"
    )
}

/// The address to which the provider sends the browser. It must be registered there.
fn redirect_uri(urls: &SignedUrls) -> String {
    format!("{}/login/callback", urls.base().trim_end_matches('/'))
}

/// A parameter of the query string. Providers may add others.
fn parameter(request: &HttpRequest, name: &str) -> Option<String> {
    let pairs = form_urlencoded::parse(request.query_string().as_bytes());
    let mut values = pairs.filter(|(found, _)| found == name);
    values.next().map(|(_, value)| value.into_owned())
}

/// Whether a path is one of this host. Browsers read `//` and `/\` as the beginning of another
/// host, and leave out line breaks and tabs.
fn is_own_path(path: &str) -> bool {
    path.len() <= MAX_RETURN_TO
        && path.starts_with('/')
        && !path.contains(|c: char| c == '\\' || c.is_control() || c.is_whitespace())
        && !path.starts_with("//")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_host_are_returned_to() {
        for own in ["/", "/docs", "/a/b?c=d&e#f", "/ü"] {
            assert!(is_own_path(own), "{own}");
        }
        for foreign in [
            "",
            "docs",
            "//evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "/ /evil.example",
            "https://evil.example",
            "javascript:alert(1)",
        ] {
            assert!(!is_own_path(foreign), "{foreign}");
        }
        assert!(!is_own_path(&"/".repeat(MAX_RETURN_TO + 1)));
    }

    #[test]
    fn a_path_stays_an_attribute() {
        let page = page_that_leads_to("/\"><script>");
        assert!(!page.contains("<script>"), "{page}");
        assert!(page.contains("url=/&quot;&gt;&lt;script&gt;\""), "{page}");
    }
}
