//! Migrations, and the schema they produce.

mod apply;
mod drift;
mod init;
mod schema;
