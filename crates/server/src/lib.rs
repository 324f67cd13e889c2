//! The service: HTTP over the repositories of `lectern-db`, in the language of
//! `lectern-api`. The program `lectern` is this library and a command line.
//!
//! A handler extracts what it needs, makes one call to the database and answers
//! what came of it. What a request may say is decided in `lectern-api`, what may
//! be done in `lectern-domain` and `lectern-db`.
//!
//! # From socket to rows and back
//!
//! 1. `observe` gives the request its name and will log and count the answer.
//! 2. `routes` finds the handler; every other method and path is an error in
//!    the same shape as all others ([`ApiError`]).
//! 3. The arguments of the handler are made: `JobIdPath` from the path, `Query` and
//!    `JsonBody` checked and converted into domain types.
//! 4. `DatabaseHandle` waits for the request's turn, then runs the handler's closure on a
//!    thread that may block.
//! 5. `ApiResponse` is sent, compressed when that is worth it.
//!
//! # A server in a test
//!
//! ```no_run
//! use lectern_db::Database;
//! use lectern_server::{Server, ServerConfig};
//!
//! # fn main() -> anyhow::Result<()> {
//! let database = Database::open("sqlite::memory:")?;
//! database.init()?;
//! let server = Server::start(ServerConfig::default(), database)?;
//! println!("{}/api/v1/jobs", server.url());
//! server.stop()
//! # }
//! ```

mod app;
pub mod cli;
pub mod config;
mod database;
mod http;
mod live;
mod metrics;
mod objects;
pub mod routes;
mod work_queue;

pub use app::config::ServerConfig;
pub use app::open_files;
pub use app::server::Server;
pub use app::service::{Service, configure};
pub use http::extract::body_limits::BodyLimits;
pub use live::LiveConfig;
pub use objects::upload_limits::UploadLimits;
