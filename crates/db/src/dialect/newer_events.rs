//! The query for the events of several jobs that are newer than given sequence numbers.

use diesel::deserialize::QueryableByName;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Text};
use diesel::sqlite::Sqlite;
use lectern_domain::{JobId, OwnerName};

use crate::connection::DbConnection;
use crate::error::{Doing, Error};
use crate::sql::owned::owned_sql;
use crate::sql::prepared::Prepared;

/// The events of several jobs, for each job after the given sequence number. One query,
/// with one lookup in the primary key per job.
pub(crate) fn newer_events<Row>(
    conn: &mut DbConnection,
    owner: Option<&OwnerName>,
    seen: &[(JobId, i64)],
    limit: i64,
) -> Result<Vec<Row>, Error>
where
    Row: QueryableByName<Pg> + QueryableByName<Sqlite> + 'static,
{
    const COLUMNS: &str = "e.job_id, e.seq, e.type, e.data, e.at";
    let condition = |parameter| match owner {
        Some(_) => owned_sql("e", parameter),
        None => "TRUE".to_owned(),
    };
    match conn {
        DbConnection::Postgres(conn) => {
            let (ids, seqs): (Vec<_>, Vec<_>) =
                seen.iter().map(|(id, seq)| (id.as_uuid(), *seq)).unzip();
            let newer = sql_query(format!(
                "SELECT {COLUMNS} FROM unnest($1, $2) AS seen (job_id, seq)
                 JOIN job_events AS e ON e.job_id = seen.job_id AND e.seq > seen.seq
                 WHERE {}
                 ORDER BY e.job_id, e.seq LIMIT $3",
                condition("$4")
            ));
            let newer = newer
                .into_boxed::<Pg>()
                .bind::<Array<diesel::sql_types::Uuid>, _>(ids)
                .bind::<Array<BigInt>, _>(seqs)
                .bind::<BigInt, _>(limit);
            Prepared(match owner {
                Some(owner) => newer.bind::<Text, _>(owner.as_str()),
                None => newer,
            })
            .load(conn)
        }
        DbConnection::Sqlite(conn) => {
            let seen: Vec<_> = seen
                .iter()
                .map(|(id, seq)| serde_json::json!([id, seq]))
                .collect();
            let newer = sql_query(format!(
                "SELECT {COLUMNS} FROM json_each(?1) AS seen
                 JOIN job_events AS e ON e.job_id = seen.value ->> 0 AND e.seq > seen.value ->> 1
                 WHERE {}
                 ORDER BY e.job_id, e.seq LIMIT ?2",
                condition("?3")
            ));
            let newer = newer
                .into_boxed::<Sqlite>()
                .bind::<Text, _>(serde_json::Value::from(seen).to_string())
                .bind::<BigInt, _>(limit);
            Prepared(match owner {
                Some(owner) => newer.bind::<Text, _>(owner.as_str()),
                None => newer,
            })
            .load(conn)
        }
    }
    .doing("find new events of several jobs")
}
