//! Running a server: health, metrics, documentation, maintenance, outages, shutdown.

mod database_outage;
mod endpoints;
mod maintenance;
mod shutdown;
