//! What every request brings: its id, its mount point, and the data of the application.

pub(crate) mod app_data;
pub(crate) mod mount;
pub(crate) mod request_id;
