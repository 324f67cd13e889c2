//! The location of the storage.

mod s3;

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use url::Url;

use crate::error::Error;

pub use s3::{AddressingStyle, S3Config};

/// The location of the storage: a directory, or a bucket of an S3-compatible service.
///
/// The location is parsed from a URL: `file:///path` or
/// `s3://bucket/prefix?endpoint=https://…&region=…`. The optional parameters are
///
/// - `region`: the region of the bucket, by default `us-east-1`;
/// - `endpoint`: the address of a service other than AWS;
/// - `public_endpoint`: the address of the service for clients, if it is not `endpoint`;
/// - `style`: `path` if the bucket is part of the path (the default with an endpoint),
///   `virtual` if it is part of the host name (the default for AWS).
///
/// The URL has no credentials: see [`StorageConfig::with_environment`].
///
/// ```
/// use lectern_storage::StorageConfig;
///
/// let local: StorageConfig = "file:///var/lib/lectern/objects".parse()?;
/// let minio: StorageConfig = "s3://lectures/2026?endpoint=http://minio:9000".parse()?;
/// assert_eq!(minio.to_string(), "s3://lectures/2026?endpoint=http://minio:9000/&style=path");
/// assert!("s3://id:key@lectures".parse::<StorageConfig>().is_err());
/// # Ok::<(), lectern_storage::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StorageConfig {
    /// A directory, which is created if it does not exist.
    Local {
        /// Absolute, if the location was parsed from a URL.
        dir: PathBuf,
    },
    /// A bucket of an S3-compatible service.
    S3(Box<S3Config>),
}

impl StorageConfig {
    /// Adds what the URL does not have, from the variables that the AWS tools read. Does
    /// nothing for a directory.
    ///
    /// - Credentials: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`;
    ///   of containers `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI`,
    ///   `AWS_CONTAINER_CREDENTIALS_FULL_URI`, `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE`;
    ///   of web identities `AWS_WEB_IDENTITY_TOKEN_FILE`, `AWS_ROLE_ARN`,
    ///   `AWS_ROLE_SESSION_NAME`.
    /// - The region: `AWS_REGION`, or else `AWS_DEFAULT_REGION`.
    /// - The endpoint: `AWS_ENDPOINT_URL_S3`, or else `AWS_ENDPOINT_URL`.
    ///
    /// A variable with an empty value counts as unset.
    ///
    /// `variable` returns the value of a variable, usually by [`std::env::var`].
    pub fn with_environment(
        self,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Error> {
        match self {
            Self::Local { .. } => Ok(self),
            Self::S3(s3) => Ok(Self::S3(Box::new(s3.with_environment(variable)?))),
        }
    }
}

impl FromStr for StorageConfig {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if text.starts_with("file:") && !text.starts_with("file:///") {
            // The URL parser would turn a relative path into an absolute path.
            return Err(Error::invalid_url(
                "it is not the absolute path of a directory",
            ));
        }
        let url = Url::parse(text).map_err(|error| Error::invalid_url(error.to_string()))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Error::invalid_url(
                "credentials belong in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            ));
        }
        if url.fragment().is_some() {
            return Err(Error::invalid_url("it must not have a fragment"));
        }
        match url.scheme() {
            "file" => parse_directory(&url),
            "s3" => Ok(Self::S3(Box::new(S3Config::parse(&url)?))),
            _ => Err(Error::invalid_url(
                "it begins with neither file:// nor s3://",
            )),
        }
    }
}

fn parse_directory(url: &Url) -> Result<StorageConfig, Error> {
    if url.query().is_some() {
        return Err(Error::invalid_url(
            "the URL of a directory must not have parameters",
        ));
    }
    match url.to_file_path() {
        Ok(dir) if dir.parent().is_some() => Ok(StorageConfig::Local { dir }),
        _ => Err(Error::invalid_url(
            "it is not the absolute path of a directory",
        )),
    }
}

impl fmt::Display for StorageConfig {
    /// The URL, without credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local { dir } => write!(f, "file://{}", dir.display()),
            Self::S3(s3) => s3.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s3(url: &str) -> S3Config {
        match url.parse().unwrap() {
            StorageConfig::S3(s3) => *s3,
            StorageConfig::Local { dir } => panic!("{}", dir.display()),
        }
    }

    #[test]
    fn a_directory_is_an_absolute_path() {
        let config: StorageConfig = "file:///var/lib/lectern%20data/objects".parse().unwrap();
        let dir = PathBuf::from("/var/lib/lectern data/objects");
        assert_eq!(config, StorageConfig::Local { dir });
    }

    #[test]
    fn the_parameters_of_a_bucket_are_parsed() {
        let plain = s3("s3://lectures");
        assert_eq!((&*plain.bucket, plain.prefix.as_str()), ("lectures", ""));
        assert_eq!(
            (plain.region.as_ref(), plain.endpoint.as_ref()),
            (None, None)
        );
        assert_eq!(plain.style(), AddressingStyle::Virtual);

        let full = s3(
            "s3://my.lectures/a/b%20c/?region=eu-west-1&endpoint=http://minio:9000&style=virtual",
        );
        assert_eq!(
            (&*full.bucket, full.prefix.as_str()),
            ("my.lectures", "a/b c")
        );
        assert_eq!(full.region.as_deref(), Some("eu-west-1"));
        assert_eq!(full.style(), AddressingStyle::Virtual);
        assert_eq!(
            s3("s3://abc?endpoint=https://minio").style(),
            AddressingStyle::Path
        );
        assert_eq!(full, s3(&full.to_string()));
    }

    #[test]
    fn the_environment_completes_the_url() {
        let environment = |name: &str| match name {
            "AWS_REGION" => Some(String::new()),
            "AWS_DEFAULT_REGION" => Some("eu-west-1".to_owned()),
            "AWS_ENDPOINT_URL" => Some("http://minio:9000".to_owned()),
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("hush".to_owned()),
            _ => None,
        };
        let completed = |url: &str| {
            let config: StorageConfig = url.parse().unwrap();
            config.with_environment(environment).unwrap().to_string()
        };
        assert_eq!(
            completed("s3://abc"),
            "s3://abc?region=eu-west-1&endpoint=http://minio:9000/&style=path"
        );
        assert_eq!(
            completed("s3://abc?region=us-west-2&endpoint=https://s3.example"),
            "s3://abc?region=us-west-2&endpoint=https://s3.example/&style=path"
        );
        assert_eq!(completed("file:///srv/objects"), "file:///srv/objects");
        let invalid = |name: &str| (name == "AWS_ENDPOINT_URL").then(|| "minio".to_owned());
        let config: StorageConfig = "s3://abc".parse().unwrap();
        assert!(config.with_environment(invalid).is_err());
    }

    #[test]
    fn an_invalid_url_is_refused_and_not_repeated() {
        for url in [
            "",
            "hush",
            "/hush",
            "file:hush/objects",
            "file://host/hush",
            "file:///",
            "file:///hush?x=1",
            "file:///hush#x",
            "http://hush",
            "s3:///hush",
            "s3://hush:1",
            "s3://Hu_sh",
            "s3://id@hush",
            "s3://id:hush@bucket",
            "s3://bucket/a%2e%2e%2f%2e%2e/hush%25",
            "s3://bucket/a//hush",
            "s3://bucket#hush",
            "s3://bucket?hush",
            "s3://bucket?secret=hush",
            "s3://bucket?style=hush",
            "s3://bucket?endpoint=hush",
            "s3://bucket?endpoint=ftp://hush",
            "s3://bucket?endpoint=https://id:hush@host",
            "s3://bucket?endpoint=https://host/%3Fhush?x",
        ] {
            let error = url.parse::<StorageConfig>().unwrap_err().to_string();
            assert!(!error.contains("hush"), "{url}: {error}");
        }
    }
}
