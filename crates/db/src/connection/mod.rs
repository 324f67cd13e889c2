//! Opening a database, its pooled connections and its transactions.

mod backend;
pub(crate) mod batch;
mod config;
pub(crate) mod context;
pub(crate) mod database;
mod group_commit;
mod open;
mod pool;
mod transaction;
pub(crate) mod url;

pub use backend::{DbConnection, MultiBackend};
pub(crate) use backend::{MultiRawValue, each_row, on_either};
pub(crate) use config::ConnectionSettings;
pub use config::{DatabaseConfig, Durability, Timeouts};
pub use context::Committed;
pub use database::Database;
pub use pool::{Capacity, PoolStats};
pub use transaction::{Conn, ReadOnly, ReadWrite, Reader, Tx};
pub(crate) use url::Location;
pub use url::{Backend, DatabaseUrl};
