//! The storage of recordings and clips, as routes use it.

mod error;
pub(crate) mod handle;
pub(crate) mod signed_urls;
pub(crate) mod upload_limits;
