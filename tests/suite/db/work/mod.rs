//! Claims, leases and attempts.

mod attempts;
mod claims;
mod guard;
mod leases;
mod locks;
mod lost;
mod races;
mod time;
