//! The storage of recordings and clips, as routes use it.

mod disk_reserve;
mod error;
pub(crate) mod handle;
mod receive_upload;
pub(crate) mod signed_urls;
pub(crate) mod store_recording;
pub(crate) mod upload_limits;
