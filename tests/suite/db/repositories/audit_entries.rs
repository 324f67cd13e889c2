use chrono::TimeDelta;
use lectern_db::{Database, Error};
use lectern_domain::{
    Actor, ApiKeyId, AuditAction, AuditEntry, AuditFilter, ClipUpdate, ContentSegmentUpdate,
    Filename, JobId, JobStatus, JobUpdate, Keyword, LongText, NewApiKey, Page, PageLimit,
    PageRequest, Patch, Role, SecretHash, SpokenText, Stage, Title, TranscriptSegmentUpdate,
};
use lectern_tests::{TestDb, a_completed_job, a_job, on_both_backends, store_output};
use serde_json::{Value, json};

on_both_backends!(
    every_change_of_a_job_is_recorded_with_its_values,
    what_changes_nothing_is_not_recorded,
    a_change_that_is_rolled_back_is_not_recorded,
    nothing_is_recorded_without_an_actor,
    changes_of_keys_are_recorded_without_secrets,
    entries_are_listed_newest_first_in_pages_and_by_what_they_are_about,
    entries_are_never_changed,
    entries_are_deleted_after_their_retention,
    the_stored_old_values_are_those_that_were_replaced,
    changes_of_single_rows_are_recorded_with_their_ids,
);

fn acting(db: &TestDb) -> Database {
    db.acting_as(Actor::client(None, Some("2001:db8::7".parse().unwrap())))
}

fn page(db: &TestDb, filter: AuditFilter, request: PageRequest) -> Page<AuditEntry> {
    db.read(|conn| conn.audit_entries().list(&filter, request))
        .unwrap()
}

/// All entries, oldest first.
fn entries(db: &TestDb) -> Vec<AuditEntry> {
    let mut items = page(db, AuditFilter::default(), PageRequest::default()).items;
    items.reverse();
    items
}

/// The action and the values of an entry.
fn values(entry: &AuditEntry) -> (AuditAction, Value, Value) {
    let change = entry.change.clone();
    let (old, new) = (change.old_values, change.new_values);
    (change.action, old.into_value(), new.into_value())
}

fn renamed(name: &str) -> JobUpdate {
    JobUpdate {
        filename: Some(Filename::new(name).unwrap()),
        ..JobUpdate::default()
    }
}

fn every_change_of_a_job_is_recorded_with_its_values(db: TestDb) {
    let job_id = a_job().create(&db).job_id;
    let name = db.read(|conn| conn.jobs().find(job_id)).unwrap().unwrap();
    let name = name.filename.as_str().to_owned();
    let audited = acting(&db);
    audited
        .write(|tx| tx.jobs().update(job_id, &renamed("b.mp4"), None))
        .unwrap();
    db.clock().advance(TimeDelta::seconds(1));
    audited.write(|tx| tx.jobs().cancel(job_id)).unwrap();
    db.clock().advance(TimeDelta::seconds(1));
    audited.write(|tx| tx.jobs().retry(job_id)).unwrap();
    db.clock().advance(TimeDelta::seconds(1));
    audited
        .write(|tx| tx.jobs().transition(job_id, JobStatus::Cancelled))
        .unwrap();
    db.clock().advance(TimeDelta::seconds(1));
    audited
        .write(|tx| tx.jobs().rerun(job_id, Stage::Segmentation))
        .unwrap();
    db.clock().advance(TimeDelta::seconds(1));
    audited.write(|tx| tx.jobs().delete(job_id)).unwrap();

    let found = entries(&db);
    let (queued, cancelled) = (
        json!({ "status": "queued" }),
        json!({ "status": "cancelled" }),
    );
    let expected = [
        (
            AuditAction::JobUpdate,
            json!({ "filename": name }),
            json!({ "filename": "b.mp4" }),
        ),
        (AuditAction::JobCancel, queued.clone(), cancelled.clone()),
        (AuditAction::JobRetry, cancelled.clone(), queued.clone()),
        (AuditAction::JobUpdate, queued, cancelled.clone()),
        (
            AuditAction::JobRerun,
            cancelled,
            json!({ "status": "queued", "from_stage": "segmentation" }),
        ),
    ];
    assert_eq!(
        found.iter().map(values).take(5).collect::<Vec<_>>(),
        expected
    );
    let (action, old, new) = values(&found[5]);
    assert_eq!(action, AuditAction::JobDelete);
    assert_eq!(
        (&old["filename"], &old["status"]),
        (&json!("b.mp4"), &json!("queued"))
    );
    assert_eq!(new["status"], Value::Null);
    for entry in &found {
        assert_eq!(entry.change.job_id, Some(job_id));
        assert_eq!(
            entry.actor.address.as_ref().unwrap().as_str(),
            "2001:db8::7"
        );
        assert_eq!((&entry.actor.key_id, &entry.actor.owner), (&None, &None));
    }
    assert_eq!(found[0].at + TimeDelta::seconds(5), found[5].at);
    assert_eq!(found[5].at, db.now());
}

fn changes_of_single_rows_are_recorded_with_their_ids(db: TestDb) {
    let job_id = a_job().create(&db).job_id;
    let clips = store_output(&db, job_id);
    let (topic, text) = db
        .read(|conn| {
            let topic = conn.content_segments().for_job(job_id)?.remove(0);
            Ok::<_, Error>((topic, conn.transcripts().for_job(job_id)?.remove(0)))
        })
        .unwrap();
    let clip = &clips[0];
    let audited = acting(&db);
    let clip_update = ClipUpdate {
        title: Some(Title::new("Another title").unwrap()),
        ..ClipUpdate::default()
    };
    let text_update = TranscriptSegmentUpdate {
        text: Some(SpokenText::new("x".repeat(10_000)).unwrap()),
        ..TranscriptSegmentUpdate::default()
    };
    let topic_update = ContentSegmentUpdate {
        keywords: Some(vec![Keyword::new("entropy").unwrap()]),
        ..ContentSegmentUpdate::default()
    };
    let second = || db.clock().advance(TimeDelta::seconds(1));
    // The second time changes nothing.
    for _ in 0..2 {
        audited
            .write(|tx| tx.clips().update(job_id, clip.clip_id, &clip_update))
            .unwrap();
    }
    second();
    audited
        .write(|tx| {
            tx.transcripts()
                .update(job_id, text.segment_id, &text_update)
        })
        .unwrap();
    second();
    audited
        .write(|tx| {
            tx.content_segments()
                .update(job_id, topic.segment_id, &topic_update)
        })
        .unwrap();
    second();
    audited
        .write(|tx| tx.transcripts().delete(job_id, text.segment_id))
        .unwrap();
    second();
    audited
        .write(|tx| tx.clips().delete(job_id, clip.clip_id))
        .unwrap();
    second();
    audited
        .write(|tx| tx.content_segments().delete(job_id, topic.segment_id))
        .unwrap();
    // Refused, and so not recorded.
    let again = audited.write(|tx| tx.clips().delete(job_id, clip.clip_id));
    assert!(matches!(again, Err(Error::ClipNotFound { .. })));
    // What a worker stores is not recorded.
    store_output(&audited, job_id);

    let found = entries(&db);
    let actions: Vec<_> = found
        .iter()
        .map(|entry| entry.change.action.as_str())
        .collect();
    let expected = [
        "clip.update",
        "transcript_segment.update",
        "content_segment.update",
        "transcript_segment.delete",
        "clip.delete",
        "content_segment.delete",
    ];
    assert_eq!(actions, expected);
    for entry in &found {
        assert_eq!(entry.change.job_id, Some(job_id));
    }
    let clip_id = clip.clip_id.to_string();
    let (_, old, new) = values(&found[0]);
    assert_eq!(
        old,
        json!({ "clip_id": clip_id, "title": clip.title.as_str() })
    );
    assert_eq!(new, json!({ "clip_id": clip_id, "title": "Another title" }));
    let (_, _, new) = values(&found[1]);
    let cut = new["text"].as_str().unwrap();
    assert!(cut.ends_with("(10000 bytes)"), "{cut}");
    let (_, _, new) = values(&found[2]);
    assert_eq!(new["keywords"], json!(["entropy"]));
    let (_, old, new) = values(&found[4]);
    assert_eq!(old["title"], "Another title");
    assert_eq!(
        (&old["clip_id"], &new["title"]),
        (&json!(clip_id), &Value::Null)
    );
    assert_eq!(new["clip_id"], clip_id);
}

fn what_changes_nothing_is_not_recorded(db: TestDb) {
    let job = a_job().create(&db);
    let job_id = job.job_id;
    let audited = acting(&db);
    let same = renamed(job.filename.as_str());
    audited
        .write(|tx| tx.jobs().update(job_id, &same, None))
        .unwrap();
    audited.write(|tx| tx.jobs().retry(job_id)).unwrap();
    let queued = JobUpdate {
        status: Some(JobStatus::Queued),
        ..JobUpdate::default()
    };
    audited
        .write(|tx| tx.jobs().update_idempotently(job_id, &queued, None))
        .unwrap();
    assert_eq!(entries(&db), []);
    audited.write(|tx| tx.jobs().cancel(job_id)).unwrap();
    audited.write(|tx| tx.jobs().cancel(job_id)).unwrap();
    assert_eq!(entries(&db).len(), 1);
    let unknown: JobId = "01a22420-decf-7626-be0f-97f75e36bf99".parse().unwrap();
    let refused = audited.write(|tx| tx.jobs().cancel(unknown));
    assert!(matches!(refused, Err(Error::JobNotFound { .. })));
    let refused = audited.write(|tx| tx.jobs().delete(unknown));
    assert!(matches!(refused, Err(Error::JobNotFound { .. })));
    let refused = audited.write(|tx| tx.jobs().update(job_id, &renamed("c.mp4"), Some(99)));
    assert!(matches!(refused, Err(Error::VersionMismatch { .. })));
    assert_eq!(entries(&db).len(), 1);
}

fn a_change_that_is_rolled_back_is_not_recorded(db: TestDb) {
    let job_id = a_job().create(&db).job_id;
    let refused = acting(&db).write(|tx| {
        tx.jobs().cancel(job_id)?;
        Err::<(), _>(Error::JobNotFound { job_id })
    });
    assert!(refused.is_err());
    assert_eq!(entries(&db), []);
}

fn nothing_is_recorded_without_an_actor(db: TestDb) {
    let job_id = a_completed_job(&db).job_id;
    db.write(|tx| {
        tx.jobs().update(job_id, &renamed("b.mp4"), None)?;
        tx.jobs().rerun(job_id, Stage::Compilation)?;
        tx.jobs().cancel(job_id)?;
        tx.jobs().delete(job_id)
    })
    .unwrap();
    assert_eq!(entries(&db), []);
}

fn changes_of_keys_are_recorded_without_secrets(db: TestDb) {
    let audited = db.acting_as(Actor::command_line("ada (1000)"));
    let key_id = ApiKeyId::new(db.clock());
    let hash = |byte| SecretHash::of_bytes([byte; 32]);
    let new = NewApiKey::new(Role::Client);
    audited
        .write(|tx| tx.api_keys().create(key_id, &new, &hash(0xab)))
        .unwrap();
    db.clock().advance(TimeDelta::seconds(1));
    audited
        .write(|tx| tx.api_keys().rotate(key_id, &hash(0xcd)))
        .unwrap();
    db.clock().advance(TimeDelta::seconds(1));
    for _ in 0..2 {
        audited.write(|tx| tx.api_keys().revoke(key_id)).unwrap();
    }
    let found = entries(&db);
    let actions: Vec<_> = found.iter().map(|entry| entry.change.action).collect();
    assert_eq!(
        actions,
        [
            AuditAction::KeyCreate,
            AuditAction::KeyRotate,
            AuditAction::KeyRevoke
        ]
    );
    assert_eq!(values(&found[0]).2, json!({ "role": "client" }));
    assert_eq!(values(&found[1]).2, json!({}));
    let (_, old, new) = values(&found[2]);
    assert_eq!(old, json!({ "revoked_at": null }));
    assert!(new["revoked_at"].is_string(), "{new}");
    for entry in &found {
        assert_eq!(entry.change.changed_key_id, Some(key_id));
        let user = entry.actor.command_line_user.as_ref().unwrap();
        assert_eq!(user.as_str(), "ada (1000)");
    }
    let stored = db.sql().rows("SELECT * FROM audit_entries");
    let stored = format!("{stored:?}");
    assert!(
        !stored.contains("abab") && !stored.contains("cdcd"),
        "{stored}"
    );
}

fn entries_are_listed_newest_first_in_pages_and_by_what_they_are_about(db: TestDb) {
    let jobs: Vec<_> = (0..3).map(|_| a_job().create(&db).job_id).collect();
    let audited = acting(&db);
    for job_id in &jobs {
        // Two entries of one time.
        audited
            .write(|tx| {
                tx.jobs().cancel(*job_id)?;
                tx.jobs().retry(*job_id)
            })
            .unwrap();
        db.clock().advance(TimeDelta::seconds(1));
    }
    let all: Vec<_> = entries(&db).into_iter().rev().collect();
    assert_eq!(all.len(), 6);
    assert!(all.is_sorted_by_key(|entry| std::cmp::Reverse((entry.at, entry.entry_id))));
    let mut paged = Vec::new();
    let mut after = None;
    loop {
        let request = PageRequest {
            limit: PageLimit::new(4).unwrap(),
            after,
        };
        let page = page(&db, AuditFilter::default(), request);
        paged.extend(page.items);
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    assert_eq!(paged, all);

    let of_job = AuditFilter {
        job_id: Some(jobs[1]),
        ..AuditFilter::default()
    };
    let found = page(&db, of_job, PageRequest::default()).items;
    assert_eq!(found, all[2..4]);
    let retries = AuditFilter {
        action: Some(AuditAction::JobRetry),
        ..of_job
    };
    assert_eq!(page(&db, retries, PageRequest::default()).items.len(), 1);

    // With a key, and of it.
    let key_id = ApiKeyId::new(db.clock());
    let hash = SecretHash::of_bytes([1; 32]);
    let key = audited
        .write(|tx| {
            tx.api_keys()
                .create(key_id, &NewApiKey::new(Role::Client), &hash)
        })
        .unwrap();
    db.acting_as(Actor::client(Some(&key), None))
        .write(|tx| tx.jobs().delete(jobs[0]))
        .unwrap();
    let of_key = AuditFilter {
        key_id: Some(key_id),
        ..AuditFilter::default()
    };
    let found = page(&db, of_key, PageRequest::default()).items;
    let mut actions: Vec<_> = found.iter().map(|entry| entry.change.action).collect();
    actions.sort();
    assert_eq!(actions, [AuditAction::JobDelete, AuditAction::KeyCreate]);
    // The entries of a deleted job stay.
    let of_job = AuditFilter {
        job_id: Some(jobs[0]),
        ..AuditFilter::default()
    };
    assert_eq!(page(&db, of_job, PageRequest::default()).items.len(), 3);
}

fn entries_are_never_changed(db: TestDb) {
    let job_id = a_job().create(&db).job_id;
    acting(&db).write(|tx| tx.jobs().cancel(job_id)).unwrap();
    let before = entries(&db);
    for change in [
        "UPDATE audit_entries SET action = 'job.retry'",
        "UPDATE audit_entries SET new_values = '{}' WHERE id = 1",
    ] {
        let error = db.sql().execute(change).unwrap_err().to_string();
        assert!(error.contains("audit entries are never changed"), "{error}");
    }
    assert_eq!(entries(&db), before);
}

fn entries_are_deleted_after_their_retention(db: TestDb) {
    let jobs = [(); 2].map(|()| a_job().create(&db).job_id);
    let audited = acting(&db);
    audited.write(|tx| tx.jobs().cancel(jobs[0])).unwrap();
    db.clock().advance(TimeDelta::days(2));
    audited.write(|tx| tx.jobs().cancel(jobs[1])).unwrap();
    let prune = |days| db.write(|tx| tx.audit_entries().prune(TimeDelta::days(days)));
    assert_eq!(prune(3).unwrap(), 0);
    assert_eq!(prune(1).unwrap(), 1);
    assert_eq!(entries(&db)[0].change.job_id, Some(jobs[1]));
    assert_eq!(entries(&db).len(), 1);
}

fn the_stored_old_values_are_those_that_were_replaced(db: TestDb) {
    let job_id = a_job().create(&db).job_id;
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let audited = acting(&db);
            scope.spawn(move || {
                for i in 0..5 {
                    let update = JobUpdate {
                        error_message: Patch::Set(LongText::new(format!("{thread}-{i}")).unwrap()),
                        ..JobUpdate::default()
                    };
                    audited
                        .write(|tx| tx.jobs().update(job_id, &update, None))
                        .unwrap();
                }
            });
        }
    });
    let found = entries(&db);
    assert_eq!(found.len(), 20);
    let field = |values: &Value| values["error_message"].clone();
    let mut pairs: Vec<_> = found
        .iter()
        .map(|entry| (field(&values(entry).1), field(&values(entry).2)))
        .collect();
    // Each new value is the old one of the next change.
    let mut current = Value::Null;
    while let Some(i) = pairs.iter().position(|(old, _)| *old == current) {
        current = pairs.swap_remove(i).1;
    }
    assert_eq!(pairs, []);
}
