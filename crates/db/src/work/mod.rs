//! Work on the stages of jobs: claims, leases, and how attempts end.

mod attempt;
mod claim;
mod lease;

pub use claim::Work;
