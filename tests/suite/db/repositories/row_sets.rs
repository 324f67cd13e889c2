//! Large sets that are stored in parts on SQLite.

use lectern_db::{Database, Error, StagedSet, TranscriptSelection};
use lectern_domain::{
    Clock as _, JobId, ManualClock, NewTranscriptSegment, TranscriptSource, Window,
};
use lectern_tests::{
    Backend, Fixture as _, TestDb, a_job, on_both_backends, segments, silence_regions,
};

use crate::db::support::assert_rows_counted;

on_both_backends!(a_set_is_stored_in_parts_on_sqlite_only);

const CLIENT: TranscriptSource = TranscriptSource::Client;

/// Rows of a part.
const PART: usize = 40;

fn a_set_is_stored_in_parts_on_sqlite_only(db: TestDb) {
    let job_id = a_job().create(&db).job_id;
    let begun = db.write(|tx| tx.transcripts().begin_set(job_id, 10));
    assert_eq!(begun.unwrap().is_some(), db.backend() == Backend::Sqlite);
    let regions = db.write(|tx| tx.silence_regions().begin_set(job_id, 10));
    assert_eq!(regions.unwrap().is_some(), db.backend() == Backend::Sqlite);
}

fn on_sqlite() -> (TestDb, JobId) {
    let db = TestDb::on(Backend::Sqlite);
    let job_id = a_job().create(&db).job_id;
    (db, job_id)
}

/// Stores the parts of a set, and does not show it.
fn stage(db: &Database, job_id: JobId, new: &[NewTranscriptSegment]) -> StagedSet {
    let set = db.write(|tx| tx.transcripts().begin_set(job_id, new.len()));
    let set = set.unwrap().unwrap();
    for part in new.chunks(PART) {
        db.write(|tx| tx.transcripts().add_to_set(set, part))
            .unwrap();
    }
    set
}

fn show(db: &Database, job_id: JobId, set: StagedSet, new: &[NewTranscriptSegment]) {
    db.write(|tx| tx.transcripts().show_set(job_id, set, new, CLIENT))
        .unwrap();
}

fn delete_hidden(db: &Database) {
    while db
        .write(|tx| tx.row_sets().delete_hidden(None, PART))
        .unwrap()
    {}
}

/// What readers see, checked to be the same in each way to read it.
fn seen(db: &Database, job_id: JobId) -> Vec<NewTranscriptSegment> {
    db.read(|conn| {
        let mut transcripts = conn.transcripts();
        let all = transcripts.for_job(job_id)?;
        assert_eq!(
            transcripts.count(job_id)?,
            i64::try_from(all.len()).unwrap()
        );
        assert_eq!(transcripts.in_range(job_id, Window::default())?, all);
        let page = transcripts.page(job_id, &TranscriptSelection::default(), None)?;
        assert_eq!(page.items.len(), all.len());
        let ids = all.iter().map(|segment| segment.segment_id);
        for id in ids {
            assert!(transcripts.find(id)?.is_some());
        }
        let new = all.into_iter().map(|segment| segment.data);
        Ok::<_, Error>(new.collect())
    })
    .unwrap()
}

fn rows(db: &TestDb) -> usize {
    db.sql().count("transcripts").try_into().unwrap()
}

#[test]
fn readers_see_the_old_set_until_the_new_one_is_shown() {
    let (db, job_id) = on_sqlite();
    let (old, new) = (segments(5), segments(3 * PART + 7));
    db.write(|tx| tx.transcripts().replace_for_job(job_id, &old))
        .unwrap();
    let set = stage(&db, job_id, &new);
    assert_eq!(seen(&db, job_id), old);
    show(&db, job_id, set, &new);
    assert_eq!(seen(&db, job_id), new);
    assert_eq!(
        rows(&db),
        new.len(),
        "the old rows had no number, and are deleted at once"
    );
    // A set takes the place of another one, and then a small set that of a large one.
    let newer = segments(2 * PART);
    let set = stage(&db, job_id, &newer);
    show(&db, job_id, set, &newer);
    assert_eq!(seen(&db, job_id), newer);
    assert_eq!(rows(&db), new.len() + newer.len());
    assert_rows_counted(&db);
    let small = segments(3);
    db.write(|tx| tx.transcripts().replace_for_job(job_id, &small))
        .unwrap();
    assert_eq!(seen(&db, job_id), small);
    assert!(db.read(|conn| conn.row_sets().any_hidden()).unwrap());
    delete_hidden(&db);
    assert_eq!((seen(&db, job_id), rows(&db)), (small, 3));
    assert!(!db.read(|conn| conn.row_sets().any_hidden()).unwrap());
    assert_eq!(db.sql().count("row_sets"), 0);
    assert_rows_counted(&db);
}

#[test]
fn an_equal_set_keeps_the_rows_that_are_stored() {
    let (db, job_id) = on_sqlite();
    let new = segments(PART + 1);
    let ids = || -> Vec<_> {
        let stored = db.read(|conn| conn.transcripts().for_job(job_id)).unwrap();
        stored.iter().map(|segment| segment.segment_id).collect()
    };
    let set = stage(&db, job_id, &new);
    show(&db, job_id, set, &new);
    let first = ids();
    let again = stage(&db, job_id, &new);
    show(&db, job_id, again, &new);
    assert_eq!(ids(), first);
    delete_hidden(&db);
    assert_eq!((ids(), rows(&db)), (first, new.len()));
}

#[test]
fn rows_added_to_a_shown_set_and_changes_of_its_rows_are_seen() {
    let (db, job_id) = on_sqlite();
    let new = segments(PART + 1);
    let set = stage(&db, job_id, &new);
    // Others may add to the stored set meanwhile; the new one replaces that, too.
    db.write(|tx| tx.transcripts().append(job_id, &segments(2)))
        .unwrap();
    assert_eq!(seen(&db, job_id).len(), 2);
    show(&db, job_id, set, &new);
    let stored = db.read(|conn| conn.transcripts().for_job(job_id)).unwrap();
    assert_eq!(stored.len(), new.len());
    db.write(|tx| tx.transcripts().append(job_id, &segments(3)))
        .unwrap();
    db.write(|tx| tx.transcripts().delete(job_id, stored[0].segment_id))
        .unwrap();
    assert_eq!(seen(&db, job_id).len(), new.len() + 2);
    assert_rows_counted(&db);
    let newer = segments(PART);
    let set = stage(&db, job_id, &newer);
    show(&db, job_id, set, &newer);
    // What is hidden cannot be changed.
    let gone = stored[1].segment_id;
    assert_eq!(db.read(|conn| conn.transcripts().find(gone)).unwrap(), None);
    let deleted = db.write(|tx| tx.transcripts().delete(job_id, gone));
    assert!(
        matches!(deleted, Err(Error::SegmentNotFound { .. })),
        "{deleted:?}"
    );
    delete_hidden(&db);
    assert_eq!((seen(&db, job_id), rows(&db)), (newer, PART));
    assert_rows_counted(&db);
}

#[test]
fn later_pages_fail_after_another_set_was_shown() {
    let (db, job_id) = on_sqlite();
    let new = segments(2_500);
    let set = stage(&db, job_id, &new);
    show(&db, job_id, set, &new);
    let page = |after: Option<&_>| {
        db.read(|conn| {
            conn.transcripts()
                .page(job_id, &TranscriptSelection::default(), after)
        })
    };
    let next = page(None).unwrap().next.unwrap();
    let newer = segments(2_400);
    let set = stage(&db, job_id, &newer);
    assert_eq!(page(Some(&next)).unwrap().items.len(), 500);
    show(&db, job_id, set, &newer);
    let failed = page(Some(&next));
    assert!(
        matches!(failed, Err(Error::ReplacedMeanwhile)),
        "{failed:?}"
    );
}

#[test]
fn a_set_that_was_given_up_leaves_nothing() {
    let (db, job_id) = on_sqlite();
    let old = segments(4);
    db.write(|tx| tx.transcripts().replace_for_job(job_id, &old))
        .unwrap();
    let set = stage(&db, job_id, &segments(PART + 3));
    delete_hidden(&db);
    assert_eq!(rows(&db), PART + 7, "a staged set stays");
    db.write(|tx| tx.row_sets().discard(set)).unwrap();
    let shown = db.write(|tx| tx.transcripts().show_set(job_id, set, &segments(1), CLIENT));
    assert!(matches!(shown, Err(Error::ReplacedMeanwhile)), "{shown:?}");
    let added = db.write(|tx| tx.transcripts().add_to_set(set, &segments(1)));
    assert!(matches!(added, Err(Error::ReplacedMeanwhile)), "{added:?}");
    delete_hidden(&db);
    assert_eq!((seen(&db, job_id), rows(&db)), (old, 4));
    assert_rows_counted(&db);
}

#[test]
fn a_set_is_hidden_an_hour_after_its_writer_has_failed() {
    let clock = std::sync::Arc::new(ManualClock::default());
    let db = TestDb::on(Backend::Sqlite);
    let timed = db.clone().with_clock(clock.clone());
    let job_id = a_job().create(&timed).job_id;
    stage(&timed, job_id, &segments(PART));
    clock.advance(chrono::TimeDelta::minutes(59));
    delete_hidden(&timed);
    assert_eq!(rows(&db), PART, "at {}", clock.now());
    clock.advance(chrono::TimeDelta::minutes(2));
    delete_hidden(&timed);
    assert_eq!((rows(&db), db.sql().count("row_sets")), (0, 0));
}

#[test]
fn a_deleted_job_takes_its_sets_along() {
    let (db, job_id) = on_sqlite();
    let new = segments(PART);
    let shown = stage(&db, job_id, &new);
    show(&db, job_id, shown, &new);
    let staged = stage(&db, job_id, &new);
    db.write(|tx| tx.jobs().delete(job_id)).unwrap();
    assert_eq!((rows(&db), db.sql().count("row_sets")), (0, 0));
    let added = db.write(|tx| tx.transcripts().add_to_set(staged, &new));
    assert!(matches!(added, Err(Error::JobNotFound { .. })), "{added:?}");
}

#[test]
fn silence_regions_are_stored_in_parts_too() {
    let (db, job_id) = on_sqlite();
    let new = silence_regions(PART + 9);
    let set = db.write(|tx| tx.silence_regions().begin_set(job_id, new.len()));
    let set = set.unwrap().unwrap();
    for part in new.chunks(PART) {
        db.write(|tx| tx.silence_regions().add_to_set(set, part))
            .unwrap();
    }
    let seen = || {
        let stored = db.read(|conn| conn.silence_regions().for_job(job_id));
        let stored = stored.unwrap().into_iter().map(|region| region.data);
        stored.collect::<Vec<_>>()
    };
    assert!(seen().is_empty());
    db.write(|tx| tx.silence_regions().show_set(job_id, set, &new))
        .unwrap();
    assert_eq!(seen(), new);
}
