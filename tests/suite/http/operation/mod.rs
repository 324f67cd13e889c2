//! Running a server: health, metrics, documentation, maintenance, outages, shutdown.

mod connections;
mod cors;
mod dashboard;
mod database_outage;
mod docs;
mod foreign_requests;
mod health;
mod maintenance;
mod metrics;
mod shutdown;
