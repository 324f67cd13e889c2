//! URLs that whoever has them may use.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use object_store::signer::Method;
use url::Url;

use crate::storage::Backend;
use crate::{Error, ObjectKey, Storage};

/// What the URLs of objects on local disk have between the server's address
/// and the key.
pub const OBJECTS_PATH: &str = "/api/v1/objects/";

impl Storage {
    /// A URL that lets whoever has it PUT an object of `size` bytes, until
    /// `ttl` after `now`.
    ///
    /// On local disk it is one of this server, which is reached at `base` and
    /// answers below [`OBJECTS_PATH`] with [`Signer::verify_put`](crate::Signer::verify_put). On S3 it is
    /// the service's own, good for seven days at most from now on; there the
    /// size is not part of it and has to be looked at afterwards.
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
                let query = signer.sign_put(key, size, after(now, ttl));
                Ok(local_url(base, key, &query))
            }
            Backend::S3(bucket) => bucket.sign(Method::PUT, key, ttl).await,
        }
    }

    /// A URL that lets whoever has it GET an object, until `ttl` after `now`.
    ///
    /// On local disk it is one of this server and lets HEAD pass, too; on S3 it
    /// is the service's own, good for seven days at most from now on. Whether
    /// there is an object is not asked.
    pub async fn download_url(
        &self,
        base: &Url,
        key: &ObjectKey,
        ttl: Duration,
        now: DateTime<Utc>,
    ) -> Result<Url, Error> {
        match &self.0 {
            Backend::Local { signer, .. } => {
                let query = signer.sign_get(key, after(now, ttl));
                Ok(local_url(base, key, &query))
            }
            Backend::S3(bucket) => bucket.sign(Method::GET, key, ttl).await,
        }
    }
}

fn after(now: DateTime<Utc>, ttl: Duration) -> DateTime<Utc> {
    let ttl = TimeDelta::from_std(ttl).unwrap_or(TimeDelta::MAX);
    now.checked_add_signed(ttl)
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}

fn local_url(base: &Url, key: &ObjectKey, query: &str) -> Url {
    let mut url = base.clone();
    let below = base.path().trim_end_matches('/');
    url.set_path(&format!("{below}{OBJECTS_PATH}{}", key.to_url_path()));
    url.set_query(Some(query));
    url
}
