//! The pool and the database URL.

mod batches;
mod database;
mod nested_writes;
mod own_statements;
mod transient_errors;
mod url;
