//! Takes recordings through the pipeline, on the tables and the storage of
//! Lectern.
//!
//! A [`Worker`] claims stages, works on them with real tools, and stores what
//! they found in the transaction that completes them. It is an outside program
//! as far as the tables are concerned: what it does, any crate can do that
//! imports `lectern-db`.

mod failure;
mod keeper;
mod settings;
pub mod sidecar;
pub mod stages;
mod store;
mod task;
mod worker;

pub use failure::Failure;
pub use settings::Settings;
pub use store::Store;
pub use task::{Findings, StageWork, Task};
pub use worker::{Bell, Worker};
