//! Workers, the server and PostgreSQL are killed and restarted.

mod load;
mod postgres;
mod server;
mod server_worker;
mod unresponsive_database;
mod worker;
