//! The constraints of the tables, tested with raw SQL.

mod checks;
mod keys;
mod rules;
