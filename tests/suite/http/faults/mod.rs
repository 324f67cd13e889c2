//! Workers, the server and PostgreSQL are killed and restarted.

mod load;
mod postgres;
mod server;
mod unresponsive_database;
mod worker;
