//! Signed URLs for uploads and downloads.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use object_store::signer::Method;
use url::Url;

use super::{Backend, Storage};
use crate::error::Error;
use crate::key::ObjectKey;

/// The path of this server below which it serves objects on local disk.
pub const OBJECTS_PATH: &str = "/api/v1/objects/";

impl Storage {
    /// A URL that allows its holder to PUT an object of `size` bytes until `now + ttl`.
    ///
    /// On local disk it is a URL of this server, below [`OBJECTS_PATH`] of `base`, which
    /// [`Signer::verify_put`](crate::Signer::verify_put) verifies. For a bucket it is a
    /// URL of the service. It expires after at most seven days, counted from the current
    /// time, and does not limit the size, which has to be checked after the upload.
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
            Backend::S3(bucket) => bucket.sign(Method::PUT, key, ttl).await,
        }
    }

    /// A URL that allows its holder to GET an object until `now + ttl`. The object does not
    /// have to exist.
    ///
    /// On local disk it is a URL of this server, which allows HEAD, too. For a bucket it is
    /// a URL of the service, which expires after at most seven days, counted from the
    /// current time.
    pub async fn download_url(
        &self,
        base: &Url,
        key: &ObjectKey,
        ttl: Duration,
        now: DateTime<Utc>,
    ) -> Result<Url, Error> {
        match &self.0 {
            Backend::Local { signer, .. } => {
                let query = signer.sign_get(key, add_saturating(now, ttl));
                Ok(local_url(base, key, &query))
            }
            Backend::S3(bucket) => bucket.sign(Method::GET, key, ttl).await,
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
