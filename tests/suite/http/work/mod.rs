//! Stage workers: claims, leases and pipelines.

mod claims;
mod leases;
mod pipelines;
mod waiting;
