//! The location of a bucket.

use std::fmt;

use percent_encoding::percent_decode_str;
use url::Url;

use crate::error::Error;
use crate::key::ObjectPrefix;

/// A bucket, the service that hosts the bucket, and the credentials for the service.
#[derive(Clone, PartialEq, Eq)]
pub struct S3Config {
    /// The name of an existing bucket.
    pub bucket: String,
    /// Precedes every key in the bucket. An [`ObjectKey`](crate::ObjectKey) does not
    /// include this prefix.
    pub prefix: ObjectPrefix,
    /// `None`: `us-east-1`, the default of `object_store`.
    pub region: Option<String>,
    /// The address of a service other than AWS.
    pub endpoint: Option<Url>,
    /// The address of the service for clients; `None`: the same as `endpoint`.
    pub public_endpoint: Option<Url>,
    /// `None`: [`AddressingStyle::Path`] if there is an endpoint, otherwise
    /// [`AddressingStyle::Virtual`].
    pub style: Option<AddressingStyle>,
    /// Names and values of the environment variables with credentials.
    pub(crate) credentials: Vec<(&'static str, String)>,
}

/// The position of the bucket name in a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressingStyle {
    /// `https://host/bucket/key`
    Path,
    /// `https://bucket.host/key`
    Virtual,
}

/// The environment variables with credentials: an access key, or the source from which a
/// container or a web identity obtains an access key. If no variable is set,
/// `object_store` uses the role of the machine.
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
    /// Parses a URL with the scheme `s3` and without credentials.
    pub(crate) fn parse(url: &Url) -> Result<Self, Error> {
        let bucket = url.host_str().unwrap_or_default();
        let is_allowed =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
        if !(3..=63).contains(&bucket.len())
            || !bucket.bytes().all(is_allowed)
            || url.port().is_some()
        {
            return Err(Error::invalid_url(
                "the name of the bucket is missing or malformed",
            ));
        }
        let prefix = percent_decode_str(url.path().trim_matches('/'))
            .decode_utf8()
            .ok()
            .and_then(|prefix| ObjectPrefix::new(prefix).ok())
            .ok_or_else(|| Error::invalid_url("the prefix is not a valid object key"))?;
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
                ("endpoint", url) => config.endpoint = Some(parse_endpoint("endpoint", url)?),
                ("public_endpoint", url) => {
                    config.public_endpoint = Some(parse_endpoint("public_endpoint", url)?);
                }
                ("style", "path") => config.style = Some(AddressingStyle::Path),
                ("style", "virtual") => config.style = Some(AddressingStyle::Virtual),
                _ => {
                    return Err(Error::invalid_url(
                        "the accepted parameters are region, endpoint, public_endpoint and style (path or virtual)",
                    ));
                }
            }
        }
        Ok(config)
    }

    /// Adds the credentials, and the region and the endpoint if the URL has none.
    pub(crate) fn with_environment(
        mut self,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Error> {
        // An empty variable counts as unset, because some tools cannot unset a variable.
        let first_set = |names: &[&str]| {
            let mut values = names.iter().filter_map(|name| variable(name));
            values.find(|value| !value.is_empty())
        };
        self.region = self
            .region
            .or_else(|| first_set(&["AWS_REGION", "AWS_DEFAULT_REGION"]));
        if self.endpoint.is_none() {
            let url = first_set(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]);
            self.endpoint = url
                .map(|url| parse_endpoint("AWS_ENDPOINT_URL", &url))
                .transpose()?;
        }
        self.credentials = CREDENTIALS
            .into_iter()
            .filter_map(|name| Some((name, first_set(&[name])?)))
            .collect();
        Ok(self)
    }

    /// The style, or the default for the endpoint.
    pub(crate) fn style(&self) -> AddressingStyle {
        self.style.unwrap_or(match self.endpoint {
            Some(_) => AddressingStyle::Path,
            None => AddressingStyle::Virtual,
        })
    }
}

/// Parses the address of a service, which must not have credentials, a query or a fragment.
fn parse_endpoint(name: &str, text: &str) -> Result<Url, Error> {
    let is_plain = |url: &Url| {
        matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
    };
    Url::parse(text).ok().filter(is_plain).ok_or_else(|| {
        Error::invalid_url(format!(
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
            AddressingStyle::Path => "path",
            AddressingStyle::Virtual => "virtual",
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
        let present = parameters
            .iter()
            .filter_map(|(name, value)| Some((name, (*value)?)));
        for (i, (name, value)) in present.enumerate() {
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
