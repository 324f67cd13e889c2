//! Rows that break a rule because another program wrote them before the rule
//! had its CHECK, or because no CHECK can express it.

use chrono::TimeDelta;
use lectern_db::Error;
use lectern_domain::{
    JobFilter, JobId, JobPageRequest, JobStatus, LogEntryFilter, LogStatus, PageLimit, PageRequest,
    Stage, StageRunStatus,
};
use lectern_tests::{
    Backend, TestDb, a_completed_job, a_job, a_log_entry, on_both_backends, segments,
};

use super::checks::insert;
use super::rules::NEW_ID;
use crate::db::support::worker::{LEASE, claim, claim_one, statuses};

on_both_backends!(
    an_invalid_job_is_left_out_of_lists,
    invalid_rows_of_a_job_are_left_out_of_its_lists,
    a_set_with_an_invalid_row_can_be_replaced,
    a_job_with_an_unreadable_time_is_left_out_of_pages,
    a_log_entry_with_an_unreadable_time_is_left_out_of_pages,
    rows_with_unreadable_times_and_json_are_left_out_of_lists,
    unreadable_rows_keep_no_other_job_from_being_claimed,
    an_unreadable_job_whose_lease_expires_keeps_no_other_from_being_claimed,
);

/// The migration that gave every rule its CHECK.
const CHECKS: &str = "check_every_rule_of_the_domain";

/// Reads the list of jobs with one job per page; returns the ids and the number
/// of pages.
fn job_ids_page_by_page(db: &TestDb) -> (Vec<JobId>, usize) {
    let (mut found, mut pages) = (Vec::new(), 0);
    let mut page = JobPageRequest {
        limit: PageLimit::new(1).unwrap(),
        ..JobPageRequest::default()
    };
    loop {
        let list = db.read(|conn| conn.jobs().list(&JobFilter::default(), page));
        let list = list.unwrap();
        pages += 1;
        found.extend(list.items.iter().map(|job| job.job_id));
        match list.next {
            Some(next) => page.after = Some(next),
            None => return (found, pages),
        }
    }
}

fn an_invalid_job_is_left_out_of_lists(db: TestDb) {
    let old = a_job().create(&db).job_id;
    db.clock().advance(chrono::TimeDelta::seconds(2));
    let between = (db.now() - chrono::TimeDelta::seconds(1)).to_rfc3339();
    let between = between.replace("+00:00", ".000000Z");
    let new = a_job().create(&db).job_id;
    db.before_migration(CHECKS, |sql| {
        let row = [
            ("content_type", "''"),
            ("created_at", &format!("'{between}'")),
        ];
        insert(sql, "jobs", &row).unwrap();
    });
    assert_eq!(db.unreadable_rows(), 0);
    // Its page is empty and still leads to the next one.
    assert_eq!(job_ids_page_by_page(&db), (vec![new, old], 3));
    assert_eq!(db.unreadable_rows(), 1);
    let with_clips = db.read(|conn| {
        conn.jobs()
            .list_with_clips(&JobFilter::default(), JobPageRequest::default())
    });
    assert_eq!(with_clips.unwrap().items.len(), 2);
    assert_eq!(db.unreadable_rows(), 2);

    let invalid: JobId = NEW_ID.trim_matches('\'').parse().unwrap();
    let error = db.read(|conn| conn.jobs().find(invalid)).unwrap_err();
    assert!(
        matches!(error, Error::Corrupt { table: "jobs", column: "content_type", id, .. }
            if id == invalid.as_uuid()),
        "{error:?}"
    );
}

fn invalid_rows_of_a_job_are_left_out_of_its_lists(db: TestDb) {
    let job = a_completed_job(&db).job_id;
    let lists = || {
        db.read(|conn| {
            let results = conn.jobs().results(job)?.unwrap();
            Ok::<_, Error>((
                (results.clips, results.transcript),
                conn.clips().top(job, 100)?,
                conn.content_segments().for_job(job)?,
                conn.stage_runs().for_job(job)?,
            ))
        })
        .unwrap()
    };
    let valid = lists();
    let of_job = ("job_id", format!("'{job}'"));
    db.before_migration(CHECKS, |sql| {
        let mut add = |table: &str, values: &[(&str, &str)]| {
            let mut row = vec![(of_job.0, of_job.1.as_str())];
            row.extend(values);
            insert(sql, table, &row).unwrap();
        };
        add("transcripts", &[("text", "'\u{a0}'")]);
        add("clips", &[("s3_key", "''"), ("clip_order", "1000")]);
        let keywords = [("keywords", "'[\"\"]'"), ("segment_order", "1000")];
        add("content_segments", &keywords);
        sql.execute(&format!(
            "UPDATE stage_runs SET waits_for = '[\"mixing\"]'
             WHERE job_id = '{job}' AND stage = 'compilation'"
        ))
        .unwrap();
    });
    let mut expected = valid;
    expected
        .3
        .retain(|run| run.stage != lectern_domain::Stage::Compilation);
    assert_eq!(lists(), expected);
    // The clip is in two of the lists.
    assert_eq!(db.unreadable_rows(), 5);
    // gc uses this lookup and must not delete the files of a clip it cannot read.
    let clips = db.read(|conn| conn.clips().for_jobs(&[job]));
    assert!(matches!(clips, Err(Error::Corrupt { table: "clips", .. })));
}

fn a_set_with_an_invalid_row_can_be_replaced(db: TestDb) {
    let job = a_job().create(&db).job_id;
    db.before_migration(CHECKS, |sql| {
        let row = [("job_id", &*format!("'{job}'")), ("text", "'\u{2003}'")];
        insert(sql, "transcripts", &row).unwrap();
    });
    let stored = db.write(|tx| tx.transcripts().replace_for_job(job, &segments(2)));
    assert_eq!(stored.unwrap().len(), 2);
    assert_eq!(db.sql().count("transcripts"), 2);
}

/// Values of a time column that are not times: sorted before all times, between the times
/// of the first and the second of December 2026 if the database has such values, and after
/// all times.
fn unreadable_times(db: &TestDb) -> &'static [&'static str] {
    match db.backend() {
        Backend::Postgres => &["-infinity", "infinity"],
        Backend::Sqlite => &[
            "0000-00-00T00:00:00.000000Z",
            "2026-12-01T24:00:00.000000Z",
            "9999-19-39T29:59:69.999999Z",
        ],
    }
}

fn a_job_with_an_unreadable_time_is_left_out_of_pages(db: TestDb) {
    let days = ["2026-12-01", "2026-12-02"].map(|day| {
        let id = a_job().create(&db).job_id;
        let time = format!("{day}T00:00:00.000000Z");
        let set = format!("UPDATE jobs SET created_at = '{time}' WHERE job_id = '{id}'");
        db.sql().execute(&set).unwrap();
        id
    });
    let [first, second] = days;
    for time in unreadable_times(&db) {
        let row = [("created_at", &*format!("'{time}'"))];
        insert(&mut db.sql(), "jobs", &row).unwrap();
        let (found, _) = job_ids_page_by_page(&db);
        assert_eq!(found, [second, first], "{time}");
        let page = db.read(|conn| {
            conn.jobs()
                .list_summaries(&JobFilter::default(), JobPageRequest::default(), true)
        });
        assert_eq!(page.unwrap().items.len(), 2, "{time}");
        let deleted = format!("DELETE FROM jobs WHERE job_id = {NEW_ID}");
        assert_eq!(db.sql().execute(&deleted).unwrap(), 1);
    }
    assert!(db.unreadable_rows() > 0);
}

fn a_log_entry_with_an_unreadable_time_is_left_out_of_pages(db: TestDb) {
    let job = a_job().create(&db).job_id;
    let entries = ["2026-12-01", "2026-12-02"].map(|day| {
        let entry = a_log_entry(Stage::Transcription, LogStatus::Started);
        let entry = db
            .write(|tx| tx.processing_logs().append(job, &entry))
            .unwrap();
        let time = format!("{day}T00:00:00.000000Z");
        let id = entry.log_id;
        let set = format!("UPDATE processing_logs SET timestamp = '{time}' WHERE log_id = '{id}'");
        db.sql().execute(&set).unwrap();
        id
    });
    for time in unreadable_times(&db) {
        let row = [
            ("job_id", &*format!("'{job}'")),
            ("timestamp", &*format!("'{time}'")),
        ];
        insert(&mut db.sql(), "processing_logs", &row).unwrap();
        let mut found = Vec::new();
        let mut page = PageRequest {
            limit: PageLimit::new(1).unwrap(),
            after: None,
        };
        loop {
            let list = db.read(|conn| {
                conn.processing_logs()
                    .list(job, &LogEntryFilter::default(), page)
            });
            let list = list.unwrap();
            found.extend(list.items.iter().map(|entry| entry.log_id));
            match list.next {
                Some(_) => page.after = list.next,
                None => break,
            }
        }
        assert_eq!(found, entries, "{time}");
        let deleted = format!("DELETE FROM processing_logs WHERE log_id = {NEW_ID}");
        assert_eq!(db.sql().execute(&deleted).unwrap(), 1);
    }
}

/// An unreadable value for each table: no CHECK of the databases rejects it.
fn unreadable_values(db: &TestDb) -> [(&'static str, &'static str, String); 8] {
    let time = format!("'{}'", unreadable_times(db)[1]);
    // Greater than any `f64`.
    let number = || "'{\"n\": 1e999}'".to_owned();
    [
        ("transcripts", "created_at", time.clone()),
        ("silence_regions", "created_at", time.clone()),
        ("content_segments", "created_at", time.clone()),
        ("clips", "created_at", time.clone()),
        ("stage_runs", "created_at", time.clone()),
        ("processing_logs", "error_details", number()),
        ("job_events", "data", number()),
        ("job_events", "at", time),
    ]
}

fn rows_with_unreadable_times_and_json_are_left_out_of_lists(db: TestDb) {
    let job = a_completed_job(&db).job_id;
    let count = |table: &str| {
        let count = db.read(|conn| {
            Ok::<_, Error>(match table {
                "transcripts" => conn.transcripts().for_job(job)?.len(),
                "silence_regions" => conn.silence_regions().for_job(job)?.len(),
                "content_segments" => conn.content_segments().for_job(job)?.len(),
                "clips" => conn.clips().for_job(job)?.len(),
                "stage_runs" => conn.stage_runs().for_job(job)?.len(),
                "processing_logs" => conn.processing_logs().for_job(job)?.len(),
                _ => conn.job_events().after(job, 0, 1000)?.len(),
            })
        });
        count.unwrap()
    };
    for (table, column, value) in unreadable_values(&db) {
        let stored = count(table);
        assert!(stored > 0, "{table}");
        let omitted = db.unreadable_rows();
        let change = format!(
            "UPDATE {table} SET {column} = {value}
             WHERE id = (SELECT max(id) FROM {table} WHERE job_id = '{job}')"
        );
        let change = match table {
            "job_events" => change.replace("id = (SELECT max(id)", "seq = (SELECT max(seq)"),
            _ => change,
        };
        assert_eq!(db.sql().execute(&change).unwrap(), 1, "{table}.{column}");
        let left = if column == "at" { stored } else { stored - 1 };
        assert_eq!(count(table), left, "{table}.{column}");
        assert!(db.unreadable_rows() > omitted, "{table}.{column}");
    }
}

/// Makes a row unreadable in a way that no CHECK rejects, for the job and for a run.
fn unreadable_jobs(db: &TestDb) -> [JobId; 2] {
    let time = unreadable_times(db)[1];
    let [job, run] = [a_job(), a_job()].map(|job| job.create(db).job_id);
    let mut sql = db.sql();
    sql.execute(&format!(
        "UPDATE jobs SET extra_metadata = '{{\"n\": 1e999}}' WHERE job_id = '{job}'"
    ))
    .unwrap();
    sql.execute(&format!(
        "UPDATE stage_runs SET created_at = '{time}'
         WHERE job_id = '{run}' AND stage = 'silence_detection'"
    ))
    .unwrap();
    // A priority, because the time would sort the run last.
    sql.execute("UPDATE stage_runs SET priority = 1").unwrap();
    [job, run]
}

fn unreadable_rows_keep_no_other_job_from_being_claimed(db: TestDb) {
    let unreadable = unreadable_jobs(&db);
    let readable = a_job().create(&db).job_id;
    let mut claimed = Vec::new();
    for _ in 0..3 {
        claimed.extend(claim(&db, &[Stage::SilenceDetection], 1));
    }
    let claimed: Vec<_> = claimed.iter().map(|claim| claim.job.job_id).collect();
    assert_eq!(claimed, [readable]);
    assert_eq!(db.unreadable_rows(), 2);
    for job in unreadable {
        let status = db.sql().value(&format!(
            "SELECT status FROM jobs WHERE job_id = '{job}' AND error_message IS NOT NULL"
        ));
        assert_eq!(status, JobStatus::Failed.as_str());
        let open = db.sql().value(&format!(
            "SELECT CAST(count(*) AS TEXT) FROM stage_runs
             WHERE job_id = '{job}' AND status IN ('waiting', 'ready', 'running')"
        ));
        assert_eq!(open, "0");
    }
}

fn an_unreadable_job_whose_lease_expires_keeps_no_other_from_being_claimed(db: TestDb) {
    let job = a_job().create(&db).job_id;
    claim_one(&db, Stage::SilenceDetection);
    db.sql()
        .execute(&format!(
            "UPDATE jobs SET extra_metadata = '{{\"n\": 1e999}}' WHERE job_id = '{job}'"
        ))
        .unwrap();
    let readable = a_job().create(&db).job_id;
    db.clock().advance(TimeDelta::seconds(LEASE + 1));
    let claimed = claim_one(&db, Stage::SilenceDetection);
    assert_eq!(claimed.job.job_id, readable);
    let statuses = statuses(&db, job);
    assert!(
        statuses
            .iter()
            .all(|status| *status == StageRunStatus::Failed),
        "{statuses:?}"
    );
}
