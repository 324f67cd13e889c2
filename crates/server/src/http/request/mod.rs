//! What every request brings: its id, its mount point, and the data of the application.

pub(crate) mod app_data;
pub(crate) mod id;
pub(crate) mod mount;
