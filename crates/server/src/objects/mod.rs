//! The storage of recordings and clips, as routes use it.

pub(crate) mod append_upload;
mod disk_reserve;
mod error;
pub(crate) mod expired_uploads;
pub(crate) mod handle;
pub(crate) mod owner_keys;
mod receive_upload;
mod running_appends;
pub(crate) mod signed_urls;
pub(crate) mod store_recording;
pub(crate) mod upload_limits;
