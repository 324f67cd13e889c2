//! Opens what the commands work on.

mod database;
mod private_files;

pub(crate) use database::open as database;
pub(crate) use private_files::PrivateFiles;
