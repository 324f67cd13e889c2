//! The storage of recordings and clips, as routes use it.

mod disk_reserve;
mod error;
pub(crate) mod handle;
mod receive;
pub(crate) mod recording;
pub(crate) mod signed_urls;
pub(crate) mod upload_limits;
mod upload_rate;
