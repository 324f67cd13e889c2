//! What every request brings: its mount point, and the data of the application.

pub(crate) mod app_data;
pub(crate) mod mount;
