//! What the triggers count, compared with the jobs.

use std::sync::atomic::{AtomicBool, Ordering};

use chrono::TimeDelta;
use lectern_db::Error;
use lectern_domain::{JobFilter, JobId, JobMetrics, JobStatus};
use lectern_tests::{Backend, Fixture, Sql, TestDb, a_job, on_both_backends};

use crate::db::support::random_operations::run_random_operations;
use crate::db::support::worker::concurrently;
use crate::many_jobs::{insert_jobs, last_query, plan_with};

on_both_backends!(
    metrics_equal_the_jobs_after_random_operations,
    statements_of_other_programs_are_counted,
    a_statement_adds_at_most_one_row_per_status_and_hour,
    a_rollback_takes_its_counts_with_it,
    the_migration_counts_the_jobs_that_exist,
    a_window_begins_right_after_its_start,
    counts_have_few_rows,
    metrics_read_no_other_jobs_than_those_of_three_hours,
);

fn metrics(db: &TestDb) -> JobMetrics {
    db.read(|conn| conn.jobs().metrics()).unwrap()
}

/// Checks every count against the jobs.
fn assert_counted(db: &TestDb) {
    let mut sql = db.sql();
    let hour = match db.backend() {
        Backend::Postgres => "date_trunc('hour', created_at, 'UTC')",
        Backend::Sqlite => "substr(created_at, 1, 13) || ':00:00.000000Z'",
    };
    let hours = format!("SELECT {hour} AS hour, count(*) FROM jobs GROUP BY 1 ORDER BY 1");
    let counted = "SELECT hour, CAST(sum(jobs) AS BIGINT) FROM job_hour_counts GROUP BY hour
                   HAVING sum(jobs) <> 0 ORDER BY 1";
    assert_eq!(sql.rows(counted), sql.rows(&hours));
    let statuses = "SELECT status, count(*), CAST(COALESCE(sum(file_size), 0) AS BIGINT)
                    FROM jobs GROUP BY status ORDER BY status";
    let counted = "SELECT status, CAST(sum(jobs) AS BIGINT),
                          CAST(sum(gibibytes) * 1073741824 + sum(bytes) AS BIGINT)
                   FROM job_status_counts GROUP BY status HAVING sum(jobs) <> 0 ORDER BY status";
    let statuses = sql.rows(statuses);
    assert_eq!(sql.rows(counted), statuses);

    let metrics = metrics(db);
    let number = |text: &Option<String>| text.as_ref().unwrap().parse::<i64>().unwrap();
    for status in JobStatus::ALL {
        let of_status = |row: &&Vec<Option<String>>| row[0].as_deref() == Some(status.as_str());
        let jobs = statuses.iter().find(of_status).map(|row| number(&row[1]));
        assert_eq!(metrics.by_status[status], jobs.unwrap_or(0), "{status}");
    }
    let arrived = statuses
        .iter()
        .filter(|row| row[0].as_deref() != Some("pending"));
    let bytes: i64 = arrived.map(|row| number(&row[2])).sum();
    assert_eq!(metrics.bytes_stored, bytes);
    let after = |days| {
        let start = (db.now() - TimeDelta::days(days)).format("%Y-%m-%dT%H:%M:%S%.6fZ");
        let count = format!("SELECT count(*) FROM jobs WHERE created_at > '{start}'");
        db.sql().value(&count).parse::<i64>().unwrap()
    };
    let windows = (
        metrics.created_last_24h,
        metrics.created_last_7d,
        metrics.created_last_30d,
    );
    assert_eq!(windows, (after(1), after(7), after(30)));
}

fn metrics_equal_the_jobs_after_random_operations(db: TestDb) {
    let jobs: Vec<JobId> = (0..12)
        .map(|i| {
            db.clock().advance(TimeDelta::minutes(25));
            a_job().file_size(1 << (3 * i)).create(&db).job_id
        })
        .collect();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // Each answer is from one snapshot, in which the counts and the jobs agree.
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let (metrics, total) = db
                    .read(|conn| {
                        Ok::<_, Error>((
                            conn.jobs().metrics()?,
                            conn.jobs().count(&JobFilter::default())?,
                        ))
                    })
                    .unwrap();
                assert_eq!(metrics.by_status.values().sum::<i64>(), total);
                assert_eq!(metrics.created_last_30d, total);
            }
        });
        scope.spawn(|| {
            concurrently(4, |thread| {
                for i in 0..40 {
                    let job = a_job().file_size(i + 1).create(&db).job_id;
                    let undone = db.write(|tx| {
                        tx.jobs().create(&a_job().build())?;
                        tx.jobs().cancel(jobs[thread])?;
                        Err::<(), _>(Error::Url("undone".into()))
                    });
                    assert!(undone.is_err());
                    if i % 2 == 0 {
                        db.write(|tx| tx.jobs().delete(job)).unwrap();
                    }
                }
                // Some of the jobs disappear meanwhile.
                drop(db.write(|tx| tx.jobs().delete(jobs[thread])));
            });
        });
        run_random_operations(&db, &jobs);
        done.store(true, Ordering::Relaxed);
    });
    assert_counted(&db);
}

fn statements_of_other_programs_are_counted(db: TestDb) {
    insert_jobs(
        &db,
        500,
        "status, file_size",
        "CASE i % 3 WHEN 0 THEN 'queued' WHEN 1 THEN 'pending' ELSE 'failed' END,
         CASE WHEN i % 5 > 0 THEN i * CAST(10000000000 AS BIGINT) END",
    );
    db.clock().advance(TimeDelta::days(10));
    insert_jobs(&db, 100, "status", "'queued'");
    assert_counted(&db);
    let mut sql = db.sql();
    let mut change = |statement: &str| {
        sql.batch(statement)
            .unwrap_or_else(|error| panic!("{statement}: {error}"));
        assert_counted(&db);
    };
    change("UPDATE jobs SET status = 'running' WHERE id % 2 = 0");
    change("UPDATE jobs SET status = 'cancelled', file_size = 77 WHERE id % 7 = 0");
    change("UPDATE jobs SET file_size = NULL WHERE id % 11 = 0");
    change("UPDATE jobs SET created_at = '2026-01-05T12:34:56.789000Z' WHERE id % 4 = 0");
    change("UPDATE jobs SET progress_percent = 3, version = version + 1");
    change("DELETE FROM jobs WHERE id % 3 = 0");
    change("DELETE FROM jobs WHERE id < 0");
    change(
        "INSERT INTO jobs (job_id, filename, status)
         SELECT job_id, 'b', 'failed' FROM jobs WHERE id % 5 = 0
         ON CONFLICT (job_id) DO UPDATE SET status = 'failed', file_size = 3",
    );
    if db.backend() == Backend::Sqlite {
        // Such a word applies to the statements of a trigger as well, but not to an upsert.
        for or in ["OR IGNORE", "OR REPLACE", "OR FAIL"] {
            change(&format!(
                "INSERT {or} INTO jobs (filename) VALUES ('b'), ('c')"
            ));
            change(&format!(
                "UPDATE {or} jobs SET created_at = '2026-01-05T12:34:57.000000Z' WHERE filename = 'b'"
            ));
        }
    }
    change("DELETE FROM jobs");
    assert_eq!(metrics(&db).by_status.values().sum::<i64>(), 0);
}

/// An INSERT of 64 jobs: of two statuses, and of one hour for each two of them.
fn insert_of_64_jobs(db: &TestDb) -> String {
    let hour = (db.now() - TimeDelta::days(8)).format("%Y-%m-%dT%H:00:00.000000Z");
    let (job_id, created_at) = match db.backend() {
        Backend::Postgres => (
            "CAST('00000000-0000-4000-8000-' || lpad(CAST(i AS TEXT), 12, '0') AS UUID)",
            format!("timestamptz '{hour}' + i * interval '30 minutes'"),
        ),
        Backend::Sqlite => (
            "printf('00000000-0000-4000-8000-%012d', i)",
            format!("strftime('%Y-%m-%dT%H:%M:%f000Z', '{hour}', (30 * i) || ' minutes')"),
        ),
    };
    format!(
        "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 63)
         INSERT INTO jobs (job_id, filename, status, file_size, created_at)
         SELECT {job_id}, 'a', CASE WHEN i < 40 THEN 'queued' ELSE 'failed' END,
                i * CAST(10000000000 AS BIGINT) + 1, {created_at}
         FROM n WHERE true"
    )
}

fn a_statement_adds_at_most_one_row_per_status_and_hour(db: TestDb) {
    let insert = insert_of_64_jobs(&db);
    // The last column: the rows of differences on PostgreSQL, by status and by hour.
    let mut steps = vec![
        (insert.clone(), 64, (2, 32)),
        (format!("{insert} ON CONFLICT DO NOTHING"), 0, (2, 32)),
        (
            "DELETE FROM jobs WHERE status = 'failed'".into(),
            24,
            (3, 44),
        ),
        (
            "DELETE FROM jobs WHERE status = 'failed'".into(),
            0,
            (3, 44),
        ),
        (format!("{insert} ON CONFLICT DO NOTHING"), 24, (4, 56)),
        ("DELETE FROM jobs".into(), 64, (6, 0)),
        (insert.clone(), 64, (8, 32)),
    ];
    if db.backend() == Backend::Postgres {
        steps.push(("TRUNCATE jobs CASCADE".into(), 0, (0, 0)));
        steps.push((insert, 64, (2, 32)));
    }
    let mut sql = db.sql();
    for (statement, changed, rows) in steps {
        assert_eq!(sql.execute(&statement), Ok(changed), "{statement}");
        assert_counted(&db);
        if db.backend() == Backend::Postgres {
            let counts = ["job_status_counts", "job_hour_counts"].map(|table| sql.count(table));
            assert_eq!(counts, [rows.0, rows.1], "{statement}");
        }
    }
}

#[test]
fn jobs_of_a_program_with_few_rights_are_counted() {
    let db = TestDb::on(Backend::Postgres);
    let mut sql = db.sql();
    sql.batch(
        "BEGIN;
         CREATE ROLE lectern_test_writer;
         GRANT INSERT ON jobs TO lectern_test_writer;
         SET LOCAL ROLE lectern_test_writer;
         SET LOCAL search_path = '';
         CREATE TEMPORARY TABLE job_status_counts (id INTEGER);
         INSERT INTO public.jobs (filename) VALUES ('a'), ('b');
         RESET ROLE",
    )
    .unwrap();
    let counted = sql.value("SELECT sum(jobs) FROM public.job_status_counts");
    let shadow = sql.value("SELECT count(*) FROM pg_temp.job_status_counts");
    assert_eq!((counted.as_str(), shadow.as_str()), ("2", "0"));
    sql.batch("ROLLBACK").unwrap();
}

fn a_rollback_takes_its_counts_with_it(db: TestDb) {
    let job = a_job().create(&db).job_id;
    let mut sql = db.sql();
    sql.batch(
        "BEGIN;
         INSERT INTO jobs (filename) VALUES ('b');
         SAVEPOINT a;
         UPDATE jobs SET status = 'failed';
         DELETE FROM jobs;
         ROLLBACK TO SAVEPOINT a",
    )
    .unwrap();
    sql.batch("ROLLBACK").unwrap();
    assert_counted(&db);
    sql.batch("BEGIN; UPDATE jobs SET status = 'failed'; SAVEPOINT a; DELETE FROM jobs; ROLLBACK TO SAVEPOINT a; COMMIT")
        .unwrap();
    assert_counted(&db);
    assert_eq!(metrics(&db).by_status[&JobStatus::Failed], 1);
    db.write(|tx| tx.jobs().delete(job)).unwrap();
    assert_counted(&db);
}

#[test]
fn an_open_transaction_keeps_nobody_from_counting() {
    let db = TestDb::on(Backend::Postgres);
    let open = |begin: &str| -> Sql {
        let mut sql = db.sql();
        sql.batch("SET lock_timeout = '1s'").unwrap();
        sql.batch(begin).unwrap();
        for _ in 0..100 {
            sql.batch("INSERT INTO jobs (filename) VALUES ('a')")
                .unwrap();
        }
        sql
    };
    let mut committed = open("BEGIN");
    let mut rolled_back = open("BEGIN");
    let mut serializable = open("BEGIN ISOLATION LEVEL SERIALIZABLE");
    for _ in 0..100 {
        let job = a_job().create(&db).job_id;
        db.write(|tx| tx.jobs().cancel(job)).unwrap();
    }
    assert_counted(&db);
    for sql in [&mut committed, &mut rolled_back, &mut serializable] {
        sql.batch("UPDATE jobs SET status = 'failed' WHERE filename = 'a'")
            .unwrap();
    }
    committed.batch("COMMIT").unwrap();
    rolled_back.batch("ROLLBACK").unwrap();
    assert_counted(&db);
    serializable.batch("COMMIT").unwrap();
    assert_counted(&db);
    assert_eq!(metrics(&db).by_status[&JobStatus::Failed], 200);
}

fn the_migration_counts_the_jobs_that_exist(db: TestDb) {
    a_job().status(JobStatus::Completed).create(&db);
    db.before_migration("count_jobs", |_| {
        insert_jobs(
            &db,
            300,
            "status, file_size",
            "CASE WHEN i % 3 > 0 THEN 'queued' ELSE 'failed' END, i * CAST(10000000000 AS BIGINT)",
        );
        db.clock().advance(TimeDelta::hours(3));
        insert_jobs(&db, 20, "status", "'pending'");
    });
    assert_counted(&db);
    assert_eq!(metrics(&db).by_status[&JobStatus::Queued], 200);
}

fn a_window_begins_right_after_its_start(db: TestDb) {
    // At both ends of an hour, and within one.
    for start in [0, 1, 1_800_000_000, 3_599_999_999] {
        db.sql().batch("DELETE FROM jobs").unwrap();
        db.clock().advance(TimeDelta::microseconds(start));
        for _ in 0..3 {
            a_job().create(&db);
            db.clock().advance(TimeDelta::microseconds(1));
        }
        // The first of the three jobs is as old as the window is long.
        db.clock()
            .advance(TimeDelta::days(7) - TimeDelta::microseconds(3));
        let metrics = metrics(&db);
        assert_eq!((metrics.created_last_24h, metrics.created_last_7d), (0, 2));
        assert_counted(&db);
    }
}

fn counts_have_few_rows(db: TestDb) {
    for _ in 0..400 {
        let job = a_job().create(&db).job_id;
        db.write(|tx| tx.jobs().cancel(job)).unwrap();
    }
    assert_counted(&db);
    let mut sql = db.sql();
    for table in ["job_status_counts", "job_hour_counts"] {
        // On PostgreSQL 1,200 and 400 were added, and replaced by their sums at every 64th.
        let rows = sql.count(table);
        assert!(rows < 100, "{rows} rows in {table}");
    }
}

fn metrics_read_no_other_jobs_than_those_of_three_hours(db: TestDb) {
    insert_jobs(&db, 5_000, "status", "'queued'");
    let mut sql = db.sql();
    sql.execute("ANALYZE").unwrap();
    let (query, _) = last_query(|| metrics(&db));
    let starts = [1, 7, 30].map(|days| {
        let start = db.now() - TimeDelta::days(days);
        format!("timestamptz '{}'", start.to_rfc3339())
    });
    let plan = plan_with(&mut sql, &query, &starts);
    let reads: Vec<_> = plan
        .lines()
        .filter(|line| line.contains("Scan") || line.contains("SCAN") || line.contains("SEARCH"))
        .filter(|line| line.split(' ').any(|word| word == "jobs"))
        .filter(|line| {
            !["sharer", "owner", "earlier"]
                .iter()
                .any(|alias| line.contains(alias))
        })
        .collect();
    // Besides those of three hours: jobs whose recording never arrived, and jobs of
    // resumable uploads, by their id.
    assert_eq!(reads.len(), 5, "{plan}");
    for (index, count) in [
        ("jobs_created_at_idx", 3),
        ("jobs_current_stage_status_idx", 1),
    ] {
        let with_index = reads.iter().filter(|read| read.contains(index));
        assert_eq!(with_index.count(), count, "{plan}");
    }
    let sharers = plan.lines().find(|line| line.contains("sharer"));
    assert!(
        sharers.is_some_and(|line| line.contains("jobs_source_job_id_idx")),
        "{plan}"
    );
    for scan in [
        "Seq Scan on jobs",
        "SCAN jobs",
        "SCAN owner",
        "SCAN earlier",
    ] {
        assert!(!plan.contains(scan), "{plan}");
    }
}
