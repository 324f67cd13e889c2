//! The constraints of the tables, tested with raw SQL.

mod checks;
mod errors;
mod keys;
mod rules;
