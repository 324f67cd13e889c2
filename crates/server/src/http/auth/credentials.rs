//! The key in the headers of a request.

use actix_web::http::header::{AUTHORIZATION, HeaderMap, HeaderName};
use lectern_domain::{ApiKeyText, Invalid};

pub(super) const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// What the headers of a request contain.
#[derive(Debug)]
pub(super) enum Credentials<'h> {
    /// No key.
    Missing,
    /// Something of the form of a token of an identity provider (RFC 7519).
    Token(&'h str),
    /// Something that is no key. The error does not contain it.
    Malformed(Invalid),
    /// A key, which may be unknown.
    Key(ApiKeyText),
}

impl<'h> Credentials<'h> {
    /// `X-API-Key` takes precedence, because a proxy may need `Authorization` for itself.
    /// `Authorization` counts only with the scheme `Bearer`, and only there is a token.
    pub(super) fn of(headers: &'h HeaderMap) -> Self {
        let key = match single(headers, &X_API_KEY) {
            Ok(None) => {
                let bearer = single(headers, &AUTHORIZATION).map(|value| value.and_then(bearer));
                if let Ok(Some(text)) = bearer
                    && is_token(text.trim())
                {
                    return Self::Token(text.trim());
                }
                bearer
            }
            key => key,
        };
        let parsed = match key {
            Ok(None) => return Self::Missing,
            Ok(Some(key)) => ApiKeyText::parse(key.trim()),
            Err(invalid) => Err(invalid),
        };
        match parsed {
            Ok(key) => Self::Key(key),
            Err(invalid) => Self::Malformed(invalid),
        }
    }
}

/// Whether a text has the three parts of a token, of which no key has more than one.
fn is_token(text: &str) -> bool {
    let is_part = |part: &str| {
        let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        !part.is_empty() && part.bytes().all(is_base64)
    };
    // Most texts are keys.
    text.as_bytes().contains(&b'.') && text.split('.').count() == 3 && text.split('.').all(is_part)
}

/// The value of a header that may occur once.
fn single<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, Invalid> {
    let mut values = headers.get_all(name);
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => {
            let text = value.to_str();
            text.map(Some)
                .map_err(|_| Invalid::new("is malformed: it has characters that no key has"))
        }
        (Some(_), Some(_)) => Err(Invalid::new("is malformed: it is given twice")),
    }
}

/// The credentials of the scheme `Bearer`, whose name may have any case.
fn bearer(authorization: &str) -> Option<&str> {
    const SCHEME: &str = "bearer ";
    let (scheme, credentials) = authorization.trim_start().split_at_checked(SCHEME.len())?;
    scheme.eq_ignore_ascii_case(SCHEME).then_some(credentials)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;
    use lectern_domain::{ApiKeyId, SystemClock};

    use super::*;
    use crate::http::auth::secret;

    fn found(headers: &[(&HeaderName, &str)]) -> String {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append((*name).clone(), HeaderValue::from_str(value).unwrap());
        }
        match Credentials::of(&map) {
            Credentials::Missing => "missing".to_owned(),
            Credentials::Token(text) => format!("token {text}"),
            Credentials::Malformed(invalid) => invalid.to_string(),
            Credentials::Key(key) => key.id().to_string(),
        }
    }

    #[test]
    fn a_key_is_in_either_header() {
        let key = || secret::generate(ApiKeyId::new(&SystemClock)).unwrap().0;
        let (one, other) = (key(), key());
        let (text, id) = (one.reveal(), one.id().to_string());
        let other_text = other.reveal();
        for scheme in ["Bearer", "bearer", "BEARER", "Bearer "] {
            let header = format!("{scheme} {text}");
            assert_eq!(found(&[(&AUTHORIZATION, &header)]), id);
        }
        assert_eq!(found(&[(&X_API_KEY, &text)]), id);
        let both = [
            (&AUTHORIZATION, format!("Bearer {other_text}")),
            (&X_API_KEY, text.clone()),
        ];
        assert_eq!(
            found(&both.each_ref().map(|(name, text)| (*name, text.as_str()))),
            id
        );
        let proxy = [(&AUTHORIZATION, "Basic YTpi"), (&X_API_KEY, &*text)];
        assert_eq!(found(&proxy), id);
        for missing in [
            &[][..],
            &[(&AUTHORIZATION, "Basic YTpi")],
            &[(&AUTHORIZATION, "Bearer")],
        ] {
            assert_eq!(found(missing), "missing");
        }
        assert_eq!(
            found(&[(&AUTHORIZATION, "Bearer a.b-_.9")]),
            "token a.b-_.9"
        );
        for malformed in [
            &[(&AUTHORIZATION, "Bearer a..b")][..],
            &[(&AUTHORIZATION, "Bearer a.b.c.d")],
            &[(&X_API_KEY, "a.b.c")],
            &[(&X_API_KEY, "")],
            &[(&X_API_KEY, &text[..80])],
            &[(&AUTHORIZATION, "Bearer secret")],
            &[(&X_API_KEY, &text), (&X_API_KEY, &text)],
        ] {
            let found = found(malformed);
            assert!(found.contains("malformed"), "{found}");
        }
    }
}
