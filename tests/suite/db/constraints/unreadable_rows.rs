//! Rows that break a rule because another program wrote them before the rule
//! had its CHECK.

use lectern_db::Error;
use lectern_domain::{JobFilter, JobId, PageLimit, PageRequest};
use lectern_tests::{TestDb, a_completed_job, a_job, on_both_backends, segments};

use super::checks::insert;
use super::rules::NEW_ID;

on_both_backends!(
    an_invalid_job_is_left_out_of_lists,
    invalid_rows_of_a_job_are_left_out_of_its_lists,
    a_set_with_an_invalid_row_can_be_replaced,
);

/// The migration that gave every rule its CHECK.
const CHECKS: &str = "check_every_rule_of_the_domain";

/// Reads the list of jobs with one job per page; returns the ids and the number
/// of pages.
fn job_ids_page_by_page(db: &TestDb) -> (Vec<JobId>, usize) {
    let (mut found, mut pages) = (Vec::new(), 0);
    let mut page = PageRequest {
        limit: PageLimit::new(1).unwrap(),
        after: None,
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
            .list_with_clips(&JobFilter::default(), PageRequest::default())
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
