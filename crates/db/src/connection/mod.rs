//! Opening a database, its pooled connections and its transactions.

mod abandoned_copy_statements;
pub(crate) mod batch;
mod config;
pub(crate) mod context;
pub(crate) mod database;
mod db_connection;
mod group_commit;
mod open;
pub(crate) mod owner_batches;
mod pool;
pub(crate) mod row_security;
mod transaction;
pub(crate) mod url;

pub(crate) use config::ConnectionSettings;
pub use config::{DatabaseConfig, Durability, Timeouts};
pub use context::Committed;
pub use database::Database;
pub use db_connection::{DbConnection, MultiBackend};
pub(crate) use db_connection::{MultiRawValue, each_row, on_either};
pub use pool::{Capacity, PoolStats};
pub use row_security::RoleName;
pub use transaction::{Conn, ReadOnly, ReadWrite, Reader, Tx};
pub(crate) use url::Location;
pub use url::{Backend, DatabaseUrl};
