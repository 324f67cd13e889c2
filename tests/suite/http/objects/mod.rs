//! Recordings and clips in storage, and the signed URLs that give access to them.

mod clips_archive;
mod downloads;
mod gc;
pub(crate) mod s3;
mod shared_recordings;
mod signed_urls;
mod storage_faults;
mod transfers;
mod upload_bounds;
mod upload_outages;
