//! Reads the source: rows as texts, in the order of their jobs, in one snapshot.
//!
//! Each table is read once, sorted by the text of `job_id` in the order of its bytes. So the
//! children of a job are found by merging, whatever the type and the indexes of the column,
//! and rows without a job are found as well.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

use diesel::connection::{DefaultLoadingMode, SimpleConnection};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Binary, Text};
use serde_json::{Map, Value};

use super::digest::Digest;
use super::{ImportAction, ImportError, ImportNote, SourceUrl};
use crate::connection::{ConnectionSettings, DbConnection, Location, Timeouts};

/// The greatest number of characters that are read of a value, which limits the memory.
pub(super) const MAX_VALUE: usize = 1_000_000;

/// Bytes of rows that are read at a time.
const BYTES_PER_FETCH: usize = 1 << 20;

/// A table of the source.
pub(super) struct Table {
    /// Its name here.
    pub(super) name: &'static str,
    /// Its possible names in the source.
    names: &'static [&'static str],
    /// The public id of its rows.
    pub(super) id: &'static str,
    /// The column by which the rows of a job are sorted.
    order: &'static str,
    /// The other columns that are imported.
    columns: &'static [&'static str],
    /// Columns that are known and not needed.
    ignored: &'static [&'static str],
}

pub(super) const TABLES: [Table; 7] = [
    Table {
        name: "jobs",
        names: &["jobs"],
        id: "job_id",
        order: "id",
        columns: &[
            "filename",
            "file_size",
            "content_type",
            "original_s3_key",
            "compiled_video_s3_key",
            "video_duration",
            "video_metadata",
            "status",
            "error_message",
            "celery_task_id",
            "current_stage",
            "progress_percent",
            "progress_message",
            "eta_seconds",
            "processing_config",
            "extra_metadata",
            "metadata",
            "priority",
            "created_at",
            "updated_at",
            "completed_at",
        ],
        ignored: &["id"],
    },
    Table {
        name: "transcripts",
        names: &["transcripts"],
        id: "segment_id",
        order: "start_time",
        columns: &[
            "start_time",
            "end_time",
            "text",
            "confidence",
            "speaker_id",
            "created_at",
        ],
        ignored: &["id", "job_id"],
    },
    Table {
        name: "silence_regions",
        names: &["silence_regions"],
        id: "region_id",
        order: "start_time",
        columns: &[
            "start_time",
            "end_time",
            "duration",
            "silence_type",
            "amplitude_threshold",
            "created_at",
        ],
        ignored: &["id", "job_id"],
    },
    Table {
        name: "layout_analysis",
        names: &["layout_analysis", "layout_analyses"],
        id: "layout_id",
        order: "created_at",
        columns: &[
            "layout_type",
            "screen_region",
            "camera_region",
            "split_ratio",
            "confidence_score",
            "sample_frame_time",
            "created_at",
        ],
        ignored: &["id", "job_id"],
    },
    Table {
        name: "content_segments",
        names: &["content_segments"],
        id: "segment_id",
        order: "segment_order",
        columns: &[
            "start_time",
            "end_time",
            "duration",
            "topic",
            "description",
            "importance_score",
            "keywords",
            "concepts",
            "segment_order",
            "created_at",
        ],
        ignored: &["id", "job_id"],
    },
    Table {
        name: "clips",
        names: &["clips"],
        id: "clip_id",
        order: "clip_order",
        columns: &[
            "content_segment_id",
            "title",
            "topic",
            "importance_score",
            "start_time",
            "end_time",
            "duration",
            "s3_key",
            "thumbnail_s3_key",
            "subtitle_s3_key",
            "clip_order",
            "extra_metadata",
            "metadata",
            "created_at",
        ],
        ignored: &["id", "job_id"],
    },
    Table {
        name: "processing_logs",
        names: &["processing_logs"],
        id: "log_id",
        order: "timestamp",
        columns: &[
            "stage",
            "agent_name",
            "status",
            "message",
            "error_details",
            "duration_seconds",
            "timestamp",
            "created_at",
        ],
        ignored: &["id", "job_id"],
    },
];

/// A row of the source. A value that is NULL, or whose column is missing, is absent.
#[derive(Debug, Clone, Default)]
pub(super) struct SourceRow {
    pub(super) job_id: String,
    pub(super) id: String,
    pub(super) values: HashMap<String, String>,
}

/// A job of the source with the rows that belong to it, by table.
#[derive(Debug, Clone, Default)]
pub(super) struct SourceJob {
    pub(super) row: SourceRow,
    pub(super) children: HashMap<&'static str, Vec<SourceRow>>,
}

impl SourceRow {
    fn add_to(&self, digest: &mut Digest) {
        let mut values: Vec<_> = self.values.iter().collect();
        values.sort();
        digest.add_text(&self.id);
        digest.add_count(values.len());
        for (column, value) in values {
            digest.add_text(column);
            digest.add_text(value);
        }
    }
}

impl SourceJob {
    /// A digest of all values.
    pub(super) fn digest(&self) -> String {
        let mut digest = Digest::default();
        self.row.add_to(&mut digest);
        let mut tables: Vec<_> = self.children.iter().collect();
        tables.sort_by_key(|(table, _)| **table);
        // A table that the source gets later is no change while it has no rows.
        tables.retain(|(_, rows)| !rows.is_empty());
        for (table, rows) in tables {
            digest.add_text(table);
            digest.add_count(rows.len());
            for row in rows {
                row.add_to(&mut digest);
            }
        }
        digest.in_hexadecimal()
    }
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct TextRow {
    #[diesel(sql_type = Text)]
    row: String,
}

#[derive(QueryableByName)]
struct BytesRow {
    #[diesel(sql_type = Binary)]
    row: Vec<u8>,
}

/// The open source.
pub(super) struct Source {
    connections: Connections,
    /// The tables that exist, each with the query of its rows.
    queries: Vec<(&'static Table, String)>,
    unknown_columns: Vec<String>,
}

enum Connections {
    Postgres(RefCell<PgConnection>),
    /// One per table, because an open statement occupies its connection.
    Sqlite(Vec<SqliteConnection>),
}

fn failed<E: std::error::Error + Send + Sync + 'static>(
    doing: &'static str,
) -> impl Fn(E) -> ImportError {
    move |error| ImportError::Source {
        doing,
        source: Box::new(error),
    }
}

impl Source {
    pub(super) fn open(url: &SourceUrl) -> Result<Self, ImportError> {
        match url.0.location() {
            Location::File(path) => {
                let name = path.display().to_string();
                // SQLite opens a missing file only when it may create it.
                let name: String = name
                    .chars()
                    .map(|c| match c {
                        '?' => "%3f".to_owned(),
                        '#' => "%23".to_owned(),
                        '%' => "%25".to_owned(),
                        c => c.to_string(),
                    })
                    .collect();
                let name = format!("file:{name}?mode=ro");
                let open = || {
                    let mut conn =
                        SqliteConnection::establish(&name).map_err(failed("open the database"))?;
                    conn.batch_execute(
                        "PRAGMA query_only = ON; PRAGMA busy_timeout = 10000; BEGIN;",
                    )
                    .map_err(failed("begin a snapshot"))?;
                    Ok::<_, ImportError>(conn)
                };
                let mut conn = open()?;
                let (queries, unknown_columns) = queries(Dialect::Sqlite, |query| {
                    sql_query(query).load::<Name>(&mut conn)
                })?;
                let connections = queries.iter().map(|_| open()).collect::<Result<_, _>>()?;
                Ok(Self {
                    connections: Connections::Sqlite(connections),
                    queries,
                    unknown_columns,
                })
            }
            location => {
                let timeouts = Timeouts {
                    statement: Duration::ZERO,
                    idle_in_transaction: Duration::ZERO,
                    ..Timeouts::default()
                };
                let settings = ConnectionSettings {
                    timeouts,
                    ..ConnectionSettings::default()
                };
                let conn = DbConnection::open(location, "", settings)
                    .map_err(failed("open the database"))?;
                let DbConnection::Postgres(mut conn) = conn else {
                    return Err(ImportError::NoJobs);
                };
                conn.batch_execute(
                    "SET TIME ZONE 'UTC'; SET datestyle = 'ISO, YMD'; SET extra_float_digits = 3;
                     SET bytea_output = 'hex'; SET row_security = off;
                     BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;",
                )
                .map_err(failed("begin a snapshot"))?;
                let (queries, unknown_columns) = queries(Dialect::Postgres, |query| {
                    sql_query(query).load::<Name>(&mut conn)
                })?;
                for (table, query) in &queries {
                    let declare =
                        format!("DECLARE import_{} NO SCROLL CURSOR FOR {query}", table.name);
                    conn.batch_execute(&declare)
                        .map_err(failed("sort a table"))?;
                }
                Ok(Self {
                    connections: Connections::Postgres(RefCell::new(conn)),
                    queries,
                    unknown_columns,
                })
            }
        }
    }

    /// The columns that are not imported.
    pub(super) fn unknown_columns(&self) -> Vec<String> {
        self.unknown_columns.clone()
    }

    /// The tables that exist.
    pub(super) fn tables(&self) -> Vec<&'static str> {
        self.queries.iter().map(|(table, _)| table.name).collect()
    }

    fn streams(&mut self) -> Result<Vec<Stream<'_>>, ImportError> {
        match &mut self.connections {
            Connections::Postgres(conn) => {
                let conn: &RefCell<PgConnection> = conn;
                let stream = |(table, _): &(&'static Table, String)| Stream {
                    table,
                    rows: Box::new(Fetched {
                        conn,
                        table: table.name,
                        rows: Vec::new().into_iter(),
                        next: 10,
                    }),
                    peeked: None,
                };
                Ok(self.queries.iter().map(stream).collect())
            }
            Connections::Sqlite(connections) => connections
                .iter_mut()
                .zip(&self.queries)
                .map(|(conn, (table, query))| {
                    let rows = sql_query(query)
                        .load_iter::<BytesRow, DefaultLoadingMode>(conn)
                        .map_err(failed("sort a table"))?;
                    let rows = rows.map(|row| {
                        let row = row.map_err(failed("read a row"))?;
                        Ok(String::from_utf8_lossy(&row.row).into_owned())
                    });
                    Ok(Stream {
                        table,
                        // SQLite begins again after the last row.
                        rows: Box::new(rows.fuse()),
                        peeked: None,
                    })
                })
                .collect(),
        }
    }
}

#[derive(Clone, Copy)]
enum Dialect {
    Postgres,
    Sqlite,
}

impl Dialect {
    fn columns_of(self, table: &str) -> String {
        match self {
            Self::Postgres => format!(
                "SELECT attname::text AS name FROM pg_attribute
                 WHERE attrelid = to_regclass('{table}') AND attnum > 0 AND NOT attisdropped"
            ),
            Self::Sqlite => format!("SELECT name FROM pragma_table_info('{table}')"),
        }
    }

    /// A column as text.
    fn text(self, column: &str) -> String {
        match self {
            Self::Postgres => format!("left(\"{column}\"::text, {})", MAX_VALUE + 1),
            // As text, SQLite gives a number only 15 digits. A text is cut as bytes, because
            // `substr` ends a text at a NUL.
            Self::Sqlite => format!(
                "CASE typeof(\"{column}\") WHEN 'real' THEN printf('%!.17g', \"{column}\")
                 WHEN 'blob' THEN hex(substr(\"{column}\", 1, {0}))
                 ELSE CAST(substr(CAST(\"{column}\" AS BLOB), 1, {0}) AS TEXT) END",
                4 * (MAX_VALUE + 1)
            ),
        }
    }

    /// The query of the rows of a table, each a JSON object of texts.
    fn query(self, table: &Table, name: &str, columns: &[&str]) -> String {
        let mut columns: Vec<_> = columns.to_vec();
        if !columns.contains(&"job_id") {
            columns.push("job_id");
        }
        let (row, binary) = match self {
            Self::Postgres => {
                let names: Vec<_> = columns.iter().map(|column| format!("'{column}'")).collect();
                let texts: Vec<_> = columns.iter().map(|column| self.text(column)).collect();
                let object = format!(
                    "json_object(ARRAY[{}], ARRAY[{}])",
                    names.join(", "),
                    texts.join(", ")
                );
                (format!("{object}::text"), "COLLATE \"C\"")
            }
            Self::Sqlite => {
                let pairs: Vec<_> = columns
                    .iter()
                    .map(|column| format!("'{column}', {}", self.text(column)))
                    .collect();
                (
                    format!("CAST(json_object({}) AS BLOB)", pairs.join(", ")),
                    "COLLATE BINARY",
                )
            }
        };
        // The null keys come first, as the empty text.
        let key = format!("COALESCE({}, '') {binary}", self.text("job_id"));
        let mut order = vec![key];
        for column in [table.order, "id", table.id] {
            if columns.contains(&column) {
                order.push(format!("\"{column}\""));
            }
        }
        format!(
            "SELECT {row} AS row FROM \"{name}\" ORDER BY {}",
            order.join(", ")
        )
    }
}

type Queries = (Vec<(&'static Table, String)>, Vec<String>);

fn queries(
    dialect: Dialect,
    mut names: impl FnMut(String) -> QueryResult<Vec<Name>>,
) -> Result<Queries, ImportError> {
    let (mut found, mut unknown) = (Vec::new(), Vec::new());
    for table in &TABLES {
        for name in table.names {
            let columns = names(dialect.columns_of(name)).map_err(failed("list the columns"))?;
            let columns: Vec<_> = columns.into_iter().map(|column| column.name).collect();
            if !columns.iter().any(|column| column == "job_id") {
                continue;
            }
            let is_known = |column: &str| {
                column == table.id
                    || table.columns.contains(&column)
                    || table.ignored.contains(&column)
            };
            let others = columns.iter().filter(|column| !is_known(column));
            unknown.extend(others.map(|column| format!("{name}.{column}")));
            let known: Vec<_> = columns
                .iter()
                .map(String::as_str)
                .filter(|column| is_known(column) && *column != "job_id")
                .collect();
            found.push((table, dialect.query(table, name, &known)));
            break;
        }
    }
    match found.first() {
        Some((table, _)) if table.name == "jobs" => Ok((found, unknown)),
        _ => Err(ImportError::NoJobs),
    }
}

/// The rows of a cursor, fetched in portions of about a megabyte.
struct Fetched<'c> {
    conn: &'c RefCell<PgConnection>,
    table: &'static str,
    rows: std::vec::IntoIter<TextRow>,
    next: usize,
}

impl Iterator for Fetched<'_> {
    type Item = Result<String, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(row) = self.rows.next() {
            return Some(Ok(row.row));
        }
        let fetch = format!("FETCH FORWARD {} FROM import_{}", self.next, self.table);
        let rows: QueryResult<Vec<TextRow>> = sql_query(fetch).load(&mut *self.conn.borrow_mut());
        let rows = match rows {
            Ok(rows) => rows,
            Err(error) => return Some(Err(failed("read a row")(error))),
        };
        let bytes: usize = rows.iter().map(|row| row.row.len()).sum();
        let per_row = bytes / rows.len().max(1) + 1;
        self.next = (BYTES_PER_FETCH / per_row).clamp(1, (self.next * 4).min(5_000));
        self.rows = rows.into_iter();
        self.rows.next().map(|row| Ok(row.row))
    }
}

/// The rows of a table, with a look at the next one.
struct Stream<'c> {
    table: &'static Table,
    rows: Box<dyn Iterator<Item = Result<String, ImportError>> + 'c>,
    peeked: Option<SourceRow>,
}

impl Stream<'_> {
    fn peek(&mut self) -> Result<Option<&SourceRow>, ImportError> {
        if self.peeked.is_none() {
            self.peeked = match self.rows.next() {
                None => None,
                Some(row) => Some(parse(self.table, &row?)?),
            };
        }
        Ok(self.peeked.as_ref())
    }

    fn next(&mut self) -> Result<Option<SourceRow>, ImportError> {
        self.peek()?;
        Ok(self.peeked.take())
    }
}

fn parse(table: &Table, row: &str) -> Result<SourceRow, ImportError> {
    let row: Map<String, Value> = serde_json::from_str(row).map_err(failed("read a row"))?;
    let mut values: HashMap<String, String> = row
        .into_iter()
        .filter_map(|(column, value)| match value {
            Value::String(text) => Some((column, text)),
            _ => None,
        })
        .collect();
    let job_id = values.get("job_id").cloned().unwrap_or_default();
    let id = values
        .remove(table.id)
        .or_else(|| values.get("id").cloned());
    Ok(SourceRow {
        job_id,
        id: id.unwrap_or_default(),
        values,
    })
}

/// Merges the tables into jobs.
pub(super) struct JobReader<'s> {
    jobs: Stream<'s>,
    children: Vec<Stream<'s>>,
    last_job_id: Option<String>,
    notes: Vec<ImportNote>,
    read: HashMap<&'static str, u64>,
}

/// What a [`JobReader`] has read.
pub(super) enum Next {
    Job(SourceJob),
    /// Only rows that are not imported.
    Notes,
    End,
}

/// The number of notes after which they are taken, which limits the memory.
const NOTES_AT_ONCE: usize = 500;

impl<'s> JobReader<'s> {
    pub(super) fn new(source: &'s mut Source) -> Result<Self, ImportError> {
        let mut streams = source.streams()?;
        Ok(Self {
            jobs: streams.remove(0),
            children: streams,
            last_job_id: None,
            notes: Vec::new(),
            read: HashMap::new(),
        })
    }

    /// The notes since the last call.
    pub(super) fn take_notes(&mut self) -> Vec<ImportNote> {
        std::mem::take(&mut self.notes)
    }

    /// The number of rows read since the last call, by table.
    pub(super) fn take_read(&mut self) -> HashMap<&'static str, u64> {
        std::mem::take(&mut self.read)
    }

    pub(super) fn next(&mut self) -> Result<Next, ImportError> {
        let key = self.jobs.peek()?.map(|row| row.job_id.clone());
        for stream in &mut self.children {
            let is_orphan = |row: &SourceRow| {
                row.job_id.is_empty() || key.as_ref().is_none_or(|key| row.job_id < *key)
            };
            while stream.peek()?.is_some_and(is_orphan) {
                let Some(row) = stream.next()? else { break };
                *self.read.entry(stream.table.name).or_default() += 1;
                let reason = "its job does not exist";
                self.notes
                    .push(note_dropped(stream.table.name, &row, reason));
                if self.notes.len() >= NOTES_AT_ONCE {
                    return Ok(Next::Notes);
                }
            }
        }
        let Some(row) = self.jobs.next()? else {
            return Ok(Next::End);
        };
        *self.read.entry("jobs").or_default() += 1;
        if self.last_job_id.as_ref() == Some(&row.job_id) && !row.job_id.is_empty() {
            // Without a unique constraint, several jobs may have the same id. Their rows
            // belong to the first.
            self.notes
                .push(note_dropped("jobs", &row, "another job has this id"));
            return Ok(Next::Notes);
        }
        let mut children = HashMap::new();
        for stream in &mut self.children {
            let mut of_job = Vec::new();
            while stream
                .peek()?
                .is_some_and(|child| child.job_id == row.job_id)
            {
                of_job.extend(stream.next()?);
            }
            *self.read.entry(stream.table.name).or_default() += of_job.len() as u64;
            children.insert(stream.table.name, of_job);
        }
        self.last_job_id = Some(row.job_id.clone());
        Ok(Next::Job(SourceJob { row, children }))
    }
}

/// The number of characters of a value in a note.
const MAX_NOTED: usize = 100;

pub(super) fn beginning(value: &str) -> String {
    value.chars().take(MAX_NOTED).collect()
}

pub(super) fn note_dropped(
    table: &'static str,
    row: &SourceRow,
    reason: &'static str,
) -> ImportNote {
    ImportNote {
        table,
        id: beginning(&row.id),
        job_id: beginning(&row.job_id),
        column: None,
        action: ImportAction::Dropped,
        reason,
        value: None,
    }
}
