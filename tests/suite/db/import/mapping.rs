//! What becomes of valid rows.

use lectern_db::{Error, ImportAction, ImportMode};
use lectern_domain::{
    JobStatus, JobUpdate, LogStatus, Patch, Percent, Ratio, SilenceType, Stage, StageRunStatus,
};
use lectern_tests::{Backend, Fixture as _, TestDb, on_both_backends};
use serde_json::json;

use super::source::SourceDb;
use super::{import, import_as, imported, of, results, with_legacy_id};

on_both_backends!(
    a_completed_job_has_its_results_and_times,
    a_second_import_changes_nothing_and_adds_new_jobs,
    statuses_are_mapped,
    stages_are_mapped,
    long_texts_are_cut,
    duplicate_orders_are_renumbered,
    ids_that_are_uuids_stay,
    a_queued_job_is_ready_for_workers,
    a_running_job_can_be_retried,
    a_dry_run_writes_nothing,
    the_source_may_be_of_another_kind,
    settings_of_unknown_pipelines_are_renamed,
    many_jobs_are_imported_in_several_transactions,
);

/// A job with a row in each table.
pub(super) fn complete_source(backend: Backend) -> SourceDb {
    let source = SourceDb::on(backend);
    source.job("job_123", &[("extra_metadata", r#"'{"course": "CS 1"}'"#)]);
    source.segment(
        "seg-1",
        "job_123",
        &[("confidence", "0.75"), ("speaker_id", "'A'")],
    );
    source.segment(
        "seg-0",
        "job_123",
        &[("start_time", "0"), ("end_time", "0.1")],
    );
    source.insert(
        "silence_regions",
        &[
            ("region_id", "'r1'"),
            ("job_id", "'job_123'"),
            ("start_time", "5"),
            ("end_time", "7.5"),
            ("duration", "2.5"),
            ("silence_type", "'BLANK_SCREEN'"),
            ("amplitude_threshold", "-40"),
        ],
    );
    source.insert(
        "layout_analysis",
        &[
            ("layout_id", "'l1'"),
            ("job_id", "'job_123'"),
            ("layout_type", "'side_by_side'"),
            (
                "screen_region",
                r#"'{"x": 0, "y": 0, "width": 1280, "height": 720}'"#,
            ),
            ("split_ratio", "0.7"),
            ("confidence_score", "0.9"),
        ],
    );
    source.insert(
        "content_segments",
        &[
            ("segment_id", "'c1'"),
            ("job_id", "'job_123'"),
            ("start_time", "0"),
            ("end_time", "60"),
            ("topic", "'Graphs'"),
            ("importance_score", "0.8"),
            ("keywords", r#"'["edge", "node"]'"#),
            ("segment_order", "3"),
        ],
    );
    source.clip(
        "clip-1",
        "job_123",
        &[
            ("content_segment_id", "'c1'"),
            ("s3_key", "'clips/1.mp4'"),
            ("clip_order", "4"),
        ],
    );
    source.insert(
        "processing_logs",
        &[
            ("log_id", "'p1'"),
            ("job_id", "'job_123'"),
            ("stage", "'transcription'"),
            ("status", "'completed'"),
            ("duration_seconds", "12.5"),
            ("timestamp", "'2025-03-01 10:30:00'"),
        ],
    );
    source
}

fn a_completed_job_has_its_results_and_times(db: TestDb) {
    let source = complete_source(db.backend());
    let (summary, notes) = import(&source, &db);
    assert_eq!(notes, []);
    assert_eq!(summary.unknown_columns, ["jobs.owner"]);
    assert!(
        summary
            .tables
            .values()
            .all(|counts| counts.read == counts.added),
        "{summary:?}"
    );

    let results = results(&db, "job_123");
    let job = &results.job;
    // uuid.uuid5 of the namespace and "jobs:job_123".
    assert_eq!(job.job_id.as_uuid().get_version_num(), 5);
    assert_eq!(job.status, JobStatus::Completed);
    assert_eq!(
        job.created_at.to_rfc3339(),
        "2025-03-01T10:00:00.123456+00:00"
    );
    assert_eq!(job.updated_at.to_rfc3339(), "2025-03-01T11:00:00+00:00");
    assert_eq!(
        job.completed_at.unwrap().to_rfc3339(),
        "2025-03-01T10:59:00+00:00"
    );
    assert_eq!(job.progress.as_ref().unwrap().stage, Stage::Complete);
    let metadata = json!({"course": "CS 1", "legacy_id": "job_123"});
    assert_eq!(job.extra_metadata.clone().into_value(), metadata);
    let texts: Vec<_> = results.transcript.iter().map(|s| s.time.start()).collect();
    assert_eq!(texts, [0.0, 0.1]);
    assert_eq!(
        results.transcript[1].confidence,
        Some(Ratio::new(0.75).unwrap())
    );
    assert_eq!(
        results.clips[0].media.s3_key.as_deref(),
        Some("clips/1.mp4")
    );
    assert_eq!(results.clips[0].clip_order.get(), 4);

    let job_id = job.job_id;
    db.read(|conn| {
        let segments = conn.content_segments().for_job(job_id)?;
        assert_eq!(
            results.clips[0].content_segment_id,
            Some(segments[0].segment_id)
        );
        assert_eq!(segments[0].segment_order.get(), 3);
        let silences = conn.silence_regions().for_job(job_id)?;
        assert_eq!(silences[0].silence_type, SilenceType::BlankScreen);
        let layout = conn.layout_analysis().find_for_job(job_id)?.unwrap();
        assert_eq!(layout.screen_region.unwrap().width.get(), 1280);
        let logs = conn.processing_logs().for_job(job_id)?;
        assert_eq!(logs[0].status, LogStatus::Completed);
        assert_eq!(logs[0].timestamp.to_rfc3339(), "2025-03-01T10:30:00+00:00");
        assert_eq!(conn.job_events().after(job_id, 0, 10)?.len(), 1);
        assert_eq!(conn.stage_runs().for_job(job_id)?, []);
        let metrics = conn.jobs().metrics()?;
        assert_eq!(metrics.bytes_stored, 1000);
        Ok::<_, Error>(())
    })
    .unwrap();
}

fn a_second_import_changes_nothing_and_adds_new_jobs(db: TestDb) {
    let source = complete_source(db.backend());
    import(&source, &db);
    let job_id = imported(&db, "job_123").job_id;
    let update = JobUpdate {
        filename: Some("renamed.mp4".to_owned().try_into().unwrap()),
        celery_task_id: Patch::Clear,
        ..JobUpdate::default()
    };
    let changed = db
        .write(|tx| tx.jobs().update(job_id, &update, None))
        .unwrap();
    source.job("job_124", &[]);
    source.segment("seg-9", "job_124", &[]);

    let (summary, notes) = import(&source, &db);
    assert_eq!(notes, []);
    let counts = summary.tables["jobs"];
    assert_eq!((counts.read, counts.added, counts.present), (2, 1, 1));
    let counts = summary.tables["transcripts"];
    assert_eq!((counts.read, counts.added, counts.present), (3, 1, 2));
    assert_eq!(imported(&db, "job_123"), changed);
    assert_eq!(results(&db, "job_123").transcript.len(), 2);
    assert_eq!(results(&db, "job_124").transcript.len(), 1);
}

fn statuses_are_mapped(db: TestDb) {
    let source = SourceDb::on(db.backend());
    let statuses = [
        ("completed", JobStatus::Completed, false),
        ("COMPLETED", JobStatus::Completed, false),
        ("JobStatus.FAILED", JobStatus::Failed, false),
        ("done", JobStatus::Completed, true),
        ("running", JobStatus::Cancelled, true),
        ("processing", JobStatus::Cancelled, true),
        ("queued", JobStatus::Queued, false),
        ("pending", JobStatus::Pending, false),
        ("canceled", JobStatus::Cancelled, true),
        ("on hold", JobStatus::Cancelled, true),
    ];
    for (status, ..) in statuses {
        let completed_at = if status.to_lowercase() == "completed" || status == "done" {
            "'2025-03-01 10:59:00'"
        } else {
            "NULL"
        };
        source.job(
            status,
            &[
                ("status", &format!("'{status}'")),
                ("completed_at", completed_at),
            ],
        );
    }
    let (_, notes) = import(&source, &db);
    let mut counts = [0; JobStatus::ALL.len()];
    for (status, expected, is_noted) in statuses {
        let job = imported(&db, status);
        assert_eq!(job.status, expected, "{status}");
        assert_eq!(
            notes.iter().any(|note| note.id == status),
            is_noted,
            "{status}: {notes:?}"
        );
        let all = JobStatus::ALL.iter();
        counts[all.clone().position(|other| *other == expected).unwrap()] += 1;
    }
    let on_hold = imported(&db, "on hold").extra_metadata;
    assert_eq!(on_hold.get()["legacy_status"], "on hold");
    let metrics = db.read(|conn| conn.jobs().metrics()).unwrap();
    for (status, count) in JobStatus::ALL.iter().zip(counts) {
        assert_eq!(
            metrics.by_status.get(status).copied().unwrap_or(0),
            count,
            "{status}"
        );
    }
}

fn stages_are_mapped(db: TestDb) {
    let source = SourceDb::on(db.backend());
    let failed = |stage| {
        [
            ("status", "'failed'"),
            ("completed_at", "NULL"),
            ("current_stage", stage),
            ("progress_percent", "140"),
        ]
    };
    source.job("known", &failed("'TRANSCRIPTION'"));
    source.job("other", &failed("'transcribing'"));
    source.job("unknown", &failed("'ocr'"));
    source.insert(
        "processing_logs",
        &[
            ("log_id", "'x'"),
            ("job_id", "'unknown'"),
            ("stage", "'ocr'"),
            ("message", "'hm'"),
        ],
    );
    let (_, notes) = import(&source, &db);
    for id in ["known", "other"] {
        let progress = imported(&db, id).progress.unwrap();
        assert_eq!(progress.stage, Stage::Transcription, "{id}");
        assert_eq!(progress.progress.percent, Percent::new(100.0).unwrap());
    }
    let unknown = imported(&db, "unknown");
    assert_eq!(unknown.progress, None);
    assert_eq!(unknown.extra_metadata.get()["legacy_stage"], "ocr");
    let logs = db
        .read(|conn| conn.processing_logs().for_job(unknown.job_id))
        .unwrap();
    assert_eq!(logs[0].message.as_deref(), Some("[stage ocr] hm"));
    let columns: Vec<_> = of(&notes, "jobs", ImportAction::Changed)
        .into_iter()
        .filter(|(_, column, _)| *column == "current_stage")
        .map(|(id, ..)| id)
        .collect();
    assert_eq!(columns, ["other", "unknown"]);
}

fn long_texts_are_cut(db: TestDb) {
    let source = SourceDb::on(db.backend());
    let long = format!("'{}'", "ä".repeat(300));
    let long_key = format!("'{}'", "k".repeat(501));
    source.job("j", &[("filename", &long), ("original_s3_key", &long_key)]);
    source.clip("c", "j", &[("title", &long), ("topic", &long)]);
    source.clip("d", "j", &[("title", "''"), ("clip_order", "1")]);
    let (summary, notes) = import(&source, &db);
    let results = results(&db, "j");
    assert_eq!(results.job.filename.as_str(), "ä".repeat(255));
    assert_eq!(results.job.original_s3_key, None);
    assert_eq!(results.clips[0].title.as_str(), "ä".repeat(200));
    assert_eq!(results.clips[1].title.as_str(), "Untitled");
    let cut = ("clips", "title", ImportAction::Changed, "too long: cut");
    assert_eq!(summary.reasons[&cut], 1);
    assert_eq!(notes.len(), 5, "{notes:?}");
}

fn duplicate_orders_are_renumbered(db: TestDb) {
    let source = SourceDb::on(db.backend());
    source.job("j", &[]);
    for (id, order) in [("a", "7"), ("b", "2"), ("c", "7"), ("d", "9")] {
        source.clip(
            id,
            "j",
            &[("clip_order", order), ("title", &format!("'{id}'"))],
        );
    }
    let (_, notes) = import(&source, &db);
    let clips = results(&db, "j").clips;
    let titles: Vec<_> = clips.iter().map(|clip| clip.title.as_str()).collect();
    assert_eq!(titles, ["b", "a", "c", "d"]);
    let orders: Vec<_> = clips.iter().map(|clip| clip.clip_order.get()).collect();
    assert_eq!(orders, [0, 1, 2, 3]);
    assert_eq!(
        of(&notes, "clips", ImportAction::Changed).len(),
        1,
        "{notes:?}"
    );
}

fn ids_that_are_uuids_stay(db: TestDb) {
    let source = SourceDb::on(db.backend());
    let id = "0190f3a1-7c3e-7aaa-8bbb-123456789abc";
    source.job(id, &[]);
    // The same UUID in another spelling is another job.
    source.job(&id.to_uppercase(), &[]);
    // As SQLAlchemy stores a UUID on SQLite.
    let other = "0190f3a1-7c3e-7aaa-8bbb-0123456789ab";
    source.job(&other.replace('-', ""), &[]);
    for _ in 0..2 {
        import(&source, &db);
        assert_eq!(
            db.read(|conn| conn.jobs().count(&lectern_domain::JobFilter::default()))
                .unwrap(),
            3
        );
    }
    // Upper case sorts first, so it has the id.
    assert_eq!(imported(&db, &id.to_uppercase()).job_id.to_string(), id);
    assert_eq!(imported(&db, id).job_id.as_uuid().get_version_num(), 5);
    assert_eq!(
        imported(&db, &other.replace('-', "")).job_id.to_string(),
        other
    );
}

fn a_queued_job_is_ready_for_workers(db: TestDb) {
    let source = SourceDb::on(db.backend());
    source.job("j", &[("status", "'queued'"), ("completed_at", "NULL")]);
    import(&source, &db);
    let job = imported(&db, "j");
    let runs = db
        .read(|conn| conn.stage_runs().for_job(job.job_id))
        .unwrap();
    assert!(
        runs.iter().any(|run| run.status == StageRunStatus::Ready),
        "{runs:?}"
    );
}

fn a_running_job_can_be_retried(db: TestDb) {
    let source = SourceDb::on(db.backend());
    let running = [
        ("status", "'running'"),
        ("completed_at", "NULL"),
        ("current_stage", "'segmentation'"),
    ];
    source.job("j", &running);
    import(&source, &db);
    let job_id = imported(&db, "j").job_id;
    let job = db.write(|tx| tx.jobs().retry(job_id)).unwrap();
    assert_eq!(job.status, JobStatus::Queued);
}

fn a_dry_run_writes_nothing(db: TestDb) {
    let source = complete_source(db.backend());
    let (planned, _) = import_as(&source, &db, ImportMode::DryRun);
    assert_eq!(with_legacy_id(&db, "job_123"), []);
    let (done, _) = import(&source, &db);
    assert_eq!(planned, done);
}

fn the_source_may_be_of_another_kind(db: TestDb) {
    let other = match db.backend() {
        Backend::Postgres => Backend::Sqlite,
        Backend::Sqlite => Backend::Postgres,
    };
    let source = complete_source(other);
    let (_, notes) = import(&source, &db);
    assert_eq!(notes, []);
    let here = results(&db, "job_123");
    let same = TestDb::on(other);
    import(&source, &same);
    assert_eq!(
        results(&same, "job_123").transcript[1].data,
        here.transcript[1].data
    );
}

fn settings_of_unknown_pipelines_are_renamed(db: TestDb) {
    let source = SourceDb::on(db.backend());
    let config = r#"'{"pipeline": "gone", "language": "el", "resolution": "720p"}'"#;
    let queued = [
        ("status", "'queued'"),
        ("completed_at", "NULL"),
        ("processing_config", config),
    ];
    source.job("j", &queued);
    import(&source, &db);
    let config = imported(&db, "j").processing_config.unwrap();
    let expected = json!({"legacy_pipeline": "gone", "language": "el", "resolution": "720p"});
    assert_eq!(config.into_settings().into_value(), expected);
}

fn many_jobs_are_imported_in_several_transactions(db: TestDb) {
    let source = SourceDb::on(db.backend());
    for i in 0..120 {
        source.job(&format!("job_{i}"), &[]);
        source.segment(&format!("s{i}"), &format!("job_{i}"), &[]);
    }
    let (summary, _) = import(&source, &db);
    assert_eq!(summary.tables["jobs"].added, 120);
    assert_eq!(summary.tables["transcripts"].added, 120);
    for i in [0, 60, 119] {
        assert_eq!(results(&db, &format!("job_{i}")).transcript.len(), 1);
    }
}
