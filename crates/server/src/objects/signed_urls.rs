//! Signed URLs for uploads and downloads.

use std::future::{Ready, ready};
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use chrono::{DateTime, Utc};
use lectern_api::{Code, FieldError};
use lectern_domain::{DownloadName, Job, JobId, OwnerName, StorageKey};
use lectern_storage::{ObjectKey, Storage};
use url::Url;

use crate::database::caller_database::CallerDatabase;
use crate::http::address::{ConnectionAddress, RequestAddress, TrustedProxies};
use crate::http::error::ApiError;
use crate::http::request::app_data::app_data;
use crate::http::request::mount;
use crate::objects::handle::Objects;

/// Lifetime of the URL from which a worker downloads a recording: as long as the
/// longest stage may take.
const RECORDING_URL_TTL: Duration = Duration::from_hours(24);

/// Makes signed URLs for the client of a request.
#[derive(Debug, Clone)]
pub(crate) struct SignedUrls {
    storage: Storage,
    /// Base of the signed URLs that point to this server.
    base: Url,
    now: DateTime<Utc>,
}

impl SignedUrls {
    /// Base of the signed URLs that point to this server.
    pub(crate) fn base(&self) -> &str {
        self.base.as_str()
    }

    /// The URL at which an object of exactly `size` bytes can be PUT.
    pub(crate) async fn upload(
        &self,
        key: &ObjectKey,
        size: u64,
        ttl: Duration,
    ) -> Result<String, ApiError> {
        let url = self
            .storage
            .upload_url(&self.base, key, size, ttl, self.now);
        Ok(url.await?.into())
    }

    /// The URL of an object that a job of this owner refers to. `None` when the key is invalid,
    /// belongs to another job or is not the owner's, or when the URL cannot be signed. Browsers save the object
    /// under `name`, or under the last part of its key.
    pub(crate) async fn download(
        &self,
        (job_id, owner): (JobId, Option<&OwnerName>),
        key: &StorageKey,
        name: Option<&DownloadName>,
        ttl: Duration,
    ) -> Option<String> {
        let key = ObjectKey::try_from(key.clone()).ok()?;
        if key.is_forbidden_to_owner(job_id, owner) {
            return None;
        }
        let url = self
            .storage
            .download_url(&self.base, &key, name, ttl, self.now);
        url.await
            .inspect_err(|error| log::warn!(job_id:%; "cannot sign a URL for {key}: {error}"))
            .map(String::from)
            .ok()
    }

    /// The URL of a job's recording, for a worker.
    pub(crate) async fn recording(&self, job: &Job) -> Option<String> {
        let key = job.original_s3_key.as_ref()?;
        let owner = (job.recording_owner(), job.owner_id.as_ref());
        self.download(owner, key, None, RECORDING_URL_TTL).await
    }
}

impl SignedUrls {
    fn of(request: &HttpRequest) -> Result<Self, ApiError> {
        let objects = app_data::<Objects>(request)?;
        let base = match &objects.public_url {
            Some(url) => url.clone(),
            None => request_base(request)?,
        };
        Ok(Self {
            storage: objects.storage.clone(),
            base,
            now: CallerDatabase::of(request)?.0.now(),
        })
    }
}

impl FromRequest for SignedUrls {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    /// URLs begin with the configured public URL, or else with the address that
    /// the request was sent to.
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

/// The base URL at which the client reached this server: scheme, host and the path
/// under which the routes are mounted.
fn request_base(request: &HttpRequest) -> Result<Url, ApiError> {
    let address = RequestAddress::of(request, app_data::<TrustedProxies>(request)?);
    let local_address = || match request.conn_data::<ConnectionAddress>() {
        Some(ConnectionAddress(address)) => address.to_string(),
        None => request.app_config().host().to_owned(),
    };
    let host = address.host.map_or_else(local_address, str::to_owned);
    let url = format!("{}://{host}/", address.scheme);
    let has_only_host =
        |url: &Url| url.path() == "/" && url.query().is_none() && url.username().is_empty();
    let mut url = Url::parse(&url).ok().filter(has_only_host).ok_or_else(|| {
        let host = FieldError::new("Host", "must be the address of this server");
        ApiError::fields(Code::MalformedQuery, host)
    })?;
    url.set_path(mount::prefix(request));
    Ok(url)
}
