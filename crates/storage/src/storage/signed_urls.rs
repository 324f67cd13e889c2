//! Signed URLs for uploads and downloads.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use lectern_domain::DownloadName;
use object_store::signer::Method;
use url::Url;

use super::{Backend, Storage};
use crate::error::Error;
use crate::key::ObjectKey;

/// The path below which the server provides objects on local disk.
pub const OBJECTS_PATH: &str = "/api/v1/objects/";

impl Storage {
    /// A URL that allows its holder to PUT an object of `size` bytes until `now + ttl`.
    ///
    /// For local disk, this is a URL of the server below [`OBJECTS_PATH`] of `base`;
    /// [`Signer::verify_put`](crate::Signer::verify_put) verifies the URL. For a bucket,
    /// this is a URL of the service, with two differences: the lifetime starts at the
    /// current time instead of `now` and is at most seven days, and the service does not
    /// check the size, so the caller must check the size after the upload.
    pub async fn upload_url(
        &self,
        base: &Url,
        key: &ObjectKey,
        size: u64,
        ttl: Duration,
        now: DateTime<Utc>,
    ) -> Result<Url, Error> {
        match &self.0 {
            Backend::Local { signer, .. } => {
                let query = signer.sign_put(key, size, add_saturating(now, ttl));
                Ok(local_url(base, key, &query))
            }
            Backend::S3(bucket) => bucket.sign(Method::PUT, key, None, ttl).await,
        }
    }

    /// A URL that allows its holder to GET an object until `now + ttl`. The object does not
    /// have to exist. Browsers save the object under `name`, or under the last part of its
    /// key.
    ///
    /// For local disk, this is a URL of the server, which allows HEAD, too. For a bucket,
    /// this is a URL of the service; its lifetime starts at the current time instead of
    /// `now` and is at most seven days.
    pub async fn download_url(
        &self,
        base: &Url,
        key: &ObjectKey,
        name: Option<&DownloadName>,
        ttl: Duration,
        now: DateTime<Utc>,
    ) -> Result<Url, Error> {
        match &self.0 {
            Backend::Local { signer, .. } => {
                let query = signer.sign_get(key, name, add_saturating(now, ttl));
                Ok(local_url(base, key, &query))
            }
            Backend::S3(bucket) => bucket.sign(Method::GET, key, name, ttl).await,
        }
    }
}

fn add_saturating(now: DateTime<Utc>, ttl: Duration) -> DateTime<Utc> {
    let ttl = TimeDelta::from_std(ttl).unwrap_or(TimeDelta::MAX);
    now.checked_add_signed(ttl)
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}

fn local_url(base: &Url, key: &ObjectKey, query: &str) -> Url {
    let mut url = base.clone();
    let base_path = base.path().trim_end_matches('/');
    url.set_path(&format!("{base_path}{OBJECTS_PATH}{}", key.to_url_path()));
    url.set_query(Some(query));
    url
}
