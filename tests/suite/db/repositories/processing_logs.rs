use chrono::TimeDelta;
use lectern_domain::{
    JobId, LogEntry, LogEntryFilter, LogStatus, NewLogEntry, PageLimit, PageRequest, Stage,
};
use lectern_tests::{TestDb, a_job, a_log_entry, on_both_backends};

on_both_backends!(
    an_appended_entry_is_read_back_unchanged,
    entries_are_listed_oldest_first,
    entries_of_the_same_time_keep_their_insertion_order,
    latest_returns_the_newest_entry_of_each_stage,
    errors_returns_the_failed_entries,
    pages_hold_every_entry_once_during_appends,
    entries_are_filtered_by_stage_and_status,
);

fn append(db: &TestDb, job: JobId, stage: Stage, status: LogStatus) -> LogEntry {
    db.clock().advance(TimeDelta::seconds(1));
    db.write(|tx| {
        tx.processing_logs()
            .append(job, &a_log_entry(stage, status))
    })
    .unwrap()
}

fn summaries(entries: &[LogEntry]) -> Vec<String> {
    entries
        .iter()
        .map(|entry| format!("{} {}", entry.stage, entry.status))
        .collect()
}

/// A job whose transcription failed once and then completed.
fn failed_then_completed(db: &TestDb) -> JobId {
    let job = a_job().create(db).job_id;
    append(db, job, Stage::Transcription, LogStatus::Started);
    append(db, job, Stage::SilenceDetection, LogStatus::Started);
    append(db, job, Stage::Transcription, LogStatus::Failed);
    append(db, job, Stage::SilenceDetection, LogStatus::Completed);
    append(db, job, Stage::Transcription, LogStatus::Completed);
    job
}

fn an_appended_entry_is_read_back_unchanged(db: TestDb) {
    let job = a_job().create(&db).job_id;
    let bare = NewLogEntry::new(Stage::Uploading, LogStatus::Started);
    for new in [a_log_entry(Stage::Compilation, LogStatus::Failed), bare] {
        let entry = db
            .write(|tx| tx.processing_logs().append(job, &new))
            .unwrap();
        assert_eq!((entry.job_id, &entry.data), (job, &new));
        assert_eq!((entry.timestamp, entry.created_at), (db.now(), db.now()));
        let stored = db.read(|conn| conn.processing_logs().for_job(job)).unwrap();
        assert_eq!(stored.last(), Some(&entry));
    }
}

fn entries_are_listed_oldest_first(db: TestDb) {
    let job = failed_then_completed(&db);
    let entries = db.read(|conn| conn.processing_logs().for_job(job)).unwrap();
    assert_eq!(
        summaries(&entries),
        [
            "transcription started",
            "silence_detection started",
            "transcription failed",
            "silence_detection completed",
            "transcription completed",
        ]
    );
}

fn entries_of_the_same_time_keep_their_insertion_order(db: TestDb) {
    let job = a_job().create(&db).job_id;
    let made: Vec<_> = (0..20)
        .map(|_| {
            db.write(|tx| {
                tx.processing_logs()
                    .append(job, &a_log_entry(Stage::Complete, LogStatus::Started))
            })
        })
        .map(|entry| entry.unwrap().log_id)
        .collect();
    let listed = db.read(|conn| conn.processing_logs().for_job(job)).unwrap();
    assert_eq!(
        listed.iter().map(|entry| entry.log_id).collect::<Vec<_>>(),
        made
    );
}

fn latest_returns_the_newest_entry_of_each_stage(db: TestDb) {
    let job = failed_then_completed(&db);
    let latest = db
        .read(|conn| conn.processing_logs().latest_per_stage(job))
        .unwrap();
    assert_eq!(
        summaries(&latest),
        ["silence_detection completed", "transcription completed"]
    );
}

fn errors_returns_the_failed_entries(db: TestDb) {
    let job = failed_then_completed(&db);
    let errors = db.read(|conn| conn.processing_logs().errors(job)).unwrap();
    assert_eq!(summaries(&errors), ["transcription failed"]);
    assert_eq!(errors[0].error_details_json().unwrap()["exit_code"], 137);
}

fn pages_hold_every_entry_once_during_appends(db: TestDb) {
    let (job, other) = (failed_then_completed(&db), failed_then_completed(&db));
    let list = |after| {
        let page = PageRequest {
            limit: PageLimit::new(2).unwrap(),
            after,
        };
        db.read(|conn| {
            conn.processing_logs()
                .list(job, &LogEntryFilter::default(), page)
        })
        .unwrap()
    };
    let one = list(None);
    append(&db, job, Stage::Compilation, LogStatus::Started);
    append(&db, other, Stage::Compilation, LogStatus::Started);
    let two = list(one.next);
    let three = list(two.next);
    assert_eq!(three.next, None);
    let listed: Vec<_> = [one.items, two.items, three.items].concat();
    assert_eq!(
        listed,
        db.read(|conn| conn.processing_logs().for_job(job)).unwrap()
    );
    assert_eq!(listed.len(), 6);
}

fn entries_are_filtered_by_stage_and_status(db: TestDb) {
    let job = failed_then_completed(&db);
    let list = |filter| {
        db.read(|conn| {
            conn.processing_logs()
                .list(job, &filter, PageRequest::default())
        })
        .unwrap()
        .items
    };
    let stage = LogEntryFilter {
        stage: Some(Stage::SilenceDetection),
        status: None,
    };
    assert_eq!(
        summaries(&list(stage)),
        ["silence_detection started", "silence_detection completed"]
    );
    let both = LogEntryFilter {
        status: Some(LogStatus::Started),
        ..stage
    };
    assert_eq!(summaries(&list(both)), ["silence_detection started"]);
    let none = LogEntryFilter {
        stage: Some(Stage::Complete),
        status: None,
    };
    assert_eq!(summaries(&list(none)), [""; 0]);
}
