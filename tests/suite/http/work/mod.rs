//! Stage workers: claims, leases and pipelines.

mod claims;
mod example_worker;
mod lease_expiry;
mod leases;
mod pipelines;
mod releases;
mod stages;
mod waiting;
