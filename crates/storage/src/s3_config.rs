//! Where a bucket is.

use std::fmt;

use percent_encoding::percent_decode_str;
use url::Url;

use crate::config::refuse;
use crate::{Error, ObjectPrefix};

/// Which bucket, where, and how it is spoken to.
#[derive(Clone, PartialEq, Eq)]
pub struct S3Config {
    /// The name of the bucket, which exists.
    pub bucket: String,
    /// What all keys in the bucket begin with, unseen from outside.
    pub prefix: ObjectPrefix,
    /// Where the bucket is.
    pub region: Option<String>,
    /// The address of a service other than AWS.
    pub endpoint: Option<Url>,
    /// The address that clients reach it at, if it is another.
    pub public_endpoint: Option<Url>,
    /// Where the bucket stands in a URL; unless something is said, in the path
    /// of an endpoint and in the host at AWS.
    pub style: Option<Style>,
    /// Names and values of the variables that say who is asking.
    pub(crate) credentials: Vec<(&'static str, String)>,
}

/// Where the bucket stands in a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// `https://host/bucket/key`
    Path,
    /// `https://bucket.host/key`
    Virtual,
}

/// The variables of the environment that say who is asking: a key, or where a
/// container or a web identity finds one. Without them the machine's own role
/// is asked for.
const CREDENTIALS: [&str; 9] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
];

impl S3Config {
    /// What the URL says; credentials are not in it.
    pub(crate) fn parse(url: &Url) -> Result<Self, Error> {
        let bucket = url.host_str().unwrap_or_default();
        let plain =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
        if !(3..=63).contains(&bucket.len()) || !bucket.bytes().all(plain) || url.port().is_some() {
            return Err(refuse("the name of the bucket is missing or malformed"));
        }
        let prefix = percent_decode_str(url.path().trim_matches('/'))
            .decode_utf8()
            .ok()
            .and_then(|prefix| ObjectPrefix::new(prefix).ok())
            .ok_or_else(|| refuse("the prefix could not be the beginning of a key"))?;
        let mut config = Self {
            bucket: bucket.to_owned(),
            prefix,
            region: None,
            endpoint: None,
            public_endpoint: None,
            style: None,
            credentials: Vec::new(),
        };
        for (name, value) in url.query_pairs() {
            match (&*name, &*value) {
                ("region", region) if !region.is_empty() => config.region = Some(region.to_owned()),
                ("endpoint", url) => config.endpoint = Some(endpoint("endpoint", url)?),
                ("public_endpoint", url) => {
                    config.public_endpoint = Some(endpoint("public_endpoint", url)?);
                }
                ("style", "path") => config.style = Some(Style::Path),
                ("style", "virtual") => config.style = Some(Style::Virtual),
                _ => {
                    return Err(refuse(
                        "its parameters are region, endpoint, public_endpoint and style (path or virtual)",
                    ));
                }
            }
        }
        Ok(config)
    }

    /// What the environment says and the URL does not.
    pub(crate) fn with_environment(
        mut self,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Error> {
        // An empty variable is one that was unset where that is impossible.
        let first = |names: &[&str]| {
            let mut values = names.iter().filter_map(|name| variable(name));
            values.find(|value| !value.is_empty())
        };
        self.region = self
            .region
            .or_else(|| first(&["AWS_REGION", "AWS_DEFAULT_REGION"]));
        if self.endpoint.is_none() {
            let url = first(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]);
            self.endpoint = url
                .map(|url| endpoint("AWS_ENDPOINT_URL", &url))
                .transpose()?;
        }
        self.credentials = CREDENTIALS
            .into_iter()
            .filter_map(|name| Some((name, first(&[name])?)))
            .collect();
        Ok(self)
    }

    /// Where the bucket stands in a URL.
    pub(crate) fn style(&self) -> Style {
        self.style.unwrap_or(match self.endpoint {
            Some(_) => Style::Path,
            None => Style::Virtual,
        })
    }
}

/// The address of a service, without what the bucket and the keys go behind.
fn endpoint(name: &str, text: &str) -> Result<Url, Error> {
    let bare = |url: &Url| {
        matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
    };
    Url::parse(text).ok().filter(bare).ok_or_else(|| {
        refuse(format!(
            "{name} is not an address such as https://host:9000"
        ))
    })
}

impl fmt::Display for S3Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}", self.bucket)?;
        if let Some(prefix) = self.prefix.as_key() {
            write!(f, "/{}", prefix.to_url_path())?;
        }
        let style = match self.style() {
            Style::Path => "path",
            Style::Virtual => "virtual",
        };
        let parameters = [
            ("region", self.region.as_deref()),
            ("endpoint", self.endpoint.as_ref().map(Url::as_str)),
            (
                "public_endpoint",
                self.public_endpoint.as_ref().map(Url::as_str),
            ),
            ("style", Some(style)),
        ];
        let given = parameters
            .iter()
            .filter_map(|(name, value)| Some((name, (*value)?)));
        for (i, (name, value)) in given.enumerate() {
            write!(f, "{}{name}={value}", if i == 0 { '?' } else { '&' })?;
        }
        Ok(())
    }
}

impl fmt::Debug for S3Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.credentials.iter().map(|(name, _)| name).collect();
        write!(f, "S3Config({self}, credentials from {names:?})")
    }
}
