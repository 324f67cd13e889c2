//! Importing again after rows were added and changed in the source, and here.

use lectern_db::{Database, ImportAction, ImportMode, ImportNote, ImportSummary, TableCounts};
use lectern_domain::{
    ClaimLimit, ClaimRequest, ContentSegmentUpdate, JobStatus, JobUpdate, LeaseDuration, LogStatus,
    NewLogEntry, NewTranscriptSegment, Ratio, Stage, StageRunStatus, Stages, TimeRange, Title,
    WorkerName,
};
use lectern_tests::{Fixture as _, TestDb, on_both_backends};

use super::mapping::complete_source;
use super::source::SourceDb;
use super::{import, import_as, imported, results, with_legacy_id};
use crate::db::support::assert_rows_counted;

on_both_backends!(
    rows_that_are_new_in_the_source_are_added,
    rows_that_have_changed_in_the_source_are_changed,
    rows_that_are_gone_from_the_source_are_deleted,
    a_job_that_ends_in_the_source_ends_here,
    a_job_that_is_claimed_here_is_not_taken,
    changes_made_here_stay,
    every_kind_of_change_made_here_stays,
    a_job_that_is_deleted_here_stays_deleted,
    a_job_that_was_never_imported_stays,
    a_change_made_here_alone_is_not_reported,
    values_that_are_mapped_are_no_changes,
    rows_with_the_same_id_keep_their_new_ids,
    times_that_the_source_does_not_have_stay,
    clips_keep_their_segments,
);

fn counts(
    read: u64,
    added: u64,
    updated: u64,
    removed: u64,
    present: u64,
    not_taken: u64,
) -> TableCounts {
    TableCounts {
        read,
        added,
        updated,
        present,
        removed,
        not_taken,
        dropped: 0,
    }
}

/// Imports, and checks that a dry run before has reported the same, and that a second import
/// has nothing more to do.
#[track_caller]
fn import_again(source: &SourceDb, db: &Database) -> (ImportSummary, Vec<ImportNote>) {
    let planned = import_as(source, db, ImportMode::DryRun);
    let done = import(source, db);
    assert_eq!(planned, done);
    let (again, notes) = import(source, db);
    for (table, counts) in &again.tables {
        let changes = counts.added + counts.updated + counts.removed;
        assert_eq!(changes, 0, "{table}: {notes:?}");
        assert_eq!(counts.not_taken, done.0.tables[table].not_taken, "{table}");
    }
    done
}

/// The action, table and id of each note about a whole row.
fn rows(notes: &[ImportNote]) -> Vec<(ImportAction, &str, &str)> {
    let rows = notes.iter().filter(|note| note.column.is_none());
    rows.map(|note| (note.action, note.table, note.id.as_str()))
        .collect()
}

fn execute(source: &SourceDb, sql: &str) {
    assert_ne!(source.sql().execute(sql).unwrap(), 0, "{sql}");
}

fn rows_that_are_new_in_the_source_are_added(db: TestDb) {
    let source = complete_source(db.backend());
    import(&source, &db);
    let before = results(&db, "job_123");
    source.segment(
        "seg-2",
        "job_123",
        &[("start_time", "9"), ("end_time", "10")],
    );
    source.clip("clip-2", "job_123", &[("clip_order", "5")]);
    source.insert(
        "processing_logs",
        &[
            ("log_id", "'p2'"),
            ("job_id", "'job_123'"),
            ("stage", "'compilation'"),
            ("status", "'started'"),
        ],
    );
    let (summary, notes) = import_again(&source, &db);
    assert_rows_counted(&db);
    assert_eq!(
        rows(&notes),
        [
            (ImportAction::Added, "transcripts", "seg-2"),
            (ImportAction::Added, "clips", "clip-2"),
            (ImportAction::Added, "processing_logs", "p2"),
        ]
    );
    assert_eq!(summary.tables["jobs"], counts(1, 0, 0, 0, 1, 0));
    assert_eq!(summary.tables["transcripts"], counts(3, 1, 0, 0, 2, 0));
    assert_eq!(summary.tables["clips"], counts(2, 1, 0, 0, 1, 0));
    let after = results(&db, "job_123");
    assert_eq!(after.transcript[..2], before.transcript[..]);
    assert_eq!(after.transcript.len(), 3);
    assert_eq!(after.clips[0], before.clips[0]);
    assert_eq!(after.clips.len(), 2);
    // Those who watch the job are told of the change.
    assert_eq!(after.job.version, before.job.version + 1);
    let events = db.read(|conn| conn.job_events().after(after.job.job_id, 0, 10));
    assert_eq!(events.unwrap().len(), 2);
}

fn rows_that_have_changed_in_the_source_are_changed(db: TestDb) {
    let source = complete_source(db.backend());
    import(&source, &db);
    let job_id = imported(&db, "job_123").job_id;
    for change in [
        "UPDATE jobs SET filename = 'other.mp4', updated_at = '2025-04-01 00:00:00'",
        "UPDATE transcripts SET text = 'Goodbye.' WHERE segment_id = 'seg-1'",
        "UPDATE silence_regions SET end_time = 8",
        "UPDATE layout_analysis SET layout_type = 'screen_only'",
        "UPDATE content_segments SET topic = 'Trees'",
        "UPDATE clips SET title = 'Trees'",
        "UPDATE processing_logs SET message = 'done'",
    ] {
        execute(&source, change);
    }
    let (summary, notes) = import_again(&source, &db);
    assert_rows_counted(&db);
    assert_eq!(
        rows(&notes),
        [
            (ImportAction::Updated, "jobs", "job_123"),
            (ImportAction::Updated, "transcripts", "seg-1"),
            (ImportAction::Updated, "silence_regions", "r1"),
            (ImportAction::Updated, "layout_analysis", "l1"),
            (ImportAction::Updated, "content_segments", "c1"),
            (ImportAction::Updated, "clips", "clip-1"),
            (ImportAction::Updated, "processing_logs", "p1"),
        ]
    );
    assert_eq!(summary.tables["transcripts"], counts(2, 0, 1, 0, 1, 0));
    // Everything is as after an import of the same source into another database, except for
    // the times at which rows were stored.
    let other = TestDb::on(db.backend());
    import(&source, &other);
    let read = |db: &Database| {
        let results = results(db, "job_123");
        let silences = db.read(|conn| conn.silence_regions().for_job(job_id));
        let layout = db.read(|conn| conn.layout_analysis().find_for_job(job_id));
        let segments = db.read(|conn| conn.content_segments().for_job(job_id));
        let logs = db.read(|conn| conn.processing_logs().for_job(job_id));
        let transcript = results.transcript.into_iter();
        let clips = results.clips.into_iter();
        let segments = segments.unwrap().into_iter();
        (
            (results.job.filename, results.job.updated_at),
            transcript
                .map(|row| (row.segment_id, row.data))
                .collect::<Vec<_>>(),
            silences.unwrap()[0].data.clone(),
            layout.unwrap().unwrap().data,
            segments
                .map(|row| (row.segment_id, row.data))
                .collect::<Vec<_>>(),
            clips.map(|row| (row.clip_id, row.data)).collect::<Vec<_>>(),
            logs.unwrap()[0].data.clone(),
        )
    };
    assert_eq!(read(&db), read(&other));
}

fn rows_that_are_gone_from_the_source_are_deleted(db: TestDb) {
    let source = complete_source(db.backend());
    source.job("gone", &[]);
    import(&source, &db);
    execute(
        &source,
        "DELETE FROM transcripts WHERE segment_id = 'seg-0'",
    );
    execute(&source, "DELETE FROM content_segments");
    execute(&source, "DELETE FROM jobs WHERE job_id = 'gone'");
    let (summary, notes) = import_again(&source, &db);
    assert_rows_counted(&db);
    let removed = rows(&notes);
    let removed: Vec<_> = removed
        .iter()
        .filter(|(action, ..)| *action == ImportAction::Removed)
        .map(|(_, table, _)| *table)
        .collect();
    assert_eq!(removed, ["transcripts", "content_segments"]);
    assert_eq!(summary.tables["transcripts"], counts(1, 0, 0, 1, 1, 0));
    let results = results(&db, "job_123");
    assert_eq!(results.transcript.len(), 1);
    assert_eq!(results.clips[0].content_segment_id, None);
    // A job is only ever deleted by a person.
    imported(&db, "gone");
}

fn a_job_that_ends_in_the_source_ends_here(db: TestDb) {
    let source = SourceDb::on(db.backend());
    source.job("j", &[("status", "'queued'"), ("completed_at", "NULL")]);
    source.job("k", &[("status", "'queued'"), ("completed_at", "NULL")]);
    import(&source, &db);
    execute(&source, "UPDATE jobs SET status = 'running'");
    import_again(&source, &db);
    assert_eq!(imported(&db, "j").status, JobStatus::Cancelled);
    execute(
        &source,
        "UPDATE jobs SET status = 'completed', completed_at = '2025-03-02 00:00:00' WHERE job_id = 'j'",
    );
    execute(
        &source,
        "UPDATE jobs SET status = 'queued' WHERE job_id = 'k'",
    );
    source.clip("c", "j", &[]);
    import_again(&source, &db);
    let done = results(&db, "j");
    assert_eq!(done.job.status, JobStatus::Completed);
    assert_eq!(done.clips.len(), 1);
    let runs = |job_id| db.read(|conn| conn.stage_runs().for_job(job_id)).unwrap();
    assert_eq!(runs(done.job.job_id), []);
    let queued = imported(&db, "k");
    assert_eq!(queued.status, JobStatus::Queued);
    let runs = runs(queued.job_id);
    assert!(runs.iter().any(|run| run.status == StageRunStatus::Ready));
    let metrics = db.read(|conn| conn.jobs().metrics()).unwrap();
    assert_eq!(metrics.by_status[&JobStatus::Completed], 1);
    assert_eq!(metrics.by_status[&JobStatus::Queued], 1);
    assert_eq!(
        metrics
            .by_status
            .get(&JobStatus::Cancelled)
            .copied()
            .unwrap_or(0),
        0
    );
}

fn a_job_that_is_claimed_here_is_not_taken(db: TestDb) {
    let source = SourceDb::on(db.backend());
    source.job("j", &[("status", "'queued'"), ("completed_at", "NULL")]);
    import(&source, &db);
    let request = ClaimRequest {
        worker: WorkerName::new("w").unwrap(),
        stages: Stages::new(vec![Stage::Transcription]).unwrap(),
        max: ClaimLimit::default(),
        lease: LeaseDuration::default(),
    };
    let claim = db.claim(&request).unwrap().remove(0);
    // The old system has done the same work.
    execute(&source, "UPDATE jobs SET status = 'completed'");
    source.segment("s", "j", &[]);
    let (_, notes) = import_again(&source, &db);
    assert_eq!(
        rows(&notes),
        [
            (ImportAction::NotTaken, "jobs", "j"),
            (ImportAction::NotTaken, "transcripts", "s"),
        ]
    );
    assert_eq!(imported(&db, "j").status, JobStatus::Running);
    db.write(|tx| tx.work().complete(claim.lease_id)).unwrap();
}

fn changes_made_here_stay(db: TestDb) {
    let source = complete_source(db.backend());
    import(&source, &db);
    let job_id = imported(&db, "job_123").job_id;
    let clip_id = results(&db, "job_123").clips[0].clip_id;
    let title = lectern_domain::ClipUpdate {
        title: Some(Title::new("Better").unwrap()),
        ..lectern_domain::ClipUpdate::default()
    };
    db.write(|tx| tx.clips().update(job_id, clip_id, &title))
        .unwrap();
    let before = results(&db, "job_123");
    execute(&source, "UPDATE clips SET title = 'Worse'");
    source.segment("seg-2", "job_123", &[]);
    source.job("new", &[]);
    let (summary, notes) = import_again(&source, &db);
    assert_eq!(
        rows(&notes),
        [
            (ImportAction::NotTaken, "transcripts", "seg-2"),
            (ImportAction::NotTaken, "clips", "clip-1"),
        ]
    );
    assert_eq!(
        notes[0].reason,
        "the job was imported before, and changed here since"
    );
    assert_eq!(summary.tables["jobs"], counts(2, 1, 0, 0, 1, 0));
    assert_eq!(summary.tables["transcripts"], counts(3, 0, 0, 0, 2, 1));
    assert_eq!(results(&db, "job_123"), before);
}

fn every_kind_of_change_made_here_stays(db: TestDb) {
    type Change = fn(&Database, lectern_domain::JobId);
    let changes: [(&str, Change); 7] = [
        ("job", |db, job_id| {
            let update = JobUpdate {
                priority: Some(3),
                ..JobUpdate::default()
            };
            db.write(|tx| tx.jobs().update(job_id, &update, None))
                .unwrap();
        }),
        ("added segment", |db, job_id| {
            let segment = NewTranscriptSegment::new("More.", TimeRange::new(7.0, 8.0).unwrap());
            let segments = [segment.unwrap()];
            db.write(|tx| tx.transcripts().append(job_id, &segments))
                .unwrap();
        }),
        ("deleted segments", |db, job_id| {
            db.write(|tx| tx.transcripts().replace_for_job(job_id, &[]))
                .unwrap();
        }),
        ("silences", |db, job_id| {
            db.write(|tx| tx.silence_regions().replace_for_job(job_id, &[]))
                .unwrap();
        }),
        ("content segment", |db, job_id| {
            let segment = db
                .read(|conn| conn.content_segments().for_job(job_id))
                .unwrap();
            let update = ContentSegmentUpdate {
                importance_score: Some(Ratio::new(0.25).unwrap()),
                ..ContentSegmentUpdate::default()
            };
            let id = segment[0].segment_id;
            db.write(|tx| tx.content_segments().update(job_id, id, &update))
                .unwrap();
        }),
        ("clips", |db, job_id| {
            db.write(|tx| tx.clips().replace_for_job(job_id, &[]))
                .unwrap();
        }),
        ("log", |db, job_id| {
            let entry = NewLogEntry::new(Stage::Complete, LogStatus::Completed);
            db.write(|tx| tx.processing_logs().append(job_id, &entry))
                .unwrap();
        }),
    ];
    for (name, change) in changes {
        let db = TestDb::on(db.backend());
        let source = complete_source(db.backend());
        import(&source, &db);
        let job_id = imported(&db, "job_123").job_id;
        change(&db, job_id);
        let before = results(&db, "job_123");
        execute(&source, "UPDATE jobs SET filename = 'other.mp4'");
        let (summary, _) = import_again(&source, &db);
        assert_eq!(summary.tables["jobs"].not_taken, 1, "{name}");
        assert_eq!(results(&db, "job_123"), before, "{name}");
    }
}

fn a_job_that_is_deleted_here_stays_deleted(db: TestDb) {
    let source = complete_source(db.backend());
    import(&source, &db);
    let job_id = imported(&db, "job_123").job_id;
    db.write(|tx| tx.jobs().delete(job_id)).unwrap();
    for deleted in [2, 3] {
        let (summary, notes) = import_again(&source, &db);
        assert_eq!(rows(&notes), [(ImportAction::NotTaken, "jobs", "job_123")]);
        assert_eq!(
            summary.tables["transcripts"],
            counts(deleted, 0, 0, 0, 0, deleted)
        );
        assert_eq!(with_legacy_id(&db, "job_123"), []);
        source.segment("seg-2", "job_123", &[]);
    }
}

fn a_job_that_was_never_imported_stays(db: TestDb) {
    let created = lectern_tests::a_job().create(&db);
    let source = SourceDb::on(db.backend());
    source.job(&created.job_id.to_string(), &[]);
    let (summary, notes) = import_again(&source, &db);
    assert_eq!(summary.tables["jobs"], counts(1, 0, 0, 0, 0, 1));
    assert_eq!(
        notes[0].reason,
        "a job that was not imported has this id here"
    );
    let stored = db.read(|conn| conn.jobs().find(created.job_id)).unwrap();
    assert_eq!(stored, Some(created));
}

fn a_change_made_here_alone_is_not_reported(db: TestDb) {
    let source = complete_source(db.backend());
    import(&source, &db);
    let job_id = imported(&db, "job_123").job_id;
    db.write(|tx| tx.clips().replace_for_job(job_id, &[]))
        .unwrap();
    let (summary, notes) = import_again(&source, &db);
    assert_eq!(notes, []);
    assert_eq!(summary.tables["clips"], counts(1, 0, 0, 0, 1, 0));
    assert_eq!(results(&db, "job_123").clips, []);
}

/// What is stored is compared with what was stored, not with the values of the source.
fn values_that_are_mapped_are_no_changes(db: TestDb) {
    let source = SourceDb::on(db.backend());
    let long = format!("'{}'", "ä".repeat(300));
    source.job(
        "j",
        &[
            ("extra_metadata", r#"'{"a": 1e16, "b": -0.0, "c": 1.50}'"#),
            ("filename", &long),
            ("status", "'archived'"),
        ],
    );
    source.segment("s", "j", &[("start_time", "0.1"), ("confidence", "7")]);
    for (id, order) in [("a", "7"), ("b", "7")] {
        let metadata = r#"'{"z": 1e-7, "y": [1e16, "\u00e4"], "x": {"b": 1.0, "a": null}}'"#;
        source.clip(
            id,
            "j",
            &[("clip_order", order), ("extra_metadata", metadata)],
        );
    }
    source.insert(
        "processing_logs",
        &[
            ("log_id", "'p'"),
            ("job_id", "'j'"),
            ("stage", "'ocr'"),
            ("error_details", "'[1e16]'"),
        ],
    );
    import(&source, &db);
    source.segment("t", "j", &[("start_time", "3"), ("end_time", "4")]);
    let (summary, notes) = import_again(&source, &db);
    assert_eq!(rows(&notes), [(ImportAction::Added, "transcripts", "t")]);
    assert_eq!(summary.tables["clips"], counts(2, 0, 0, 0, 2, 0));
}

fn rows_with_the_same_id_keep_their_new_ids(db: TestDb) {
    let source = SourceDb::on(db.backend());
    for job in ["a", "b"] {
        source.job(job, &[]);
        source.segment("same", job, &[]);
    }
    import(&source, &db);
    let ids = || ["a", "b"].map(|job| results(&db, job).transcript[0].segment_id);
    let before = ids();
    assert_ne!(before[0], before[1]);
    for job in ["b", "a"] {
        execute(
            &source,
            &format!("UPDATE jobs SET filename = 'other.mp4' WHERE job_id = '{job}'"),
        );
        let (summary, _) = import_again(&source, &db);
        assert_eq!(summary.tables["jobs"], counts(2, 0, 1, 0, 1, 0));
        assert_eq!(summary.tables["transcripts"], counts(2, 0, 0, 0, 2, 0));
        assert_eq!(ids(), before);
    }
}

fn times_that_the_source_does_not_have_stay(db: TestDb) {
    let source = SourceDb::on(db.backend());
    let no_times = [
        ("created_at", "NULL"),
        ("updated_at", "NULL"),
        ("completed_at", "NULL"),
    ];
    source.job("j", &no_times);
    import(&source, &db);
    let before = imported(&db, "j");
    source.segment("s", "j", &[]);
    let (summary, _) = import_again(&source, &db);
    assert_eq!(summary.tables["jobs"].updated, 0);
    assert_eq!(imported(&db, "j").created_at, before.created_at);
    assert_eq!(results(&db, "j").transcript.len(), 1);
}

/// A content segment is stored again when it changes, which takes it from its clips.
fn clips_keep_their_segments(db: TestDb) {
    let source = complete_source(db.backend());
    import(&source, &db);
    let before = results(&db, "job_123").clips;
    assert!(before[0].content_segment_id.is_some());
    execute(&source, "UPDATE content_segments SET topic = 'Trees'");
    let (_, notes) = import_again(&source, &db);
    assert_eq!(
        rows(&notes),
        [(ImportAction::Updated, "content_segments", "c1")]
    );
    assert_eq!(results(&db, "job_123").clips, before);
}
