//! HTTP code that all routes share: reading requests, writing responses and errors.

pub(crate) mod address;
pub(crate) mod auth;
pub(crate) mod connections;
pub(crate) mod docs;
pub(crate) mod error;
pub(crate) mod extract;
pub(crate) mod memory_budget;
pub(crate) mod middleware;
pub(crate) mod page;
pub(crate) mod rate_limit;
pub(crate) mod request;
pub(crate) mod request_id;
pub(crate) mod requests_in_flight;
pub(crate) mod resource;
pub(crate) mod response;
