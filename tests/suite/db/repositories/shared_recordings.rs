//! Recordings that several jobs share, while jobs are made and deleted at once.

use std::thread;

use lectern_db::{Backend, Error, UnneededObjects};
use lectern_domain::{JobId, JsonObject, NewJob, NewJobOfSource, StorageKey};
use lectern_tests::{Fixture as _, TestDb, a_job};

use crate::db::support::worker::wait_until_blocked;

const RECORDING: &str = "recordings/lecture.mp4";

fn a_job_with_a_recording(db: &TestDb) -> JobId {
    let new = NewJob {
        original_s3_key: Some(StorageKey::new(RECORDING).unwrap()),
        ..a_job().build()
    };
    db.create_job(new).unwrap().job_id
}

fn of(source_job_id: JobId) -> NewJobOfSource {
    NewJobOfSource {
        source_job_id,
        filename: None,
        processing_config: None,
        priority: 0,
        extra_metadata: JsonObject::default(),
    }
}

/// Deletes a job while another one is being made of it, whose transaction has locked it first.
fn delete_while_another_is_made(db: &TestDb, job_id: JobId) -> (JobId, UnneededObjects) {
    thread::scope(|scope| {
        let (made, deletion) = db
            .write(|tx| {
                let made = tx.jobs().create_from_source(&of(job_id))?;
                let deletion = scope.spawn(|| db.write(|tx| tx.jobs().delete(job_id)));
                wait_until_blocked(db);
                Ok::<_, Error>((made, deletion))
            })
            .unwrap();
        (made.job_id, deletion.join().unwrap().unwrap())
    })
}

#[test]
fn a_job_made_while_its_source_is_deleted_keeps_the_recording() {
    let db = TestDb::on(Backend::Postgres);
    let source = a_job_with_a_recording(&db);
    let (made, unneeded) = delete_while_another_is_made(&db, source);
    assert_eq!(unneeded.of_jobs, [source]);
    assert_eq!(unneeded.except.as_deref(), Some(RECORDING));
    // So does one that is made of the last job which shares it.
    let (last, unneeded) = delete_while_another_is_made(&db, made);
    assert_eq!(unneeded.of_jobs, [made]);
    let unneeded = db.write(|tx| tx.jobs().delete(last)).unwrap();
    assert_eq!(unneeded.of_jobs, [last, source]);
}
