//! Receives the bodies of uploads.

use std::time::Instant;

use actix_web::web;
use futures_util::{Stream, StreamExt as _, stream};
use lectern_api::Code;
use lectern_storage::{ObjectKey, ReceivedObject, Upload};
use tokio::time::timeout;

use super::handle::{Objects, STORAGE_TIMEOUT, within};
use super::upload_rate::TimeAllowance;
use crate::http::error::ApiError;

/// Number of bytes received between two checks of the free disk space.
const SPACE_CHECK_BYTES: u64 = 64 << 20;

impl Objects {
    /// Begins the upload of an object of `size` bytes. Fails while another upload of the
    /// same object is running, and if the disk is too full.
    pub(crate) async fn begin_upload(
        &self,
        key: &ObjectKey,
        size: u64,
    ) -> Result<Upload, ApiError> {
        let upload = within(STORAGE_TIMEOUT, self.storage.begin_upload(key)).await?;
        self.check_space(size).await??;
        Ok(upload)
    }

    /// Writes a request body of exactly `size` bytes to a temporary file.
    pub(crate) async fn receive(
        &self,
        upload: Upload,
        size: u64,
        body: web::Payload,
    ) -> Result<ReceivedObject, ApiError> {
        Ok(upload.receive(size, self.chunks(body)).await?)
    }

    /// The chunks of a body. Fails if the client is too slow or the disk becomes too
    /// full.
    fn chunks(&self, body: web::Payload) -> impl Stream<Item = Result<web::Bytes, ApiError>> {
        let initial = (Box::pin(body), TimeAllowance::new(self.limits), 0);
        stream::try_unfold(initial, async |(mut body, mut allowance, since_check)| {
            let wait_start = Instant::now();
            let chunk = timeout(allowance.remaining(), body.next()).await;
            let chunk = match chunk.map_err(|_| self.too_slow())? {
                Some(Ok(chunk)) => chunk,
                Some(Err(_)) => return Err(malformed("the connection ended before the body did")),
                None => return Ok(None),
            };
            allowance.record(wait_start.elapsed(), chunk.len());
            let mut bytes_since_check = since_check + chunk.len() as u64;
            if bytes_since_check >= SPACE_CHECK_BYTES {
                self.check_space(0).await??;
                bytes_since_check = 0;
            }
            Ok(Some((chunk, (body, allowance, bytes_since_check))))
        })
    }

    fn too_slow(&self) -> ApiError {
        let rate = self.limits.min_rate;
        malformed(&format!(
            "no data arrived for too long, or fewer than {rate} bytes per second"
        ))
    }
}

fn malformed(detail: &str) -> ApiError {
    ApiError::new(Code::MalformedBody, detail)
}
