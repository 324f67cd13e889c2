//! The service: HTTP over the repositories of `lectern-db`, in the wire types of
//! `lectern-api`. The program `lectern` is this library with a command line.
//!
//! A handler extracts its arguments, makes one call to the database and returns
//! the response. `lectern-api` defines what a request may contain; `lectern-domain`
//! and `lectern-db` decide what is allowed.
//!
//! # Modules
//!
//! From top to bottom; a module imports only the modules below it.
//!
//! | module | contents |
//! |---|---|
//! | [`cli`] | arguments, one file per command, signals, logging |
//! | [`config`] | settings from flags, environment and `.env` |
//! | `app` | [`Service`] builds all handles, [`Server`] listens; background tasks |
//! | [`routes`] | the handlers, one file per noun |
//! | `live` | events to watchers: hub, buffer, WebSocket, server-sent events |
//! | `work_queue` | claims that wait until a stage run is ready |
//! | `objects` | recordings and clips in the storage, and their signed URLs |
//! | `database` | admission control and blocking calls |
//! | `http` | extractors, middleware, errors and responses |
//! | `metrics` | the counters that all modules above share |
//!
//! # A request
//!
//! 1. `http::middleware::access_log` assigns the request id, and logs and counts
//!    the response.
//! 2. [`routes`] selects the handler. Unknown paths and methods are answered with
//!    a problem document, like all other errors (`http::error::ApiError`).
//! 3. The extractors of `http::extract` parse path, headers, query and body into
//!    domain types. Each extractor takes the handle that it needs as a separate
//!    `web::Data`.
//! 4. `database::handle` waits for admission, then runs the handler's closure on
//!    a blocking thread.
//! 5. `http::response` is sent, compressed if compression saves packets.
//!
//! # A server in a test
//!
//! ```no_run
//! use lectern_db::Database;
//! use lectern_server::{Server, ServerConfig};
//!
//! # fn main() -> anyhow::Result<()> {
//! let database = Database::open("sqlite::memory:")?;
//! database.migrate()?;
//! let server = Server::start(ServerConfig::default(), database)?;
//! println!("{}/api/v1/jobs", server.url());
//! server.stop()
//! # }
//! ```
//!
//! [`configure`] mounts the routes in another actix app instead.

mod app;
pub mod cli;
pub mod config;
mod database;
mod fair_share;
mod http;
mod live;
mod metrics;
mod objects;
pub mod routes;
mod stage_gauges;
mod work_queue;

pub use app::open_files;
pub use app::server::Server;
pub use app::server_config::{Quotas, ServerConfig};
pub use app::service::{Service, configure};
pub use http::address::{InvalidNetwork, IpNetwork};
pub use http::auth::secret::generate as generate_key;
pub use http::auth::{Authentication, ClaimPath, OidcClient, OidcConfig, RoleClaim, RoleRule};
pub use http::connections::ConnectionLimits;
pub use http::extract::receive_body::BodyLimits;
pub use http::rate_limit::RateLimit;
pub use live::LiveConfig;
pub use objects::upload_limits::UploadLimits;
