//! What is killed, stopped and restarted: workers, the server, PostgreSQL.

mod load;
mod postgres;
mod server;
mod worker;
