//! Entity tags and their preconditions (RFC 9110, 8.8.3 and 13.1).

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{self, EntityTag, Header as _};
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use data_encoding::HEXLOWER;
use lectern_api::Code;
use lectern_db::Error;
use ring::digest::{SHA256, digest};

use crate::http::error::ApiError;

/// The entity tag of a representation: a hash of its bytes. Two equal representations have
/// the same tag.
pub(crate) fn content_etag(representation: &[u8]) -> String {
    let hash = digest(&SHA256, representation);
    let short = hash.as_ref().get(..16).unwrap_or_default();
    EntityTag::new_strong(HEXLOWER.encode(short)).to_string()
}

/// A version that no job has: versions count from 1.
const NONEXISTENT_VERSION: i64 = 0;

/// The entity tag of a job's version.
pub(crate) fn etag(version: i64) -> String {
    EntityTag::new_strong(version.to_string()).to_string()
}

/// `If-Match`: the request applies only to these versions of the job; `None` is
/// any version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IfMatch(Option<Vec<i64>>);

impl IfMatch {
    /// Calls `change` with the expected version, or with `None` when any version is
    /// accepted; with several, calls `change` for one after the other until one matches.
    pub(crate) fn apply<T>(
        &self,
        mut change: impl FnMut(Option<i64>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let Some(versions) = &self.0 else {
            return change(None);
        };
        let mut outcome = change(versions.first().copied());
        for version in versions.iter().skip(1) {
            match outcome {
                Err(Error::VersionMismatch { .. }) => outcome = change(Some(*version)),
                _ => break,
            }
        }
        outcome
    }

    fn of(request: &impl HttpMessage) -> Self {
        if !request.headers().contains_key(header::IF_MATCH) {
            return Self(None);
        }
        // Weak tags and tags that are not a number match no version.
        let version = |tag: &EntityTag| {
            let strong = Some(tag.tag()).filter(|_| !tag.weak);
            strong
                .and_then(|tag| tag.parse().ok())
                .unwrap_or(NONEXISTENT_VERSION)
        };
        Self(match header::IfMatch::parse(request) {
            Ok(header::IfMatch::Any) => None,
            Ok(header::IfMatch::Items(tags)) if !tags.is_empty() => {
                Some(tags.iter().map(version).collect())
            }
            Ok(header::IfMatch::Items(_)) | Err(_) => Some(vec![NONEXISTENT_VERSION]),
        })
    }
}

impl FromRequest for IfMatch {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(request)))
    }
}

/// `If-Match` with tags of [`content_etag`].
#[derive(Debug, Clone)]
pub(crate) struct IfMatchContent(header::IfMatch);

impl IfMatchContent {
    /// Fails if the header is given and none of its tags is `current`, which is only called
    /// if needed. The comparison is strong.
    pub(crate) fn check(
        &self,
        noun: &str,
        current: impl FnOnce() -> Result<String, ApiError>,
    ) -> Result<(), ApiError> {
        let header::IfMatch::Items(tags) = &self.0 else {
            return Ok(());
        };
        let current = current()?;
        let is_current = |tag: &EntityTag| current.parse().is_ok_and(|it| tag.strong_eq(&it));
        if tags.iter().any(is_current) {
            return Ok(());
        }
        let detail = format!("the {noun} has changed since the version given in If-Match");
        Err(ApiError::new(Code::VersionMismatch, detail))
    }
}

impl FromRequest for IfMatchContent {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let given = request.headers().contains_key(header::IF_MATCH);
        ready(Ok(Self(match header::IfMatch::parse(request) {
            _ if !given => header::IfMatch::Any,
            Ok(tags) => tags,
            // A malformed header matches nothing.
            Err(_) => header::IfMatch::Items(Vec::new()),
        })))
    }
}

/// `If-None-Match`: the response is sent only if the client does not have it yet.
#[derive(Debug, Clone)]
pub(crate) struct IfNoneMatch(header::IfNoneMatch);

impl IfNoneMatch {
    /// Whether the client has the representation with this `etag`. The comparison
    /// is weak.
    pub(crate) fn matches(&self, etag: &str) -> bool {
        match (&self.0, etag.parse::<EntityTag>()) {
            (header::IfNoneMatch::Any, _) => true,
            (header::IfNoneMatch::Items(tags), Ok(etag)) => {
                tags.iter().any(|tag| tag.weak_eq(&etag))
            }
            (header::IfNoneMatch::Items(_), Err(_)) => false,
        }
    }

    /// A malformed header counts as absent.
    fn of(request: &impl HttpMessage) -> Self {
        let parsed = header::IfNoneMatch::parse(request);
        Self(parsed.unwrap_or(header::IfNoneMatch::Items(Vec::new())))
    }
}

impl FromRequest for IfNoneMatch {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(request)))
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderName;
    use actix_web::test::TestRequest;

    use super::*;

    fn request(name: &HeaderName, values: &[&str]) -> HttpRequest {
        let request = TestRequest::get();
        let request = values.iter().fold(request, |request, value| {
            request.append_header((name.clone(), *value))
        });
        request.to_http_request()
    }

    #[test]
    fn if_none_match_compares_weakly() {
        let matches = |values: &[&str]| {
            IfNoneMatch::of(&request(&header::IF_NONE_MATCH, values)).matches("\"7\"")
        };
        assert!(matches(&["\"7\""]) && matches(&["W/\"7\""]) && matches(&["*"]));
        assert!(matches(&["\"6\", \"7\""]) && matches(&["\"6\"", "\"7\""]));
        assert!(
            !matches(&[])
                && !matches(&["7"])
                && !matches(&["\"70\""])
                && !matches(&["\"7"])
                && !matches(&[""])
        );
    }

    #[test]
    fn if_match_of_content_compares_strongly() {
        let tag = content_etag(b"{}");
        let check = |values: &[&str]| {
            let request = request(&header::IF_MATCH, values);
            let header = IfMatchContent::extract(&request).into_inner().unwrap();
            header.check("clip", || Ok(tag.clone())).is_ok()
        };
        assert!(check(&[]) && check(&["*"]) && check(&[&tag]));
        assert!(check(&["\"1\"", &tag]));
        let other = content_etag(b"[]");
        for bad in [&other, &format!("W/{tag}"), "x", "", "\"7"] {
            assert!(!check(&[bad]), "{bad}");
        }
    }

    #[test]
    fn if_match_compares_strongly_and_foreign_tags_match_no_version() {
        let versions = |values: &[&str]| IfMatch::of(&request(&header::IF_MATCH, values)).0;
        assert_eq!(versions(&[]), None);
        assert_eq!(versions(&["*"]), None);
        assert_eq!(versions(&["\"7\", \"8\""]), Some(vec![7, 8]));
        for bad in ["7", "W/\"7\"", "\"x\"", "", "\"7"] {
            assert_eq!(versions(&[bad]), Some(vec![NONEXISTENT_VERSION]), "{bad}");
        }
    }
}
