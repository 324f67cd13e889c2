//! Opens the database and the storage for the commands.

mod database;
mod private_files;
mod storage;

pub(crate) use database::open as database;
pub(crate) use private_files::PrivateFiles;
pub(crate) use storage::{database_id, storage};
