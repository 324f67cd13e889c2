//! Receives the bodies of uploads: their size, their minimum rate, and the space on the
//! disk that they need.

use std::time::{Duration, Instant};

use actix_web::web;
use futures_util::{Stream, StreamExt as _, stream};
use lectern_api::Code;
use lectern_storage::{ObjectKey, ReceivedObject, Upload};
use tokio::time::timeout;

use super::handle::{Objects, STORAGE_TIMEOUT, within};
use super::upload_limits::UploadLimits;
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
    pub(super) fn chunks(
        &self,
        body: web::Payload,
    ) -> impl Stream<Item = Result<web::Bytes, ApiError>> {
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

/// How much longer the server waits for the client of an upload.
///
/// Each wait for the client reduces the allowance. Received bytes increase the allowance
/// by the time that they take at the minimum rate, up to the idle timeout. Time that the
/// server spends writing to the disk does not count.
#[derive(Debug)]
struct TimeAllowance {
    limits: UploadLimits,
    remaining: Duration,
}

impl TimeAllowance {
    fn new(limits: UploadLimits) -> Self {
        Self {
            limits,
            remaining: limits.idle_timeout,
        }
    }

    /// Upper bound of the wait for the next bytes.
    fn remaining(&self) -> Duration {
        self.remaining
    }

    /// Records that `bytes` bytes arrived after a wait of `waited`.
    fn record(&mut self, waited: Duration, bytes: usize) {
        let scaled_bytes = (bytes as u64).saturating_mul(1_000_000);
        let added = match scaled_bytes.checked_div(self.limits.min_rate.into()) {
            Some(micros) => Duration::from_micros(micros),
            // There is no minimum rate.
            None => Duration::MAX,
        };
        let left = self.remaining.saturating_sub(waited);
        self.remaining = left.saturating_add(added).min(self.limits.idle_timeout);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn new_allowance(min_rate: u32) -> TimeAllowance {
        TimeAllowance::new(UploadLimits {
            idle_timeout: 60 * SECOND,
            min_rate,
            ..UploadLimits::default()
        })
    }

    #[test]
    fn a_client_below_the_minimum_rate_runs_out_of_time() {
        let mut allowance = new_allowance(1000);
        for second in 1..=60 {
            assert!(allowance.remaining() >= SECOND, "after {second} s");
            allowance.record(SECOND, 1);
        }
        assert!(allowance.remaining() < SECOND);
    }

    #[test]
    fn a_client_at_the_minimum_rate_never_runs_out_of_time() {
        let mut allowance = new_allowance(1000);
        for _ in 0..10_000 {
            allowance.record(30 * SECOND, 30_000);
            assert_eq!(allowance.remaining(), 60 * SECOND);
        }
    }

    #[test]
    fn a_client_may_pause_again_after_it_has_caught_up() {
        let mut allowance = new_allowance(1000);
        for _ in 0..100 {
            allowance.record(59 * SECOND, 1000);
            assert_eq!(allowance.remaining(), 2 * SECOND);
            allowance.record(SECOND, 100_000);
            assert_eq!(allowance.remaining(), 60 * SECOND);
        }
    }

    #[test]
    fn the_allowance_never_exceeds_the_idle_timeout() {
        let mut allowance = new_allowance(1);
        allowance.record(SECOND, usize::MAX);
        assert_eq!(allowance.remaining(), 60 * SECOND);
    }

    #[test]
    fn without_a_minimum_rate_each_byte_permits_a_pause() {
        let mut allowance = new_allowance(0);
        allowance.record(59 * SECOND, 1);
        assert_eq!(allowance.remaining(), 60 * SECOND);
    }
}
