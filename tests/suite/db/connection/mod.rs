//! The pool and the database URL.

mod database;
mod url;
