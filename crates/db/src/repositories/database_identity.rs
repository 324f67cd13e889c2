//! The random id of the database: the table `database_identity`, which has at most one
//! row.

use diesel::prelude::*;
use lectern_domain::DatabaseId;

use crate::connection::{Conn, ReadWrite};
use crate::dialect::random_uuid;
use crate::error::{Doing, Error};
use crate::schema::database_identity;
use crate::sql::types::Id;

/// The repository of the id: `conn.database_identity()`.
#[derive(Debug)]
pub struct DatabaseIdentity<'c, Mode>(pub(crate) Conn<'c, Mode>);

impl<Mode> DatabaseIdentity<'_, Mode> {
    /// The id, if the database has one.
    pub fn find(&mut self) -> Result<Option<DatabaseId>, Error> {
        database_identity::table
            .select(database_identity::database_id)
            .get_result::<Id<DatabaseId>>(self.0.raw)
            .optional()
            .map(|id| id.map(|id| id.0))
            .doing("read the id of the database")
    }
}

impl DatabaseIdentity<'_, ReadWrite> {
    /// The id; creates it if there is none. Concurrent calls return the same id.
    pub fn find_or_create(&mut self) -> Result<DatabaseId, Error> {
        let insert = format!(
            "INSERT INTO database_identity (id, database_id) VALUES (1, {}) ON CONFLICT DO NOTHING",
            random_uuid(self.0.raw.backend())
        );
        diesel::sql_query(insert)
            .execute(self.0.raw)
            .doing("create the id of the database")?;
        self.find()?.ok_or_else(|| Error::Query {
            doing: "read the id of the database",
            source: "it was deleted meanwhile".into(),
        })
    }
}
