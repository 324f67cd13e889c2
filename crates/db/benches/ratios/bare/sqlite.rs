//! On SQLite, whose driver stores the plain types as text.

use chrono::{DateTime, SecondsFormat, Utc};
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::Text;
use diesel::sqlite::{Sqlite, SqliteValue};
use diesel::{QueryResult, SqliteConnection as Driver};
use serde_json::Value;
use uuid::Uuid;

use super::statements::statements;

mod columns {
    pub(crate) use diesel::sql_types::{
        Float8, Int4, Int8, Nullable, Text, Text as Id, Text as Moment, Text as Json,
    };
}

/// A plain type that is text in a column.
macro_rules! text {
    ($name:ident($inner:ty), $read:expr, $write:expr) => {
        #[derive(Debug, AsExpression, FromSqlRow)]
        #[diesel(sql_type = Text)]
        pub(crate) struct $name($inner);

        impl From<$inner> for $name {
            fn from(value: $inner) -> Self {
                Self(value)
            }
        }

        impl FromSql<Text, Sqlite> for $name {
            fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
                let read: fn(&str) -> deserialize::Result<$inner> = $read;
                read(value.read_text()).map(Self)
            }
        }

        impl ToSql<Text, Sqlite> for $name {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
                let write: fn(&$inner) -> String = $write;
                out.set_value(write(&self.0));
                Ok(IsNull::No)
            }
        }
    };
}

text!(Id(Uuid), |text| Ok(text.parse()?), ToString::to_string);
text!(
    Json(Value),
    |text| Ok(serde_json::from_str(text)?),
    ToString::to_string
);
text!(
    Moment(DateTime<Utc>),
    |text| Ok(DateTime::parse_from_rfc3339(text)?.to_utc()),
    |time| time.to_rfc3339_opts(SecondsFormat::Micros, true)
);

/// After a thousand pages of the write-ahead log, SQLite copies them into the file,
/// which delays the current writer.
const CATCH_UP: &[&str] = &["PRAGMA wal_checkpoint(TRUNCATE)"];

statements!(immediate_transaction, insert_hundreds);

/// As lectern-db does: with one prepared statement for each hundred rows.
#[expect(
    clippy::needless_pass_by_value,
    reason = "on PostgreSQL the same call consumes the rows"
)]
fn insert_hundreds(conn: &mut Driver, rows: Vec<SegmentRow>) -> QueryResult<()> {
    let (chunks, rest) = rows.as_chunks::<100>();
    chunks.iter().try_for_each(|chunk| {
        diesel::insert_into(transcripts::table)
            .values(chunk)
            .execute(conn)
            .map(drop)
    })?;
    rest.iter().try_for_each(|row| {
        diesel::insert_into(transcripts::table)
            .values(row)
            .execute(conn)
            .map(drop)
    })
}

impl Bare {
    /// Connects with the settings of lectern-db's connections. The write-ahead log
    /// needs none: it is a property of the file.
    pub(crate) fn connect(path: &str) -> Result<Self> {
        let (mut conn, aside) = (Driver::establish(path)?, Driver::establish(path)?);
        conn.batch_execute(
            "PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON; PRAGMA synchronous = NORMAL",
        )?;
        Ok(Self { conn, aside })
    }
}
