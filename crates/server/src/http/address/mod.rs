//! Where a request comes from and where it was sent: proxies, hosts and origins.
//!
//! `Host`, `Forwarded` and `X-Forwarded-*` are chosen by the client, so each of them
//! counts only under the rules of this module.

mod allowed_hosts;
mod allowed_origins;
mod forwarded;
mod ip_network;
mod request_address;

pub(crate) use allowed_hosts::{AllowedHosts, ConnectionAddress};
pub(crate) use allowed_origins::{AllowedOrigins, CORS_METHODS, CorsOrigins};
pub(crate) use forwarded::TrustedProxies;
pub use ip_network::{InvalidNetwork, IpNetwork};
pub(crate) use request_address::RequestAddress;
