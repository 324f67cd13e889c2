//! Stage workers: claims, leases and pipelines.

mod claims;
mod lease_expiry;
mod leases;
mod pipelines;
mod stages;
mod waiting;
