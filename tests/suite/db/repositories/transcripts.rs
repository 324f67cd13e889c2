use std::collections::HashSet;

use chrono::TimeDelta;
use lectern_db::{Database, Error};
use lectern_domain::{JobId, NewTranscriptSegment, TranscriptSegment, Window};
use lectern_tests::{TestDb, a_job, a_segment, on_both_backends, segments};

use crate::db::support::window;

on_both_backends!(
    stored_segments_are_read_back_unchanged,
    special_characters_are_stored_unchanged,
    a_new_set_replaces_the_old_set_of_its_job_only,
    storing_the_same_set_again_keeps_the_rows,
    concurrent_replacements_leave_one_whole_set,
    appended_segments_are_added_to_the_others,
    concurrent_appends_lose_nothing,
    a_window_selects_overlapping_segments,
    an_empty_segment_is_in_the_window_of_its_start,
    a_search_ignores_case_in_any_alphabet,
    a_search_has_no_wildcards,
    search_and_window_filters_combine,
    segments_are_listed_by_time,
);

fn replace(db: &Database, job: JobId, segments: &[NewTranscriptSegment]) {
    db.write(|tx| {
        let stored = tx.transcripts().replace_for_job(job, segments)?;
        assert_eq!(stored, tx.transcripts().for_job(job)?);
        Ok::<_, Error>(())
    })
    .unwrap();
}

fn all(db: &Database, job: JobId) -> Vec<TranscriptSegment> {
    db.read(|conn| conn.transcripts().for_job(job)).unwrap()
}

fn texts(segments: &[TranscriptSegment]) -> Vec<&str> {
    segments
        .iter()
        .map(|segment| segment.text.as_str())
        .collect()
}

/// A job with a transcript of these texts, one second each.
fn with_texts(db: &Database, texts: &[&str]) -> JobId {
    let job = a_job().create(db).job_id;
    let segments: Vec<_> = texts
        .iter()
        .zip(0u32..)
        .map(|(text, i)| a_segment(i.into(), f64::from(i) + 1.0, text))
        .collect();
    replace(db, job, &segments);
    job
}

fn stored_segments_are_read_back_unchanged(db: TestDb) {
    let job = a_job().create(&db).job_id;
    let new = segments(1_500);
    replace(&db, job, &new);
    let stored = all(&db, job);
    assert_eq!(stored.len(), new.len());
    for (stored, new) in stored.iter().zip(&new) {
        assert_eq!((stored.job_id, stored.created_at), (job, db.now()));
        assert_eq!((stored.time, &stored.text), (new.time, &new.text));
        assert_eq!(
            (stored.confidence, &stored.speaker_id),
            (new.confidence, &new.speaker_id)
        );
    }
    let ids: HashSet<_> = stored.iter().map(|segment| segment.segment_id).collect();
    assert_eq!(ids.len(), new.len());
    assert_eq!(
        db.read(|conn| conn.transcripts().count(job)).unwrap(),
        1_500
    );
}

fn special_characters_are_stored_unchanged(db: TestDb) {
    let odd = [
        "\\N",
        "\\.",
        "tab\there",
        "new\nline\r\n",
        "NULL",
        "'; DROP TABLE jobs; --",
        "\u{1F393}é",
        "\"{}\"",
        " padded ",
    ];
    let job = with_texts(&db, &odd);
    assert_eq!(texts(&all(&db, job)), odd);
}

fn a_new_set_replaces_the_old_set_of_its_job_only(db: TestDb) {
    let (one, other) = (with_texts(&db, &["a", "b", "c"]), with_texts(&db, &["x"]));
    replace(&db, one, &[a_segment(0.0, 1.0, "d")]);
    assert_eq!(texts(&all(&db, one)), ["d"]);
    assert_eq!(texts(&all(&db, other)), ["x"]);
    replace(&db, one, &[]);
    assert_eq!(texts(&all(&db, one)), [""; 0]);
}

fn storing_the_same_set_again_keeps_the_rows(db: TestDb) {
    let job = a_job().create(&db).job_id;
    replace(&db, job, &segments(20));
    let before = all(&db, job);
    db.clock().advance(TimeDelta::seconds(1));
    replace(&db, job, &segments(20));
    assert_eq!(all(&db, job), before);
}

fn concurrent_replacements_leave_one_whole_set(db: TestDb) {
    let job = a_job().create(&db).job_id;
    let sets: Vec<Vec<_>> = (1..=8).map(|n| segments(n * 10)).collect();
    std::thread::scope(|scope| {
        for set in &sets {
            scope.spawn(|| {
                db.write(|tx| tx.transcripts().replace_for_job(job, set))
                    .unwrap()
            });
        }
    });
    let stored = all(&db, job);
    let whole = sets.iter().any(|set| {
        set.len() == stored.len()
            && set
                .iter()
                .zip(&stored)
                .all(|(new, stored)| new.time == stored.time)
    });
    assert!(whole, "{} segments", stored.len());
}

fn appended_segments_are_added_to_the_others(db: TestDb) {
    let job = with_texts(&db, &["one", "two"]);
    let append = |segments: &[_]| {
        db.write(|tx| tx.transcripts().append(job, segments))
            .unwrap()
    };
    let added = append(&[a_segment(5.0, 6.0, "four"), a_segment(4.0, 5.0, "three")]);
    assert_eq!(append(&[]), []);
    let stored = all(&db, job);
    assert_eq!(texts(&stored), ["one", "two", "three", "four"]);
    assert_eq!(
        [&added[1], &added[0]],
        [&stored[2], &stored[3]],
        "the returned set is the stored one"
    );
}

fn concurrent_appends_lose_nothing(db: TestDb) {
    let job = a_job().create(&db).job_id;
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                db.write(|tx| tx.transcripts().append(job, &segments(5)))
                    .unwrap()
            });
        }
    });
    assert_eq!(all(&db, job).len(), 40);
}

fn a_window_selects_overlapping_segments(db: TestDb) {
    let job = a_job().create(&db).job_id;
    replace(
        &db,
        job,
        &[
            a_segment(0.0, 10.0, "ends where it begins"),
            a_segment(5.0, 15.0, "reaches in"),
            a_segment(8.0, 40.0, "spans it"),
            a_segment(12.0, 14.0, "is inside"),
            a_segment(19.0, 25.0, "reaches out"),
            a_segment(20.0, 25.0, "begins where it ends"),
        ],
    );
    let within = |window: Window| {
        db.read(|conn| conn.transcripts().in_range(job, window))
            .unwrap()
    };
    assert_eq!(
        texts(&within(window(10.0, 20.0))),
        ["reaches in", "spans it", "is inside", "reaches out"]
    );
    assert_eq!(
        texts(&within(window(20.0, None))),
        ["spans it", "reaches out", "begins where it ends"]
    );
    assert_eq!(texts(&within(window(None, 5.0))), ["ends where it begins"]);
    assert_eq!(within(window(None, None)).len(), 6);
    assert_eq!(texts(&within(window(40.0, 50.0))), [""; 0]);
}

fn an_empty_segment_is_in_the_window_of_its_start(db: TestDb) {
    let job = a_job().create(&db).job_id;
    replace(
        &db,
        job,
        &[
            a_segment(0.0, 0.0, "zero"),
            a_segment(10.0, 10.0, "ten"),
            a_segment(20.0, 20.0, "twenty"),
        ],
    );
    let within = |from, to| {
        db.read(|conn| conn.transcripts().in_range(job, window(from, to)))
            .unwrap()
    };
    assert_eq!(texts(&within(10.0, 20.0)), ["ten"]);
    assert_eq!(texts(&within(0.0, 10.0)), ["zero"]);
    assert_eq!(texts(&within(20.0, 20.5)), ["twenty"]);
}

fn a_search_ignores_case_in_any_alphabet(db: TestDb) {
    let job = with_texts(
        &db,
        &[
            "Entropie WÄCHST",
            "ΕΝΤΡΟΠΊΑ",
            "nothing",
            "ΟΣΑ ΛΈΜΕ",
            "ο λόγος",
        ],
    );
    let search = |words: &str| {
        db.read(|conn| conn.transcripts().search(job, words))
            .unwrap()
    };
    assert_eq!(texts(&search("wächst")), ["Entropie WÄCHST"]);
    assert_eq!(texts(&search("eNTROPIE w")), ["Entropie WÄCHST"]);
    assert_eq!(texts(&search("εντροπία")), ["ΕΝΤΡΟΠΊΑ"]);
    // As it is typed: the last letter is a final sigma only until the next one follows.
    for words in ["ΟΣ", "ος", "οσ", "ΟΣΑ", "οσα λ"] {
        assert!(texts(&search(words)).contains(&"ΟΣΑ ΛΈΜΕ"), "{words}");
    }
    for words in ["ΛΌΓΟΣ", "λόγοσ", "λόγος"] {
        assert_eq!(texts(&search(words)), ["ο λόγος"], "{words}");
    }
    assert_eq!(texts(&search("absent")), [""; 0]);
    assert_eq!(search("").len(), 5);
}

fn a_search_has_no_wildcards(db: TestDb) {
    let job = with_texts(
        &db,
        &[
            "100% sure",
            "100 percent",
            "a_b",
            "axb",
            r"C:\temp",
            "C:/temp",
            "it's",
            "a*b?",
            "[ab]",
        ],
    );
    let search = |words: &str| {
        db.read(|conn| conn.transcripts().search(job, words))
            .unwrap()
    };
    for (words, found) in [
        ("100%", "100% sure"),
        ("a_b", "a_b"),
        (r"\t", r"C:\temp"),
        (r"C:\", r"C:\temp"),
        ("'", "it's"),
        ("a*b?", "a*b?"),
        ("[ab]", "[ab]"),
        ("%", "100% sure"),
        ("_", "a_b"),
    ] {
        assert_eq!(texts(&search(words)), [found], "{words}");
    }
    assert_eq!(texts(&search("%sure")), [""; 0]);
}

fn search_and_window_filters_combine(db: TestDb) {
    let job = with_texts(&db, &["yes one", "no", "yes two", "yes three"]);
    let list = db.read(|conn| conn.transcripts().list(job, window(1.0, 3.0), Some("YES")));
    assert_eq!(texts(&list.unwrap()), ["yes two"]);
}

fn segments_are_listed_by_time(db: TestDb) {
    let job = a_job().create(&db).job_id;
    replace(
        &db,
        job,
        &[
            a_segment(9.0, 9.5, "c"),
            a_segment(1.0, 2.0, "a"),
            a_segment(3.0, 8.0, "b"),
        ],
    );
    assert_eq!(texts(&all(&db, job)), ["a", "b", "c"]);
}
