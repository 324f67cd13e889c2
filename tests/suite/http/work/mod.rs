//! Stage workers: claims, leases and pipelines.

mod claims;
mod example_worker;
mod lease_expiry;
mod leases;
mod objects;
mod pipelines;
mod releases;
mod remote_worker;
mod stages;
mod waiting;
