//! The service as its clients see it: over HTTP, on both databases.

mod auth;
mod cli;
mod faults;
mod large;
mod live;
mod mounted;
mod objects;
mod openapi;
mod operation;
mod protocol;
mod routes;
mod support;
mod validation;
mod work;
