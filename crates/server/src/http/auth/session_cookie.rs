//! The cookie of somebody who has signed in: the key of their session.
//!
//! Scripts cannot read it, and browsers send it with requests of this server's own pages only
//! (`SameSite=Strict`). Over HTTPS its name begins with `__Host-`, so that no other host, not
//! even one of the same domain, can set it.

use actix_web::HttpRequest;
use actix_web::http::header::COOKIE;
use actix_web::http::header::HeaderMap;
use chrono::TimeDelta;
use lectern_domain::ApiKeyText;

use crate::http::address::{RequestAddress, TrustedProxies};
use crate::http::error::ApiError;
use crate::http::request::app_data::app_data;
use crate::http::request::mount::PublicScheme;

/// A cookie that only this server sets and reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ServerCookie {
    /// The key of a session.
    Session,
    /// A sign-in that has begun. The browser must send it when the identity provider sends the
    /// browser back, which is another site.
    SignIn,
}

impl ServerCookie {
    fn name(self, is_secure: bool) -> &'static str {
        match (self, is_secure) {
            (Self::Session, true) => "__Host-lectern_session",
            (Self::Session, false) => "lectern_session",
            (Self::SignIn, true) => "__Host-lectern_sign_in",
            (Self::SignIn, false) => "lectern_sign_in",
        }
    }

    /// The value that a browser has sent. A cookie that is sent twice counts as missing: one
    /// of both may be of another host.
    pub(crate) fn read(self, request: &HttpRequest) -> Result<Option<&str>, ApiError> {
        let name = self.name(is_secure(request)?);
        Ok(value(request.headers(), name))
    }

    /// The header `Set-Cookie` for a value of letters, digits, `-` and `_`.
    pub(crate) fn set(
        self,
        request: &HttpRequest,
        value: &str,
        lifetime: TimeDelta,
    ) -> Result<String, ApiError> {
        let is_secure = is_secure(request)?;
        let name = self.name(is_secure);
        let same_site = match self {
            Self::Session => "Strict",
            Self::SignIn => "Lax",
        };
        let secure = if is_secure { "; Secure" } else { "" };
        let seconds = lifetime.num_seconds().max(0);
        Ok(format!(
            "{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite={same_site}{secure}"
        ))
    }

    /// The header `Set-Cookie` that removes it.
    pub(crate) fn clear(self, request: &HttpRequest) -> Result<String, ApiError> {
        self.set(request, "", TimeDelta::zero())
    }
}

/// The key in the cookie of a session. A cookie of another form counts as missing.
pub(super) fn session_key(request: &HttpRequest) -> Result<Option<ApiKeyText>, ApiError> {
    let value = ServerCookie::Session.read(request)?;
    Ok(value.and_then(|value| ApiKeyText::parse(value).ok()))
}

/// Whether the browser reaches the server over HTTPS.
fn is_secure(request: &HttpRequest) -> Result<bool, ApiError> {
    let scheme = match app_data::<PublicScheme>(request)?.as_deref() {
        Some(scheme) => scheme,
        None => RequestAddress::of(request, app_data::<TrustedProxies>(request)?).scheme,
    };
    Ok(scheme == "https")
}

fn value<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let texts = headers
        .get_all(COOKIE)
        .filter_map(|header| header.to_str().ok());
    let cookies = texts.flat_map(|text| text.split(';'));
    let mut values = cookies.filter_map(|cookie| {
        let (found, value) = cookie.trim().split_once('=')?;
        (found == name).then_some(value)
    });
    values.next().filter(|_| values.next().is_none())
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    #[test]
    fn a_cookie_is_found_by_its_whole_name_once() {
        let found = |cookies: &[&str]| {
            let mut headers = HeaderMap::new();
            for cookie in cookies {
                headers.append(COOKIE, HeaderValue::from_str(cookie).unwrap());
            }
            value(&headers, "lectern_session").map(str::to_owned)
        };
        for one in [
            &["lectern_session=a_1"][..],
            &["x=y; lectern_session=a_1"],
            &["x=y;lectern_session=a_1;z"],
            &["x=y", "lectern_session=a_1"],
        ] {
            assert_eq!(found(one).as_deref(), Some("a_1"), "{one:?}");
        }
        for none in [
            &[][..],
            &["lectern_session"],
            &["Lectern_session=a"],
            &["x_lectern_session=a"],
            &["lectern_session=a; lectern_session=b"],
            &["lectern_session=a", "lectern_session=b"],
        ] {
            assert_eq!(found(none), None, "{none:?}");
        }
    }
}
