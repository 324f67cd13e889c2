use chrono::TimeDelta;
use lectern_db::{Database, Error};
use lectern_domain::{
    Clip, ClipMediaUpdate, ContentSegmentId, JobId, NewClip, NonNegativeInt, Patch, Ratio,
    StorageKey, Title,
};
use lectern_tests::{TestDb, a_clip_of, a_job, clips, content_segments, on_both_backends};

use crate::db::support::unknown_id;

on_both_backends!(
    stored_clips_are_read_back_unchanged,
    an_unknown_clip_is_not_found,
    top_clips_are_ordered_by_importance_with_unscored_clips_last,
    a_clip_of_another_jobs_segment_is_rejected_and_the_old_set_stays,
    a_clip_of_its_own_jobs_segment_is_stored,
    media_keys_can_be_set_kept_and_cleared,
    storing_the_same_set_again_keeps_the_rows,
    concurrent_replacements_leave_one_whole_set,
);

fn replace(db: &Database, job: JobId, clips: &[NewClip]) {
    db.write(|tx| {
        let stored = tx.clips().replace_for_job(job, clips)?;
        assert_eq!(stored, tx.clips().for_job(job)?);
        Ok::<_, Error>(())
    })
    .unwrap();
}

fn all(db: &Database, job: JobId) -> Vec<Clip> {
    db.read(|conn| conn.clips().for_job(job)).unwrap()
}

fn titles(clips: &[Clip]) -> Vec<&str> {
    clips.iter().map(|clip| clip.title.as_str()).collect()
}

fn titled(title: &str, order: i32, importance: Option<f64>) -> NewClip {
    NewClip {
        title: Title::new(title).unwrap(),
        importance_score: importance.map(|score| Ratio::new(score).unwrap()),
        clip_order: NonNegativeInt::new(order).unwrap(),
        ..clips(1).remove(0)
    }
}

fn a_segment_of(db: &Database, job: JobId) -> ContentSegmentId {
    let stored = db.write(|tx| {
        tx.content_segments()
            .replace_for_job(job, &content_segments(1))
    });
    stored.unwrap()[0].segment_id
}

fn stored_clips_are_read_back_unchanged(db: TestDb) {
    let job = a_job().create(&db).job_id;
    let mut new = clips(12);
    new[0].content_segment_id = Some(a_segment_of(&db, job));
    new[1].topic = None;
    new[2].media = lectern_domain::ClipMedia::default();
    replace(&db, job, &new);
    let stored = all(&db, job);
    assert_eq!(stored.len(), 12);
    for (stored, new) in stored.iter().zip(&new) {
        assert_eq!(
            (stored.job_id, stored.time, stored.created_at),
            (job, new.time, db.now())
        );
        assert_eq!(
            (stored.content_segment_id, stored.clip_order),
            (new.content_segment_id, new.clip_order)
        );
        assert_eq!(
            (&stored.title, &stored.topic, stored.importance_score),
            (&new.title, &new.topic, new.importance_score)
        );
        assert_eq!(
            (&stored.media, &stored.extra_metadata),
            (&new.media, &new.extra_metadata)
        );
        assert_eq!(
            db.read(|conn| conn.clips().find(stored.clip_id))
                .unwrap()
                .as_ref(),
            Some(stored)
        );
    }
}

fn an_unknown_clip_is_not_found(db: TestDb) {
    assert_eq!(
        db.read(|conn| conn.clips().find(unknown_id())).unwrap(),
        None
    );
    let update = ClipMediaUpdate {
        s3_key: Patch::Clear,
        ..ClipMediaUpdate::default()
    };
    for update in [ClipMediaUpdate::default(), update] {
        let missing = db.write(|tx| tx.clips().set_media_keys(unknown_id(), &update));
        assert!(
            matches!(missing, Err(Error::ClipNotFound { clip_id }) if clip_id == unknown_id()),
            "{missing:?}"
        );
    }
}

fn top_clips_are_ordered_by_importance_with_unscored_clips_last(db: TestDb) {
    let job = a_job().create(&db).job_id;
    replace(
        &db,
        job,
        &[
            titled("unscored late", 4, None),
            titled("low", 3, Some(0.0)),
            titled("tied late", 2, Some(0.5)),
            titled("tied early", 1, Some(0.5)),
            titled("unscored early", 0, None),
        ],
    );
    let top = |n| db.read(|conn| conn.clips().top(job, n)).unwrap();
    assert_eq!(titles(&top(2)), ["tied early", "tied late"]);
    assert_eq!(
        titles(&top(9)),
        [
            "tied early",
            "tied late",
            "low",
            "unscored early",
            "unscored late"
        ]
    );
    assert_eq!(titles(&all(&db, job))[0], "unscored early");
}

fn a_clip_of_another_jobs_segment_is_rejected_and_the_old_set_stays(db: TestDb) {
    let (job, other) = (a_job().create(&db).job_id, a_job().create(&db).job_id);
    let theirs = a_segment_of(&db, other);
    replace(&db, job, &clips(2));
    let before = all(&db, job);
    for foreign in [theirs, unknown_id()] {
        let mut new = clips(3);
        new[2].content_segment_id = Some(foreign);
        match db.write(|tx| tx.clips().replace_for_job(job, &new)) {
            Err(Error::Invalid(invalid)) => {
                assert_eq!(invalid.errors()[0].field, "clips[2].content_segment_id");
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(all(&db, job), before);
}

fn a_clip_of_its_own_jobs_segment_is_stored(db: TestDb) {
    let job = a_job().create(&db).job_id;
    let segment = a_segment_of(&db, job);
    replace(&db, job, &[a_clip_of(segment)]);
    assert_eq!(all(&db, job)[0].content_segment_id, Some(segment));
}

fn media_keys_can_be_set_kept_and_cleared(db: TestDb) {
    let job = a_job().create(&db).job_id;
    replace(&db, job, &clips(2));
    let [first, second]: [Clip; 2] = all(&db, job).try_into().unwrap();
    let update = ClipMediaUpdate {
        s3_key: Patch::Set(StorageKey::new("clips/new.mp4").unwrap()),
        thumbnail_s3_key: Patch::Clear,
        subtitle_s3_key: Patch::Keep,
    };
    let changed = db
        .write(|tx| tx.clips().set_media_keys(first.clip_id, &update))
        .unwrap();
    let found = db.read(|conn| conn.clips().find(first.clip_id)).unwrap();
    assert_eq!(found.as_ref(), Some(&changed));
    let mut expected = first;
    expected.data.media.s3_key = Some(StorageKey::new("clips/new.mp4").unwrap());
    expected.data.media.thumbnail_s3_key = None;
    assert_eq!(changed, expected);
    let unchanged = db.write(|tx| {
        tx.clips()
            .set_media_keys(second.clip_id, &ClipMediaUpdate::default())
    });
    assert_eq!(unchanged.unwrap(), second);
    assert_eq!(all(&db, job)[1], second);
}

fn storing_the_same_set_again_keeps_the_rows(db: TestDb) {
    let job = a_job().create(&db).job_id;
    replace(&db, job, &clips(3));
    let before = all(&db, job);
    db.clock().advance(TimeDelta::seconds(1));
    replace(&db, job, &clips(3));
    assert_eq!(all(&db, job), before);
    replace(&db, job, &clips(2));
    assert_eq!(all(&db, job).len(), 2);
}

fn concurrent_replacements_leave_one_whole_set(db: TestDb) {
    let job = a_job().create(&db).job_id;
    std::thread::scope(|scope| {
        for n in 1..=8 {
            let db = &db;
            scope.spawn(move || {
                db.write(|tx| tx.clips().replace_for_job(job, &clips(n)))
                    .unwrap()
            });
        }
    });
    let orders: Vec<i32> = all(&db, job)
        .iter()
        .map(|clip| clip.clip_order.get())
        .collect();
    let expected: Vec<i32> = (0..).take(orders.len()).collect();
    assert_eq!(orders, expected);
}
