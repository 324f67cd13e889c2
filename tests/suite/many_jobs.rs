//! Many jobs at once, and how the database finds some of them.

use lectern_tests::{Backend, Sql, TestDb, queries};

/// Inserts `count` jobs, all created at the time of the clock, with other SQL than
/// Lectern's. `columns` are names, `values` their values as SQL, in which `i` counts the
/// jobs from 1 on, and `{now}` is that time.
pub(crate) fn insert_jobs(db: &TestDb, count: usize, columns: &str, values: &str) {
    let time = db.now().format("%Y-%m-%dT%H:%M:%S%.6fZ");
    let now = match db.backend() {
        Backend::Postgres => format!("timestamptz '{time}'"),
        Backend::Sqlite => format!("'{time}'"),
    };
    let values = values.replace("{now}", &now);
    let mut sql = db.sql();
    if db.backend() == Backend::Postgres {
        // VACUUM marks pages as visible only once the commit is in the log.
        sql.batch("SET synchronous_commit = on").unwrap();
    }
    let inserted = sql.execute(&format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
         INSERT INTO jobs (filename, created_at, updated_at, {columns})
         SELECT 'lecture.mp4', {now}, {now}, {values} FROM n"
    ));
    assert_eq!(inserted, Ok(count));
}

/// The plan of the last query that `read` sends. Its parameters are texts and numbers.
pub(crate) fn plan_of<T>(sql: &mut Sql, read: impl FnOnce() -> T) -> String {
    plans_of(sql, read).pop().expect("a query")
}

/// The plans of the queries that `read` sends. Their parameters are texts and numbers.
pub(crate) fn plans_of<T>(sql: &mut Sql, read: impl FnOnce() -> T) -> Vec<String> {
    let (_, statements) = queries(read);
    let queries = statements
        .iter()
        .filter_map(|statement| statement.split_once(" -- binds: "))
        .filter(|(query, _)| query.contains("SELECT"));
    let plans = queries.map(|(query, binds)| {
        let binds: Vec<serde_json::Value> = serde_json::from_str(binds).expect("texts and numbers");
        let values: Vec<_> = binds
            .iter()
            .map(|bind| match bind {
                serde_json::Value::String(text) => format!("'{text}'"),
                number => number.to_string(),
            })
            .collect();
        plan_with(sql, query, &values)
    });
    plans.collect()
}

/// The text of the last query that `read` sends, and its parameters.
pub(crate) fn last_query<T>(read: impl FnOnce() -> T) -> (String, String) {
    let (_, statements) = queries(read);
    let statement = statements.last().expect("a query");
    let (query, binds) = statement.split_once(" -- binds: ").expect("binds");
    (query.to_owned(), binds.to_owned())
}

/// The plan of a query with these parameters, as SQL.
pub(crate) fn plan_with(sql: &mut Sql, query: &str, values: &[String]) -> String {
    let query = match sql.backend() {
        Backend::Sqlite => query.to_owned(),
        // From the last on, so that $1 does not match the beginning of $10.
        Backend::Postgres => (1..=values.len()).rev().fold(query.to_owned(), |query, n| {
            query.replace(&format!("${n}"), &values[n - 1])
        }),
    };
    sql.plan(&query)
}
