//! Migrations, and the schema they produce.

mod apply;
mod drift;
mod foreign;
mod init;
mod schema;
