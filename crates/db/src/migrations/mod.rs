//! The embedded migrations, and the check of the live tables against `schema.rs`.

mod apply;
mod drift;
mod readiness;
mod restored_events;
mod row_security;

pub use apply::{MigrationState, MigrationStatus, Migrations};
pub use drift::Drift;
pub use readiness::Readiness;

use crate::connection::Database;
use crate::error::Error;

impl Database {
    /// Applies all migrations that are not applied yet and returns their names.
    ///
    /// Safe to call at every start, and from several processes at once: one process
    /// applies the migrations, and the other processes wait until it is done.
    pub fn migrate(&self) -> Result<Vec<String>, Error> {
        self.migrations().up()
    }

    /// The same as [`Database::migrate`].
    pub fn init(&self) -> Result<Vec<String>, Error> {
        self.migrate()
    }

    /// The migrations of this database.
    pub fn migrations(&self) -> Migrations<'_> {
        Migrations::new(self)
    }

    /// The differences between the live database and `schema.rs`; empty if
    /// there are none.
    pub fn drift(&self) -> Result<Vec<Drift>, Error> {
        drift::find(&mut self.reader()?.conn)
    }
}
