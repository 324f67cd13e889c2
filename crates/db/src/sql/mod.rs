//! The building blocks of queries: column types, rows, prepared statements.

pub(crate) mod current_time;
pub(crate) mod mean_percent;
pub(crate) mod owned;
pub(crate) mod page;
pub(crate) mod prepared;
pub(crate) mod row;
pub(crate) mod status_literals;
pub(crate) mod stored;
pub(crate) mod stored_time;
mod time_range;
pub mod types;
pub(crate) mod window;
