use chrono::TimeDelta;
use lectern_db::{Error, Tx};
use lectern_domain::{Job, JobStatus, JobUpdate, LongText, Patch, Stage, Transition};
use lectern_tests::{Backend, Fixture, TestDb, a_job, a_report, on_both_backends};

use crate::db::constraints::checks::insert;
use crate::db::support::stored;
use crate::db::support::worker::wait_until;

on_both_backends!(
    only_allowed_transitions_change_a_job,
    a_transition_has_the_requirement_stated_in_the_domain,
    an_update_with_an_illegal_status_changes_nothing,
    completing_a_job_sets_its_progress_to_100_percent,
    a_retry_clears_error_progress_and_completion_time,
    of_concurrent_starts_of_a_job_one_succeeds,
);

fn only_allowed_transitions_change_a_job(db: TestDb) {
    for from in JobStatus::ALL {
        for to in JobStatus::ALL {
            let job = a_job().status(*from).create(&db);
            assert_eq!(job.status, *from);
            db.clock().advance(TimeDelta::seconds(1));
            match db.write(|tx| tx.jobs().transition(job.job_id, *to)) {
                Ok(after) => {
                    assert!(from.can_become(*to), "{from} became {to}");
                    assert_eq!((after.status, after.version), (*to, job.version + 1));
                    assert_eq!(after.completed_at.is_some(), *to == JobStatus::Completed);
                    assert_eq!(stored(&db, job.job_id), after);
                }
                Err(Error::IllegalTransition {
                    job_id,
                    from: was,
                    to: asked,
                }) => {
                    assert!(!from.can_become(*to), "{from} did not become {to}");
                    assert_eq!((job_id, was, asked), (job.job_id, *from, *to));
                    assert_eq!(stored(&db, job.job_id), job);
                }
                other => panic!("{from} to {to}: {other:?}"),
            }
        }
    }
}

/// SQL and the domain agree for every stage of a job, with and without stage
/// runs.
fn a_transition_has_the_requirement_stated_in_the_domain(db: TestDb) {
    let stages = [None, Some(Stage::Uploading), Some(Stage::Transcription)];
    let mut sql = db.sql();
    for transition in JobStatus::ALL.iter().flat_map(|to| Transition::all_to(*to)) {
        for (stage, has_runs) in stages.into_iter().flat_map(|s| [(s, false), (s, true)]) {
            let job = a_job().status(transition.from).create(&db).job_id;
            let stage_sql = stage.map_or("NULL".to_owned(), |stage| format!("'{stage}'"));
            sql.execute(&format!(
                "UPDATE jobs SET current_stage = {stage_sql} WHERE job_id = '{job}'"
            ))
            .unwrap();
            sql.execute(&format!("DELETE FROM stage_runs WHERE job_id = '{job}'"))
                .unwrap();
            if has_runs {
                let run = [("job_id", &*format!("'{job}'"))];
                insert(&mut sql, "stage_runs", &run).unwrap();
            }
            let is_met = transition
                .requires
                .is_none_or(|requirement| requirement.is_met(stage, has_runs));
            let changed = db.write(|tx| tx.jobs().transition(job, transition.to));
            assert_eq!(
                changed.is_ok(),
                is_met,
                "{transition:?}, {stage:?}, {has_runs}: {changed:?}"
            );
            db.write(|tx| tx.jobs().delete(job)).unwrap();
        }
    }
}

fn an_update_with_an_illegal_status_changes_nothing(db: TestDb) {
    let job = a_job().status(JobStatus::Completed).create(&db);
    let update = JobUpdate {
        status: Some(JobStatus::Running),
        error_message: Patch::Set(LongText::new("again").unwrap()),
        ..JobUpdate::default()
    };
    let refused = db.write(|tx| tx.jobs().update(job.job_id, &update, None));
    assert!(
        matches!(refused, Err(Error::IllegalTransition { .. })),
        "{refused:?}"
    );
    assert_eq!(stored(&db, job.job_id), job);
}

fn completing_a_job_sets_its_progress_to_100_percent(db: TestDb) {
    let job = a_job().create(&db);
    db.write(|tx| {
        tx.jobs()
            .report_progress(job.job_id, &a_report(Stage::Compilation, 80.0))
    })
    .unwrap();
    db.clock().advance(TimeDelta::minutes(90));
    let done = db
        .write(|tx| tx.jobs().transition(job.job_id, JobStatus::Completed))
        .unwrap();
    assert_eq!(done.completed_at, Some(db.now()));
    assert_eq!(done.updated_at, db.now());
    let progress = done.progress.unwrap();
    assert_eq!(
        (progress.stage, progress.percent.get()),
        (Stage::Complete, 100.0)
    );
}

fn a_retry_clears_error_progress_and_completion_time(db: TestDb) {
    let fail = |tx: &mut Tx<'_>, job: &Job| {
        tx.jobs()
            .report_progress(job.job_id, &a_report(Stage::Transcription, 40.0))?;
        let update = JobUpdate {
            status: Some(JobStatus::Failed),
            error_message: Patch::Set(LongText::new("out of memory").unwrap()),
            ..JobUpdate::default()
        };
        tx.jobs().update(job.job_id, &update, None)
    };
    let job = a_job().create(&db);
    let failed = db.write(|tx| fail(tx, &job)).unwrap();
    assert_eq!(failed.error_message.unwrap().as_str(), "out of memory");
    let again = db
        .write(|tx| tx.jobs().transition(job.job_id, JobStatus::Queued))
        .unwrap();
    assert_eq!(
        (again.status, again.version),
        (JobStatus::Queued, job.version + 3)
    );
    assert_eq!(
        (again.error_message, again.progress, again.completed_at),
        (None, None, None)
    );
}

fn of_concurrent_starts_of_a_job_one_succeeds(db: TestDb) {
    let job = a_job().create(&db);
    let started = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| db.write(|tx| tx.jobs().transition(job.job_id, JobStatus::Running)))
            })
            .collect();
        tries
            .into_iter()
            .filter_map(|attempt| attempt.join().unwrap().ok())
            .count()
    });
    assert_eq!(started, 1);
    assert_eq!(stored(&db, job.job_id).version, 2);
}

/// After an UPDATE that matches no row, the row is read to find the reason. Here
/// another transaction changes the row in between, so that the UPDATE succeeds
/// when it is repeated.
#[test]
fn an_update_is_retried_if_its_row_changed_after_it_matched_none() {
    let db = TestDb::on(Backend::Postgres);
    let job = a_job().status(JobStatus::Pending).create(&db).job_id;
    let statements = db.record_statements();
    std::thread::scope(|scope| {
        let blocked = statements.block("FOR NO KEY UPDATE");
        let started = scope.spawn(|| {
            let update = JobUpdate {
                status: Some(JobStatus::Running),
                ..JobUpdate::default()
            };
            db.write(|tx| tx.jobs().update(job, &update, None))
        });
        wait_until(|| statements.count("FOR NO KEY UPDATE") > 0);
        db.write(|tx| tx.jobs().confirm(job)).unwrap();
        drop(blocked);
        let started = started.join().unwrap().unwrap();
        assert_eq!(started.status, JobStatus::Running);
    });
}
