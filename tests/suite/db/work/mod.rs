//! Claims, leases and attempts.

mod attempts;
mod claims;
mod clock;
mod concurrency;
mod fair_claims;
mod lease_guard;
mod leases;
mod locks;
mod lost_leases;
mod outages;
mod progress;
mod stage_runs;
