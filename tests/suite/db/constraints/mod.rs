//! The constraints of the tables, tested with raw SQL.

pub(crate) mod checks;
mod errors;
mod keys;
mod rules;
mod unreadable_rows;
