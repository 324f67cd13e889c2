//! On PostgreSQL, whose columns have the plain types already.

use chrono::{DateTime, Utc};
use diesel::{PgConnection as Driver, QueryResult};
use serde_json::Value;
use uuid::Uuid;

use super::statements::statements;

mod columns {
    pub(crate) use diesel::sql_types::{
        Float8, Int4, Int8, Jsonb as Json, Nullable, Text, Timestamptz as Moment, Uuid as Id,
    };
}

type Id = Uuid;
type Moment = DateTime<Utc>;
type Json = Value;

/// Empty: the server's background processes do this.
const CATCH_UP: &[&str] = &[];

statements!(transaction, copy);

fn copy(conn: &mut Driver, rows: Vec<SegmentRow>) -> QueryResult<()> {
    diesel::copy_from(transcripts::table)
        .from_insertable(rows)
        .execute(conn)
        .map(drop)
}

impl Bare {
    pub(crate) fn connect(url: &str) -> Result<Self> {
        let (conn, aside) = (Driver::establish(url)?, Driver::establish(url)?);
        Ok(Self { conn, aside })
    }
}
