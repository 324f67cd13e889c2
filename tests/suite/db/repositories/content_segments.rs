use chrono::TimeDelta;
use lectern_db::{Database, Error};
use lectern_domain::{ContentSegment, JobId, NewContentSegment, NonNegativeInt, Ratio, Topic};
use lectern_tests::{TestDb, a_clip_of, a_job, content_segments, on_both_backends, words};

on_both_backends!(
    stored_content_segments_are_read_back_unchanged,
    segments_are_listed_in_order,
    top_segments_are_ordered_by_importance_then_time,
    a_keyword_matches_exactly,
    keyword_and_top_filters_combine,
    segments_of_other_jobs_are_not_listed,
    a_new_set_may_reuse_the_orders_of_the_old_set,
    storing_the_same_set_again_keeps_the_rows_and_their_clips,
    a_clip_outlives_its_content_segment,
);

fn replace(db: &Database, job: JobId, segments: &[NewContentSegment]) {
    db.write(|tx| {
        let stored = tx.content_segments().replace_for_job(job, segments)?;
        assert_eq!(stored, tx.content_segments().for_job(job)?);
        Ok::<_, Error>(())
    })
    .unwrap();
}

fn all(db: &Database, job: JobId) -> Vec<ContentSegment> {
    db.read(|conn| conn.content_segments().for_job(job))
        .unwrap()
}

fn topics(segments: &[ContentSegment]) -> Vec<&str> {
    segments
        .iter()
        .map(|segment| segment.topic.as_str())
        .collect()
}

fn named(topic: &str, order: i32, importance: f64, keywords: &[&str]) -> NewContentSegment {
    NewContentSegment {
        topic: Topic::new(topic).unwrap(),
        importance_score: Ratio::new(importance).unwrap(),
        keywords: words(keywords),
        segment_order: NonNegativeInt::new(order).unwrap(),
        ..content_segments(1).remove(0)
    }
}

fn stored_content_segments_are_read_back_unchanged(db: TestDb) {
    let job = a_job().create(&db).job_id;
    let mut new = content_segments(12);
    new[3].description = None;
    new[4].keywords = words(&["a \"quoted\" word", "back\\slash", "λ", "\u{1F393}"]);
    new[5].concepts = Vec::new();
    replace(&db, job, &new);
    let stored = all(&db, job);
    assert_eq!(stored.len(), 12);
    for (stored, new) in stored.iter().zip(&new) {
        assert_eq!(
            (stored.job_id, stored.time, stored.created_at),
            (job, new.time, db.now())
        );
        assert_eq!(
            (&stored.topic, &stored.description),
            (&new.topic, &new.description)
        );
        assert_eq!(
            (&stored.keywords, &stored.concepts),
            (&new.keywords, &new.concepts)
        );
        assert_eq!(
            (stored.importance_score, stored.segment_order),
            (new.importance_score, new.segment_order)
        );
    }
}

fn segments_are_listed_in_order(db: TestDb) {
    let job = a_job().create(&db).job_id;
    replace(
        &db,
        job,
        &[
            named("c", 30, 0.1, &[]),
            named("a", 1, 0.2, &[]),
            named("b", 2, 0.3, &[]),
        ],
    );
    assert_eq!(topics(&all(&db, job)), ["a", "b", "c"]);
}

fn top_segments_are_ordered_by_importance_then_time(db: TestDb) {
    let job = a_job().create(&db).job_id;
    replace(
        &db,
        job,
        &[
            named("least", 0, 0.0, &[]),
            named("tied late", 3, 0.5, &[]),
            named("most", 2, 1.0, &[]),
            named("tied early", 1, 0.5, &[]),
        ],
    );
    let top = |n| db.read(|conn| conn.content_segments().top(job, n)).unwrap();
    assert_eq!(topics(&top(1)), ["most"]);
    assert_eq!(topics(&top(3)), ["most", "tied early", "tied late"]);
    assert_eq!(top(usize::MAX).len(), 4);
    assert_eq!(top(0), []);
}

fn a_keyword_matches_exactly(db: TestDb) {
    let job = a_job().create(&db).job_id;
    replace(
        &db,
        job,
        &[
            named("heat", 0, 0.5, &["entropy", "second law"]),
            named("close", 1, 0.5, &["entropy rate", "Entropy"]),
            named(
                "odd",
                2,
                0.5,
                &["100%", "a_b", "it's", "\"q\"", "\\", "{a}", "?", "$1"],
            ),
            named("none", 3, 0.5, &[]),
        ],
    );
    let by = |keyword: &str| {
        db.read(|conn| conn.content_segments().by_keyword(job, keyword))
            .unwrap()
    };
    assert_eq!(topics(&by("entropy")), ["heat"]);
    assert_eq!(topics(&by("Entropy")), ["close"]);
    assert_eq!(topics(&by("second law")), ["heat"]);
    for keyword in ["100%", "a_b", "it's", "\"q\"", "\\", "{a}", "?", "$1"] {
        assert_eq!(topics(&by(keyword)), ["odd"], "{keyword}");
    }
    for keyword in ["", "entrop", "%", "_", "law", "[]", "'"] {
        assert_eq!(topics(&by(keyword)), [""; 0], "{keyword}");
    }
}

fn keyword_and_top_filters_combine(db: TestDb) {
    let job = a_job().create(&db).job_id;
    replace(
        &db,
        job,
        &[
            named("x", 0, 0.9, &[]),
            named("y", 1, 0.1, &["k"]),
            named("z", 2, 0.2, &["k"]),
        ],
    );
    let list = |keyword, top| {
        db.read(|conn| conn.content_segments().list(job, keyword, top))
            .unwrap()
    };
    assert_eq!(topics(&list(Some("k"), Some(1))), ["z"]);
    assert_eq!(topics(&list(Some("k"), None)), ["y", "z"]);
    assert_eq!(topics(&list(None, Some(2))), ["x", "z"]);
}

fn segments_of_other_jobs_are_not_listed(db: TestDb) {
    let (one, other) = (a_job().create(&db).job_id, a_job().create(&db).job_id);
    replace(&db, one, &[named("one", 0, 0.5, &["k"])]);
    replace(&db, other, &[named("other", 0, 0.9, &["k"])]);
    assert_eq!(
        topics(
            &db.read(|conn| conn.content_segments().by_keyword(one, "k"))
                .unwrap()
        ),
        ["one"]
    );
    assert_eq!(
        topics(&db.read(|conn| conn.content_segments().top(one, 9)).unwrap()),
        ["one"]
    );
}

fn a_new_set_may_reuse_the_orders_of_the_old_set(db: TestDb) {
    let job = a_job().create(&db).job_id;
    replace(&db, job, &content_segments(3));
    replace(
        &db,
        job,
        &[named("second", 1, 0.5, &[]), named("first", 0, 0.5, &[])],
    );
    assert_eq!(topics(&all(&db, job)), ["first", "second"]);
}

fn storing_the_same_set_again_keeps_the_rows_and_their_clips(db: TestDb) {
    let job = a_job().create(&db).job_id;
    replace(&db, job, &content_segments(3));
    let before = all(&db, job);
    let clip = a_clip_of(before[1].segment_id);
    db.write(|tx| tx.clips().replace_for_job(job, std::slice::from_ref(&clip)))
        .unwrap();
    db.clock().advance(TimeDelta::seconds(1));
    replace(&db, job, &content_segments(3));
    assert_eq!(all(&db, job), before);
    let clips = db.read(|conn| conn.clips().for_job(job)).unwrap();
    assert_eq!(clips[0].content_segment_id, Some(before[1].segment_id));
}

fn a_clip_outlives_its_content_segment(db: TestDb) {
    let job = a_job().create(&db).job_id;
    replace(&db, job, &content_segments(1));
    let clip = a_clip_of(all(&db, job)[0].segment_id);
    db.write(|tx| tx.clips().replace_for_job(job, std::slice::from_ref(&clip)))
        .unwrap();
    replace(&db, job, &[]);
    let clips = db.read(|conn| conn.clips().for_job(job)).unwrap();
    assert_eq!((clips.len(), clips[0].content_segment_id), (1, None));
}
