//! The service without a listener: all handles that requests need, built from a
//! configuration and a database.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web::{Data, ServiceConfig};
use lectern_api::openapi;
use lectern_db::Database;
use lectern_domain::Access;

use crate::app::maintenance::{self, Retention};
use crate::app::server_config::ServerConfig;
use crate::database::caller_database::SharedDatabase;
use crate::database::handle::DatabaseHandle;
use crate::http::address::{AllowedOrigins, TrustedProxies};
use crate::http::auth::oidc::Provider;
use crate::http::auth::{Authentication, Authenticator};
use crate::http::docs::OpenApiDocument;
use crate::http::extract::receive_body::BodyLimits;
use crate::http::memory_budget::MemoryBudget;
use crate::http::rate_limit::RateLimiter;
use crate::http::request::mount::{PublicPath, PublicScheme};
use crate::http::requests_in_flight::Lifecycle;
use crate::http::response::shared::SharedResponses;
use crate::live::{self, Live};
use crate::metrics::Metrics;
use crate::objects::handle::Objects;
use crate::routes;
use crate::routes::sessions::SessionLifetime;
use crate::work_queue::stage_poller;
use crate::work_queue::waiting_claims::WaitingClaims;

/// Mounts all routes in an actix app, at its root or below a [scope], with the
/// access log, compression and error documents around each of them.
///
/// The app is responsible for the listener, `Host`, CORS, refusing changes by pages of
/// other sites, `100 Continue`, and shutdown, and has to poll
/// [`Service::run_background_tasks`]. It is also responsible for authentication, unless
/// [`ServerConfig::authentication`] is [`Authentication::Keys`](crate::Authentication::Keys):
/// then the routes check keys of the table `api_keys` themselves. `Location` headers and signed URLs
/// include the path of the scope; with [`ServerConfig::public_url`] set, signed
/// URLs begin with that instead, and `Location` headers with its path.
///
/// ```
/// use actix_web::{App, web};
/// use lectern_db::Database;
/// use lectern_server::{ServerConfig, Service, configure};
///
/// # fn main() -> anyhow::Result<()> {
/// let database = Database::open("sqlite::memory:")?;
/// database.migrate()?;
/// let service = Service::new(&ServerConfig::default(), database)?;
/// let app = App::new().service(web::scope("/lectern").configure(configure(&service)));
/// # let _ = app;
/// # Ok(())
/// # }
/// ```
///
/// [scope]: actix_web::web::scope
pub fn configure(service: &Service) -> impl FnOnce(&mut ServiceConfig) + use<> {
    let handles = service.handles();
    move |app| {
        app.configure(handles);
        routes::mount(app);
    }
}

/// The handles of one service. Clones share them, so every HTTP thread gets a
/// clone.
#[derive(Debug, Clone)]
pub struct Service {
    database: Database,
    retention: Retention,
    database_handle: Data<DatabaseHandle>,
    waiting_claims: Data<WaitingClaims>,
    live: Data<Live>,
    objects: Data<Objects>,
    limits: Data<BodyLimits>,
    memory: Data<MemoryBudget>,
    origins: Data<AllowedOrigins>,
    proxies: Data<TrustedProxies>,
    authenticator: Data<Authenticator>,
    session_lifetime: Data<SessionLifetime>,
    rate_limiter: Data<RateLimiter>,
    lifecycle: Data<Lifecycle>,
    metrics: Data<Metrics>,
    public_path: Data<PublicPath>,
    public_scheme: Data<PublicScheme>,
    openapi: Data<OpenApiDocument>,
    shared_responses: Data<SharedResponses>,
}

impl Service {
    /// Builds the handles over `database`, whose tables must exist already.
    ///
    /// # Errors
    ///
    /// When a metric is registered twice, no temporary directory can be made for objects, or
    /// the settings of the identity provider are invalid.
    pub fn new(config: &ServerConfig, database: Database) -> anyhow::Result<Self> {
        let metrics = Metrics::new(&database)?;
        let waiting_claims = Arc::new(WaitingClaims::new(
            config.max_waiting_claims,
            config.quotas.waiters,
        ));
        let live = Live::new(config.live, config.quotas.watchers, metrics.clone());
        // Holders of leases could not send heartbeats before this server started.
        database.renew_leases_before_expiry();
        let database = database.with_job_quota(config.quotas.jobs);
        let database = database.on_commit({
            let (hub, feed) = (Arc::clone(&live.hub), Arc::clone(&live.feed));
            let waiting_claims = Arc::clone(&waiting_claims);
            Arc::new(move |committed| {
                waiting_claims.notify(&committed.ready);
                hub.publish_commit(committed);
                feed.publish_commit(committed);
            })
        });
        let objects = Objects::new(
            config.storage.clone(),
            config.uploads,
            config.public_url.clone(),
        )?;
        let public_path = PublicPath::new(config.public_url.as_ref());
        let openapi_path = match public_path.as_deref() {
            None => ".",
            Some("") => "/",
            Some(path) => path,
        };
        let routes: Vec<_> = routes::routes().collect();
        let access = |method: &str, path: &str| {
            let is_it = |route: &&(String, &str, Access)| route.0 == method && route.1 == path;
            let route = routes.iter().find(is_it);
            route.map_or(Access::Public, |route| route.2)
        };
        let openapi = openapi::document_at(
            openapi_path,
            match config.authentication {
                Authentication::Off => None,
                Authentication::Keys => Some(&access),
            },
        );
        let openapi = serde_json::to_vec(&openapi)?;
        let database_handle =
            DatabaseHandle::new(database.clone(), config.database_timeout, metrics.clone());
        let key_store = Box::new(database_handle.clone());
        let provider = config.identity_provider.clone().map(Provider::new);
        let provider = provider.transpose()?.map(Arc::new);
        let authenticator = Authenticator::new(config.authentication, key_store, provider);
        Ok(Self {
            retention: Retention {
                events: config.event_retention,
                audit: config.audit_retention,
            },
            authenticator: Data::new(authenticator),
            session_lifetime: Data::new(SessionLifetime(config.session_lifetime)),
            rate_limiter: Data::new(RateLimiter::new(config.quotas.requests)),
            database_handle: Data::new(database_handle),
            waiting_claims: Data::from(waiting_claims),
            live: Data::new(live),
            objects: Data::new(objects),
            limits: Data::new(config.limits),
            memory: Data::new(MemoryBudget::new(config.limits.memory)),
            origins: Data::new(AllowedOrigins::new(
                &config.cors_origins,
                config.public_url.as_ref(),
            )),
            proxies: Data::new(TrustedProxies(config.trusted_proxies.clone())),
            lifecycle: Data::default(),
            metrics: Data::new(metrics),
            public_path: Data::new(public_path),
            public_scheme: Data::new(PublicScheme::new(config.public_url.as_ref())),
            openapi: Data::new(OpenApiDocument(openapi.into())),
            shared_responses: Data::default(),
            database,
        })
    }

    /// The database. Commits through this handle reach watchers and waiting
    /// claims at once; commits through other handles are found by polling.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Runs maintenance, and polls the database for commits of other processes, until the
    /// future is dropped.
    pub async fn run_background_tasks(&self) {
        tokio::join!(
            stage_poller::poll_claimable_stages(&self.waiting_claims, &self.database_handle),
            live::poll_events(&self.live.hub, &self.database_handle),
            live::feed::poll_feed(&self.live.feed, &self.database_handle),
            maintenance::run_maintenance(&self.database_handle, &self.objects, self.retention)
        );
    }

    /// Adds the handles that the routes and their middleware need to an app.
    pub(crate) fn handles(&self) -> impl FnOnce(&mut ServiceConfig) + use<> {
        let this = self.clone();
        move |app| {
            let shared_database = SharedDatabase::new(this.database_handle);
            app.app_data(Data::new(shared_database))
                .app_data(this.waiting_claims)
                .app_data(this.live)
                .app_data(this.objects)
                .app_data(this.limits)
                .app_data(this.memory)
                .app_data(this.origins)
                .app_data(this.proxies)
                .app_data(this.authenticator)
                .app_data(this.session_lifetime)
                .app_data(this.rate_limiter)
                .app_data(this.lifecycle)
                .app_data(this.metrics)
                .app_data(this.public_path)
                .app_data(this.public_scheme)
                .app_data(this.openapi)
                .app_data(this.shared_responses);
        }
    }

    /// Ends all waiting claims and live connections, and refuses new ones.
    pub(crate) fn close(&self) {
        self.waiting_claims.close();
        self.live.hub.close();
        self.live.feed.close();
    }

    /// Makes `/readyz` fail, then waits until no request is in flight, at most
    /// for `grace`.
    pub(crate) async fn drain(&self, grace: Duration) {
        self.lifecycle.drain(grace).await;
    }

    /// Upper bound of open database connections.
    pub(crate) fn max_connections(&self) -> usize {
        self.database_handle.stats().max as usize
    }
}
