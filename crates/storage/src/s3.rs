//! A bucket of an S3-compatible service.

use std::sync::Arc;
use std::time::Duration;

use lectern_domain::DownloadName;
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::client::ClientOptions;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::signer::{Method, SignedUrlOptions, Signer as _};
use object_store::{BackoffConfig, RetryConfig};
use url::Url;

use crate::config::{AddressingStyle, S3Config};
use crate::error::Error;
use crate::key::ObjectKey;

/// A client of a bucket.
#[derive(Clone)]
pub(crate) struct Bucket {
    pub(crate) store: PrefixStore<AmazonS3>,
    /// The bucket at its public endpoint, for signed URLs.
    public: AmazonS3,
    prefix: Path,
    /// The storage URL, without credentials.
    url: Arc<str>,
}

/// Upper bound of S3 for the lifetime of a signed URL.
const MAX_TTL: Duration = Duration::from_hours(7 * 24);

impl Bucket {
    pub(crate) fn open(config: &S3Config) -> Result<Self, Error> {
        // Fails if a crypto provider is already installed; that provider is then used.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let store = build_client(config, config.endpoint.as_ref())?;
        let public = match &config.public_endpoint {
            Some(endpoint) => build_client(config, Some(endpoint))?,
            None => store.clone(),
        };
        let prefix = config.prefix.to_path()?;
        Ok(Self {
            store: PrefixStore::new(store, prefix.clone()),
            public,
            prefix,
            url: config.to_string().into(),
        })
    }

    /// The storage URL, without credentials.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// A URL that allows its holder one method on one object. The URL expires after `ttl`,
    /// but after seven days at the latest. The service sends the object with `name`.
    pub(crate) async fn sign(
        &self,
        method: Method,
        key: &ObjectKey,
        name: Option<&DownloadName>,
        ttl: Duration,
    ) -> Result<Url, Error> {
        let path: Path = self.prefix.parts().chain(key.to_path()?.parts()).collect();
        let disposition = name.map(DownloadName::content_disposition);
        let disposition = disposition.map(|value| ("response-content-disposition", value));
        let options = SignedUrlOptions::new().with_query(disposition);
        self.public
            .signed_url_opts(method, &path, ttl.min(MAX_TTL), &options)
            .await
            .map_err(|error| Error::driver_for_key(error, "sign a URL of", key))
    }
}

fn build_client(config: &S3Config, endpoint: Option<&Url>) -> Result<AmazonS3, Error> {
    let client = ClientOptions::new()
        // The duration of a transfer is unlimited; the read timeout ends a transfer that
        // makes no progress.
        .with_timeout_disabled()
        .with_connect_timeout(Duration::from_secs(5))
        .with_read_timeout(Duration::from_mins(1))
        .with_allow_http(endpoint.is_some_and(|url| url.scheme() == "http"));
    let retry = RetryConfig {
        backoff: BackoffConfig::default(),
        max_retries: 3,
        retry_timeout: Duration::from_secs(30),
    };
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&config.bucket)
        .with_virtual_hosted_style_request(config.style() == AddressingStyle::Virtual)
        .with_client_options(client)
        .with_retry(retry)
        // Some services do not support the deletion of several objects in one request.
        .with_disable_bulk_delete(true);
    if let Some(region) = &config.region {
        builder = builder.with_region(region);
    }
    if let Some(endpoint) = endpoint {
        builder = builder.with_endpoint(driver_endpoint(endpoint, config)?);
    }
    for (name, value) in &config.credentials {
        let key = name
            .to_ascii_lowercase()
            .parse::<AmazonS3ConfigKey>()
            .map_err(|error| Error::driver(error, format!("use {name}")))?;
        builder = builder.with_config(key, value);
    }
    builder
        .build()
        .map_err(|error| Error::Config(format!("cannot use {config}: {error}")))
}

/// The endpoint as `object_store` expects it. With the virtual style, the host name
/// includes the bucket.
fn driver_endpoint(endpoint: &Url, config: &S3Config) -> Result<String, Error> {
    let mut endpoint = endpoint.clone();
    if config.style() == AddressingStyle::Virtual {
        let host = format!(
            "{}.{}",
            config.bucket,
            endpoint.host_str().unwrap_or_default()
        );
        endpoint
            .set_host(Some(&host))
            .map_err(|error| Error::Config(format!("{host} is not a host name: {error}")))?;
    }
    Ok(endpoint.as_str().trim_end_matches('/').to_owned())
}
