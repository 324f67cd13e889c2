//! The objects of a job, at URLs that a server has signed.

use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use lectern_domain::{CutRecord, JobId, LeaseId, StorageKey};
use lectern_media::CancellationToken;
use lectern_storage::{Error, ObjectInfo, ObjectKey};
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::json;
use ureq::SendBody;
use ureq::http::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, RANGE};
use ureq::http::{Method, Request, StatusCode};

use super::client::Client;
use crate::failure::Failure;
use crate::job_objects::{CheckCopy, JobObjects};
use crate::sidecar::check_size;
use crate::work_source::{ClaimedStage, WorkError};

/// How much of an object is read by one request. After a request that failed, only this much
/// is read again.
const PART_BYTES: u64 = 32 << 20;
/// How much is copied between two checks.
const CHECK_BYTES: usize = 1 << 20;
/// The lowest rate at which an object is expected to be sent, in bytes per second.
const MIN_RATE: u64 = 64 << 10;
/// How long a request may take besides the time for its bytes.
const TIMEOUT: Duration = Duration::from_mins(1);
/// Pauses before a request for an object is repeated.
const RETRY_PAUSES: [Duration; 4] = [
    Duration::from_millis(500),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
];

/// The objects of a leased stage's job.
#[derive(Debug)]
pub(super) struct RemoteObjects {
    client: Arc<Client>,
    job_id: JobId,
    lease_id: LeaseId,
    /// Held while a file is sent: on local disk, the server takes one file at a time for each
    /// directory.
    sending: Mutex<()>,
}

#[derive(Deserialize)]
struct Objects {
    objects: Vec<WireObject>,
}

/// An object that exists.
#[derive(Deserialize)]
struct WireObject {
    s3_key: StorageKey,
    size: u64,
    last_modified: DateTime<Utc>,
    etag: Option<String>,
    url: Option<String>,
    cut_record: Option<CutRecord>,
}

#[derive(Deserialize)]
struct WireUpload {
    s3_key: StorageKey,
    upload_url: String,
}

/// Receives bytes of an object, with their offset.
type Receive<'r> = dyn FnMut(u64, &[u8]) -> Result<(), Failure> + 'r;

/// A request for an object that was not successful.
enum Refusal {
    /// The same request may succeed.
    Transient(String),
    Other(Failure),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::Other(error.into())
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self::Other(failure)
    }
}

impl WireObject {
    fn info(self) -> Result<ObjectInfo, Failure> {
        Ok(ObjectInfo {
            key: ObjectKey::try_from(self.s3_key)?,
            size: self.size,
            last_modified: self.last_modified,
            etag: self.etag,
        })
    }
}

impl RemoteObjects {
    pub(super) fn new(client: Arc<Client>, claim: &ClaimedStage) -> Self {
        Self {
            client,
            job_id: claim.job.job_id,
            lease_id: claim.lease_id,
            sending: Mutex::new(()),
        }
    }

    /// How the video of a clip with this key was made.
    pub(super) fn cut_record(&self, key: &StorageKey) -> Result<Option<CutRecord>, WorkError> {
        Ok(self
            .find(key.as_str())?
            .and_then(|object| object.cut_record))
    }

    fn find(&self, key: &str) -> Result<Option<WireObject>, WorkError> {
        let key: String = url_encoded(key);
        let path = format!("/work/{}/objects?s3_key={key}", self.lease_id);
        let found: Option<Objects> = self.client.get(&path)?;
        Ok(found.and_then(|found| found.objects.into_iter().next()))
    }

    /// Reads an object part by part. `receive` gets the bytes with their offset.
    fn read_parts(
        &self,
        key: &ObjectKey,
        object: &WireObject,
        receive: &mut Receive<'_>,
    ) -> Result<(), Failure> {
        let not_found = || Failure::from(Error::NotFound(key.clone()));
        let url = object.url.as_ref().ok_or_else(not_found)?;
        let mut offset = 0;
        while offset < object.size {
            let end = object.size.min(offset + PART_BYTES);
            let mut received = offset;
            repeat(|| {
                let from = received;
                self.read_part(key, url, object, (from, end), &mut |bytes| {
                    receive(received, bytes)?;
                    received += bytes.len() as u64;
                    Ok(())
                })
            })?;
            offset = end;
        }
        Ok(())
    }

    /// Reads the bytes `from..end`.
    fn read_part(
        &self,
        key: &ObjectKey,
        url: &str,
        object: &WireObject,
        (from, end): (u64, u64),
        receive: &mut dyn FnMut(&[u8]) -> Result<(), Failure>,
    ) -> Result<(), Refusal> {
        let transient = |reason: String| Refusal::Transient(format!("cannot read {key}: {reason}"));
        let request = Request::get(url)
            .header(RANGE, format!("bytes={from}-{}", end - 1))
            .body(())
            .map_err(|error| Failure::permanent(error.to_string()))?;
        let agent = self.client.agent();
        let request = agent.configure_request(request);
        let request = request.timeout_global(Some(timeout(end - from))).build();
        let mut response = agent
            .run(request)
            .map_err(|error| transient(error.to_string()))?;
        let is_changed = |etag: &str| {
            let expected = object.etag.as_deref();
            expected.is_some_and(|expected| !etag.is_empty() && etag != expected)
        };
        let etag = response.headers().get(ETAG);
        let etag = etag.and_then(|etag| etag.to_str().ok()).unwrap_or_default();
        match response.status() {
            StatusCode::PARTIAL_CONTENT if !is_changed(etag) => {}
            // A storage without ranges sends the whole object.
            StatusCode::OK if from == 0 && end == object.size && !is_changed(etag) => {}
            StatusCode::PARTIAL_CONTENT | StatusCode::OK | StatusCode::RANGE_NOT_SATISFIABLE => {
                let range = response.headers().get(CONTENT_RANGE);
                let message = format!("{key} has changed while it was read ({range:?})");
                return Err(Failure::transient(message).into());
            }
            StatusCode::NOT_FOUND => {
                return Err(Failure::from(Error::NotFound(key.clone())).into());
            }
            status if is_transient(status) => return Err(transient(status.to_string())),
            status => {
                let message = format!("cannot read {key}: the storage answered {status}");
                return Err(Failure::transient(message).into());
            }
        }
        let mut body = response.body_mut().as_reader();
        let mut buffer = vec![0; CHECK_BYTES];
        let mut missing = end - from;
        while missing > 0 {
            let count = body
                .read(&mut buffer)
                .map_err(|error| transient(error.to_string()))?;
            if count == 0 {
                return Err(transient("the response is too short".to_owned()));
            }
            let count = usize::try_from(missing).map_or(count, |missing| count.min(missing));
            receive(&buffer[..count])?;
            missing -= count as u64;
        }
        Ok(())
    }

    /// The URL to which a file is sent.
    fn upload_url(&self, key: &ObjectKey, size: u64) -> Result<String, Failure> {
        let prefix = format!("{}/", ObjectKey::job_prefix(self.job_id));
        let filename = key.as_str().strip_prefix(&prefix).ok_or_else(|| {
            Failure::permanent(format!("{key} is not among the objects of the job"))
        })?;
        let body = json!({ "filename": filename, "file_size": size });
        let path = format!("/work/{}/objects", self.lease_id);
        let upload: WireUpload = self.client.post(&path, &body, Duration::ZERO)?;
        if upload.s3_key.as_str() != key.as_str() {
            let message = format!("the server would store {key} as {}", &*upload.s3_key);
            return Err(Failure::permanent(message));
        }
        Ok(upload.upload_url)
    }

    fn send(
        &self,
        key: &ObjectKey,
        mut file: File,
        size: u64,
        cancellation: &CancellationToken,
    ) -> Result<(), Refusal> {
        let transient =
            |reason: String| Refusal::Transient(format!("cannot store {key}: {reason}"));
        file.seek(SeekFrom::Start(0))?;
        let mut body = UntilCancelled(file, cancellation);
        let media_type = key.as_str().rsplit_once('.').map_or("", |(_, end)| end);
        let media_type = match media_type {
            "mp4" => "video/mp4",
            "jpg" => "image/jpeg",
            "vtt" => "text/vtt",
            "json" => "application/json",
            _ => "application/octet-stream",
        };
        let request = Request::builder()
            .method(Method::PUT)
            .uri(self.upload_url(key, size)?)
            .header(CONTENT_LENGTH, size)
            .header(CONTENT_TYPE, media_type)
            .body(SendBody::from_reader(&mut body))
            .map_err(|error| Failure::permanent(error.to_string()))?;
        let agent = self.client.agent();
        let request = agent.configure_request(request);
        let request = request.timeout_global(Some(timeout(size))).build();
        let response = agent.run(request);
        if cancellation.is_cancelled() {
            return Err(Failure::Cancelled.into());
        }
        let mut response = response.map_err(|error| transient(error.to_string()))?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        if is_transient(status) {
            return Err(transient(status.to_string()));
        }
        let text = response.body_mut().with_config().limit(1 << 16);
        let text = text.read_to_string().unwrap_or_default();
        let message = format!("cannot store {key}: the storage answered {status}: {text}");
        Err(Failure::transient(message).into())
    }
}

impl JobObjects for RemoteObjects {
    fn put(
        &self,
        key: &ObjectKey,
        file: &Path,
        cancellation: &CancellationToken,
    ) -> Result<(), Failure> {
        let size = file.metadata()?.len();
        let _sending = self.sending.lock();
        if cancellation.is_cancelled() {
            return Err(Failure::Cancelled);
        }
        repeat(|| self.send(key, File::open(file)?, size, cancellation))
    }

    fn local_file(&self, _: &ObjectKey) -> Result<Option<PathBuf>, Failure> {
        Ok(None)
    }

    fn head(&self, key: &ObjectKey) -> Result<Option<ObjectInfo>, Failure> {
        let found = self.find(key.as_str())?;
        found.map(WireObject::info).transpose()
    }

    /// The server knows the recording and the beginning of the names.
    fn list_beside(&self, _: &ObjectKey, _: &str) -> Result<Vec<ObjectInfo>, Failure> {
        let path = format!("/work/{}/objects", self.lease_id);
        let found: Option<Objects> = self.client.get(&path).map_err(Failure::from)?;
        let found = found.map(|found| found.objects).unwrap_or_default();
        found.into_iter().map(WireObject::info).collect()
    }

    fn read(
        &self,
        key: &ObjectKey,
        max_bytes: u64,
        cancellation: &CancellationToken,
    ) -> Result<Option<Vec<u8>>, Failure> {
        let Some(object) = self.find(key.as_str())? else {
            return Ok(None);
        };
        check_size(key.as_str(), object.size, max_bytes)?;
        let mut content = Vec::new();
        self.read_parts(key, &object, &mut |_, bytes| {
            if cancellation.is_cancelled() {
                return Err(Failure::Cancelled);
            }
            content.extend_from_slice(bytes);
            Ok(())
        })?;
        Ok(Some(content))
    }

    fn copy_checked(
        &self,
        key: &ObjectKey,
        to: &Path,
        check: &mut CheckCopy<'_>,
    ) -> Result<(), Failure> {
        let object = self.find(key.as_str())?;
        let object = object.ok_or_else(|| Failure::from(Error::NotFound(key.clone())))?;
        let mut file = File::create(to)?;
        check(0, object.size)?;
        self.read_parts(key, &object, &mut |offset, bytes| {
            file.write_all(bytes)?;
            check(offset + bytes.len() as u64, object.size)
        })
    }
}

/// A file that ends with an error when the token is cancelled.
struct UntilCancelled<'a>(File, &'a CancellationToken);

impl Read for UntilCancelled<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.1.is_cancelled() {
            return Err(io::Error::other("cancelled"));
        }
        self.0.read(buffer)
    }
}

fn timeout(bytes: u64) -> Duration {
    TIMEOUT + Duration::from_secs(bytes / MIN_RATE)
}

/// Whether the same request may succeed later. 423: the server has not noticed yet that an
/// earlier upload has ended.
fn is_transient(status: StatusCode) -> bool {
    status.is_server_error() || [408, 423, 425, 429].contains(&status.as_u16())
}

fn repeat(act: impl FnMut() -> Result<(), Refusal>) -> Result<(), Failure> {
    let mut act = act;
    let mut pauses = RETRY_PAUSES.into_iter();
    loop {
        match act() {
            Ok(()) => return Ok(()),
            Err(Refusal::Other(failure)) => return Err(failure),
            Err(Refusal::Transient(reason)) => {
                let Some(pause) = pauses.next() else {
                    return Err(Failure::transient(reason));
                };
                log::warn!("{reason}; trying again");
                std::thread::sleep(pause);
            }
        }
    }
}

/// A text as part of a query string.
fn url_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_escaped_in_a_query_string() {
        assert_eq!(
            url_encoded("talks/1 ü&a=b.mp4"),
            "talks/1%20%C3%BC%26a%3Db.mp4"
        );
    }
}
