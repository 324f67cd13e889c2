use lectern_domain::{NewTranscriptSegment, Stage, TranscriptSource};
use lectern_tests::{Body, TestServer, a_segment, on_both_backends, segments, snapshot, two_words};
use serde_json::{Value, json};

use crate::http::support::job_set::JobSet;
use crate::http::support::worker::{claim, create_job};
use crate::http::support::{JOBS, UNKNOWN_ID, concurrently, job_path, percent_encoded};

on_both_backends!(
    segments_are_returned_as_sent,
    every_segment_has_an_id_a_duration_and_a_creation_time,
    times_are_returned_exactly,
    special_characters_are_returned_unchanged,
    putting_the_same_set_again_keeps_the_segments_and_their_ids,
    a_new_set_replaces_the_old_one,
    a_set_with_an_invalid_segment_stores_nothing,
    appended_segments_are_added_and_returned_alone,
    the_job_tells_who_made_its_transcript,
    a_window_selects_overlapping_segments,
    a_search_ignores_case_in_any_alphabet,
    a_search_has_no_wildcards,
    search_and_window_filters_combine,
    segments_are_selected_by_language,
    words_are_returned_only_if_they_are_asked_for,
    one_segment_has_words_only_if_they_are_asked_for,
    words_are_removed_with_the_text_that_they_belong_to,
    a_file_says_its_language_and_words,
    a_job_without_a_transcript_has_an_empty_list,
    the_transcript_of_an_unknown_job_is_not_found,
    concurrent_appends_lose_nothing,
    concurrent_puts_leave_one_set,
);

pub(super) const TRANSCRIPT_SEGMENTS: JobSet = JobSet {
    path: "/transcripts",
    list: "segments",
    id: "segment_id",
};

/// The path of a new transcript with these texts, one second each.
fn with_texts(server: &TestServer, texts: &[&str]) -> String {
    let path = TRANSCRIPT_SEGMENTS.of_a_new_job(server);
    let segments: Vec<_> = texts
        .iter()
        .zip(0u32..)
        .map(|(text, i)| a_segment(i.into(), f64::from(i) + 1.0, text))
        .collect();
    server
        .put(&path, &TRANSCRIPT_SEGMENTS.body(&segments))
        .expect(200);
    path
}

fn texts(response: &Value) -> Vec<&str> {
    TRANSCRIPT_SEGMENTS.texts(response, "text")
}

fn segments_are_returned_as_sent(server: TestServer) {
    let path = TRANSCRIPT_SEGMENTS.of_a_new_job(&server);
    let sent = TRANSCRIPT_SEGMENTS.body(&segments(2_500));
    TRANSCRIPT_SEGMENTS.assert_returned_as_sent(&server, &path, &sent);
}

fn every_segment_has_an_id_a_duration_and_a_creation_time(server: TestServer) {
    let path = TRANSCRIPT_SEGMENTS.of_a_new_job(&server);
    let bare = json!({ "start_time": 7, "end_time": 9.5, "text": "Only the required fields." });
    let full = segments(2).body()[1].take();
    let answer = server
        .put(&path, &json!({ "segments": [full, bare] }))
        .expect(200);
    snapshot!("a_transcript", answer.json());
}

fn times_are_returned_exactly(server: TestServer) {
    let path = TRANSCRIPT_SEGMENTS.of_a_new_job(&server);
    let odd = [
        0.1 + 0.2,
        1.0 / 3.0,
        12_345.678_901_234_567,
        5e-324,
        1e300,
        f64::MAX,
    ];
    let sent: Vec<_> = odd.map(|start| a_segment(start, f64::MAX, "x")).to_vec();
    let stored = server
        .put(&path, &TRANSCRIPT_SEGMENTS.body(&sent))
        .expect(200)
        .json();
    let starts = TRANSCRIPT_SEGMENTS.numbers(&stored, "start_time");
    let mut expected = odd;
    expected.sort_by(f64::total_cmp);
    assert_eq!(starts, expected);
}

fn special_characters_are_returned_unchanged(server: TestServer) {
    let odd = [
        "\\N",
        "\\.",
        "tab\there",
        "new\nline\r\n",
        "NULL",
        "'; DROP TABLE jobs; --",
        "\u{1F393}é\u{7f}",
        "\"{}\"",
        " padded ",
    ];
    let path = with_texts(&server, &odd);
    assert_eq!(texts(&server.get(&path).expect(200).json()), odd);
}

fn putting_the_same_set_again_keeps_the_segments_and_their_ids(server: TestServer) {
    TRANSCRIPT_SEGMENTS
        .assert_kept_by_an_equal_put(&server, &TRANSCRIPT_SEGMENTS.body(&segments(9)));
}

fn a_new_set_replaces_the_old_one(server: TestServer) {
    let (path, other) = (
        with_texts(&server, &["a", "b", "c"]),
        with_texts(&server, &["x"]),
    );
    assert_eq!(
        texts(
            &server
                .put(
                    &path,
                    &TRANSCRIPT_SEGMENTS.body(&[a_segment(0.0, 1.0, "d")])
                )
                .expect(200)
                .json()
        ),
        ["d"]
    );
    assert_eq!(texts(&server.get(&path).expect(200).json()), ["d"]);
    assert_eq!(
        texts(
            &server
                .put(
                    &path,
                    &TRANSCRIPT_SEGMENTS.body::<NewTranscriptSegment>(&[])
                )
                .expect(200)
                .json()
        ),
        [""; 0]
    );
    assert_eq!(texts(&server.get(&path).expect(200).json()), [""; 0]);
    assert_eq!(texts(&server.get(&other).expect(200).json()), ["x"]);
}

fn a_set_with_an_invalid_segment_stores_nothing(server: TestServer) {
    let path = with_texts(&server, &["before"]);
    let mut sent = TRANSCRIPT_SEGMENTS.body(&segments(200));
    sent["segments"][199]["end_time"] = json!(0.5);
    server
        .put(&path, &sent)
        .problem_with(422, "validation_failed", "segments[199].end_time");
    server
        .post(&path, &sent)
        .problem_with(422, "validation_failed", "segments[199].end_time");
    assert_eq!(texts(&server.get(&path).expect(200).json()), ["before"]);
}

fn appended_segments_are_added_and_returned_alone(server: TestServer) {
    let path = with_texts(&server, &["one", "two"]);
    let more =
        TRANSCRIPT_SEGMENTS.body(&[a_segment(4.0, 5.0, "three"), a_segment(5.0, 6.0, "four")]);
    let added = server.post(&path, &more).expect(201).json();
    assert_eq!(TRANSCRIPT_SEGMENTS.as_sent(added.clone()), more["segments"]);
    let all = server.get(&path).expect(200).json();
    assert_eq!(texts(&all), ["one", "two", "three", "four"]);
    assert_eq!(
        added["segments"].as_array().unwrap(),
        &all["segments"].as_array().unwrap()[2..]
    );
    assert_eq!(
        texts(
            &server
                .post(
                    &path,
                    &TRANSCRIPT_SEGMENTS.body::<NewTranscriptSegment>(&[])
                )
                .expect(201)
                .json()
        ),
        [""; 0]
    );
    server
        .post(
            &path,
            &TRANSCRIPT_SEGMENTS.body(&[a_segment(0.5, 0.6, "between")]),
        )
        .expect(201);
    assert_eq!(
        texts(&server.get(&path).expect(200).json()),
        ["one", "between", "two", "three", "four"]
    );
}

fn the_job_tells_who_made_its_transcript(server: TestServer) {
    let job = create_job(&server, json!({}));
    let path = job_path(job, "/transcripts");
    let representation = || server.get(&job_path(job, "")).expect(200);
    let source = || representation().json()["transcript_source"].clone();
    let version = || representation().header("etag").map(str::to_owned);
    let body = TRANSCRIPT_SEGMENTS.body(&segments(3));
    assert_eq!(source(), Value::Null);
    let etag = version();

    server.put(&path, &body).expect(200);
    assert_eq!(source(), "client");
    assert_ne!(version(), etag, "the representation has changed");
    let etag = version();
    server.put(&path, &body).expect(200);
    assert_eq!(version(), etag);
    server.put(&path, &json!({ "segments": [] })).expect(200);
    assert_eq!(source(), Value::Null);

    let claimed = claim(&server, &[Stage::Transcription]).unwrap();
    claimed.store(&server);
    assert_eq!(source(), "recognizer");
    claimed.send(&server, "complete", &json!({})).expect(200);
    // A person mends a line.
    let stored = server.get(&path).expect(200).json();
    let segment = stored["segments"][0]["segment_id"].as_str().unwrap();
    let line = format!("/api/v1/transcripts/{segment}");
    server
        .patch(&line, &json!({ "text": "Welcome." }))
        .expect(200);
    assert_eq!(source(), "client");
    // In lists, too.
    let listed = server.get(JOBS).expect(200).json();
    assert_eq!(listed["jobs"][0]["transcript_source"], "client");

    for change in ["append", "delete"] {
        server
            .db()
            .write(|tx| tx.transcripts().set_source(job, TranscriptSource::Track))
            .unwrap();
        match change {
            "append" => server.post(&path, &body).expect(201),
            _ => server.delete(&line).expect(204),
        };
        assert_eq!(source(), "client", "{change}");
    }
}

fn a_window_selects_overlapping_segments(server: TestServer) {
    let path = TRANSCRIPT_SEGMENTS.of_a_new_job(&server);
    let sent = TRANSCRIPT_SEGMENTS.body(&[
        a_segment(0.0, 10.0, "ends where it begins"),
        a_segment(5.0, 15.0, "reaches in"),
        a_segment(8.0, 40.0, "spans it"),
        a_segment(10.0, 10.0, "is a moment"),
        a_segment(12.0, 14.0, "is inside"),
        a_segment(19.0, 25.0, "reaches out"),
        a_segment(20.0, 25.0, "begins where it ends"),
    ]);
    server.put(&path, &sent).expect(200);
    for (window, found) in [
        (
            "?from=10&to=20",
            &[
                "reaches in",
                "spans it",
                "is a moment",
                "is inside",
                "reaches out",
            ][..],
        ),
        (
            "?from=20",
            &["spans it", "reaches out", "begins where it ends"],
        ),
        ("?to=5", &["ends where it begins"]),
        ("?from=40&to=50", &[]),
        (
            "?from=0",
            &[
                "ends where it begins",
                "reaches in",
                "spans it",
                "is a moment",
                "is inside",
                "reaches out",
                "begins where it ends",
            ],
        ),
    ] {
        assert_eq!(
            texts(&server.get(&format!("{path}{window}")).expect(200).json()),
            found,
            "{window}"
        );
    }
}

fn a_search_ignores_case_in_any_alphabet(server: TestServer) {
    let path = with_texts(
        &server,
        &["Entropie WÄCHST", "ΕΝΤΡΟΠΊΑ", "Всё течёт", "ΟΣΑ", "nothing"],
    );
    for (words, found) in [
        ("wächst", &["Entropie WÄCHST"][..]),
        ("eNTROPIE w", &["Entropie WÄCHST"]),
        ("εντροπία", &["ΕΝΤΡΟΠΊΑ"]),
        ("ВСЁ ТЕЧЁТ", &["Всё течёт"]),
        ("ΟΣ", &["ΟΣΑ"]),
        ("absent", &[]),
    ] {
        let response = server
            .get(&format!("{path}?q={}", percent_encoded(words)))
            .expect(200)
            .json();
        assert_eq!(texts(&response), found, "{words}");
    }
}

fn a_search_has_no_wildcards(server: TestServer) {
    let path = with_texts(
        &server,
        &[
            "100% sure",
            "100 percent",
            "a_b",
            "axb",
            r"C:\temp",
            "C:/temp",
            "it's",
            "a*b?",
            "1+1&2=3#",
        ],
    );
    for (words, found) in [
        ("100%", "100% sure"),
        ("%", "100% sure"),
        ("a_b", "a_b"),
        ("_", "a_b"),
        (r"\t", r"C:\temp"),
        (r"C:\", r"C:\temp"),
        ("'", "it's"),
        ("a*b?", "a*b?"),
        ("1+1&2=3#", "1+1&2=3#"),
    ] {
        let answer = server
            .get(&format!("{path}?q={}", percent_encoded(words)))
            .expect(200)
            .json();
        assert_eq!(texts(&answer), [found], "{words}");
    }
    // In a query string an unencoded plus is a space.
    assert_eq!(
        texts(&server.get(&format!("{path}?q=100+p")).expect(200).json()),
        ["100 percent"]
    );
}

fn search_and_window_filters_combine(server: TestServer) {
    let path = with_texts(&server, &["yes one", "no", "yes two", "yes three"]);
    assert_eq!(
        texts(
            &server
                .get(&format!("{path}?from=1&to=3&q=YES"))
                .expect(200)
                .json()
        ),
        ["yes two"]
    );
}

fn segments_are_selected_by_language(server: TestServer) {
    let path = TRANSCRIPT_SEGMENTS.of_a_new_job(&server);
    let languages = [Some("EN_gb"), Some("en"), Some("ger"), None];
    let segments: Vec<_> = languages
        .iter()
        .map(|language| {
            let text = language.unwrap_or("none");
            json!({ "start_time": 0, "end_time": 1, "text": text, "language": language })
        })
        .collect();
    let stored = server.put(&path, &json!({ "segments": segments }));
    let stored = stored.expect(200).json()["segments"].clone();
    let languages: Vec<_> = stored
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["language"])
        .collect();
    assert_eq!(
        languages,
        [&json!("en-GB"), &json!("en"), &json!("de"), &Value::Null]
    );
    for (wanted, expected) in [
        ("en", &["EN_gb", "en"][..]),
        ("eng-GB", &["EN_gb"]),
        ("DE", &["ger"]),
        ("fr", &[]),
    ] {
        let found = server.get(&format!("{path}?language={wanted}")).expect(200);
        assert_eq!(texts(&found.json()), expected, "{wanted}");
    }
    let file = server
        .get(&format!("{path}?language=de&format=text"))
        .expect(200);
    assert!(file.text().trim().ends_with("] ger"), "{}", file.text());
}

/// A segment with two words.
fn spoken(text: &str) -> Value {
    let mut segment = a_segment(1.0, 2.0, text);
    segment.words = Some(two_words(1.0));
    segment.body()
}

/// The words of the first segment, in the list with words.
fn words_of(server: &TestServer, path: &str) -> Value {
    let list = server.get(&format!("{path}?words=true")).expect(200);
    list.json()["segments"][0]["words"].clone()
}

fn words_are_returned_only_if_they_are_asked_for(server: TestServer) {
    let path = TRANSCRIPT_SEGMENTS.of_a_new_job(&server);
    let body = json!({ "segments": [spoken("Gradient descent"), a_segment(2.0, 3.0, "b").body()] });
    let stored = server.put(&path, &body).expect(200).json();
    let appended = server.post(&path, &body).expect(201).json();
    for answer in [&stored, &appended, &server.get(&path).expect(200).json()] {
        assert_eq!(answer["segments"][0].get("words"), None);
    }
    let with_words = server.get(&format!("{path}?words=true")).expect(200).json();
    let rows = with_words["segments"].as_array().unwrap();
    let with_words = rows.iter().filter(|row| row.get("words").is_some());
    for row in with_words.clone() {
        assert_eq!(row["words"], body["segments"][0]["words"]);
    }
    assert_eq!((rows.len(), with_words.count()), (4, 2));
    // An equal set keeps the rows.
    let again = server
        .put(&path, &json!({ "segments": rows_to_send(rows) }))
        .expect(200)
        .json();
    assert_eq!(again["segments"][0]["segment_id"], rows[0]["segment_id"]);
    let bare = json!({ "segments": [a_segment(1.0, 2.0, "Gradient descent").body()] });
    server.put(&path, &bare).expect(200);
    assert_eq!(words_of(&server, &path), Value::Null);
}

/// Rows of a response as they are sent.
fn rows_to_send(rows: &[Value]) -> Vec<Value> {
    let sent = |row: &Value| {
        let mut row = row.clone();
        for field in ["segment_id", "duration", "created_at"] {
            row.as_object_mut().unwrap().remove(field);
        }
        row
    };
    let mut rows: Vec<_> = rows.iter().map(sent).collect();
    // In the order in which they were stored.
    rows.swap(1, 2);
    rows
}

fn one_segment_has_words_only_if_they_are_asked_for(server: TestServer) {
    let list = TRANSCRIPT_SEGMENTS.of_a_new_job(&server);
    let body = json!({ "segments": [spoken("Gradient descent"), a_segment(2.0, 3.0, "b").body()] });
    let stored = server.put(&list, &body).expect(200).json();
    let path = |index: usize| {
        let id = stored["segments"][index]["segment_id"].as_str().unwrap();
        format!("/api/v1/transcripts/{id}")
    };
    let spoken = path(0);
    let bare = server.get(&spoken).expect(200);
    assert_eq!(bare.json(), stored["segments"][0]);
    let with_words = server.get(&format!("{spoken}?words=true")).expect(200);
    assert_eq!(with_words.json()["words"], body["segments"][0]["words"]);
    let none = server.get(&format!("{}?words=true", path(1))).expect(200);
    assert_eq!(none.json(), stored["segments"][1]);
    server.get(&format!("{spoken}?words=1")).expect(400);
    server.get(&format!("{spoken}?language=en")).expect(400);

    // Both have the tag of the whole, so that a change of the words is not overwritten unseen.
    let tag = bare.header("ETag").unwrap().to_owned();
    assert_eq!(with_words.header("ETag"), Some(tag.as_str()));
    let mut words = body["segments"][0]["words"].clone();
    words[0]["text"] = json!("Gradients");
    let change = |words: &Value| {
        let request = server.request("PATCH", &spoken).header("If-Match", &tag);
        request.json(&json!({ "words": words })).send()
    };
    let changed = change(&words).expect(200);
    assert_ne!(changed.header("ETag"), Some(tag.as_str()));
    assert_eq!(changed.json().get("words"), None);
    change(&Value::Null).expect(412);
    assert_eq!(words_of(&server, &list), words);
}

fn words_are_removed_with_the_text_that_they_belong_to(server: TestServer) {
    let path = TRANSCRIPT_SEGMENTS.of_a_new_job(&server);
    let stored = server.put(&path, &json!({ "segments": [spoken("Gradient descent")] }));
    let id = stored.expect(200).json()["segments"][0]["segment_id"].clone();
    let segment = format!("/api/v1/transcripts/{}", id.as_str().unwrap());
    let words = words_of(&server, &path);
    server
        .patch(
            &segment,
            &json!({ "confidence": 0.5, "text": "Gradient descent" }),
        )
        .expect(200);
    assert_eq!(words_of(&server, &path), words);
    server
        .patch(&segment, &json!({ "text": "Gradient ascent" }))
        .expect(200);
    assert_eq!(words_of(&server, &path), Value::Null);
    server
        .patch(&segment, &json!({ "end_time": 3.0, "words": words }))
        .expect(200);
    assert_eq!(words_of(&server, &path), words);
    server
        .patch(&segment, &json!({ "end_time": 4.0 }))
        .expect(200);
    assert_eq!(words_of(&server, &path), Value::Null);
}

fn a_file_says_its_language_and_words(server: TestServer) {
    let path = TRANSCRIPT_SEGMENTS.of_a_new_job(&server);
    let whisper = json!({ "language": "german", "segments": [{
        "start": 0.0, "end": 1.0, "text": " Guten Tag",
        "words": [
            { "word": " Guten", "start": 0.0, "end": 0.5, "probability": 0.5 },
            { "word": " Tag", "start": 0.5, "end": 1.0, "probability": 0.25 },
        ],
    }] });
    let stored = server.put(&path, &whisper).expect(200).json();
    assert_eq!(stored["segments"][0]["language"], "de");
    let expected = json!([
        { "start": 0.0, "end": 0.5, "text": "Guten", "probability": 0.5 },
        { "start": 0.5, "end": 1.0, "text": "Tag", "probability": 0.25 },
    ]);
    assert_eq!(words_of(&server, &path), expected);
}

fn a_job_without_a_transcript_has_an_empty_list(server: TestServer) {
    TRANSCRIPT_SEGMENTS.assert_empty_without_rows(&server);
}

fn the_transcript_of_an_unknown_job_is_not_found(server: TestServer) {
    let path = format!("{JOBS}/{UNKNOWN_ID}/transcripts");
    server.get(&path).problem(404, "job_not_found");
    server
        .get(&format!("{path}?q=x&from=1"))
        .problem(404, "job_not_found");
    server
        .put(&path, &TRANSCRIPT_SEGMENTS.body(&segments(3)))
        .problem(404, "job_not_found");
    server
        .put(
            &path,
            &TRANSCRIPT_SEGMENTS.body::<NewTranscriptSegment>(&[]),
        )
        .problem(404, "job_not_found");
    server
        .post(&path, &TRANSCRIPT_SEGMENTS.body(&segments(3)))
        .problem(404, "job_not_found");
}

fn concurrent_appends_lose_nothing(server: TestServer) {
    let path = TRANSCRIPT_SEGMENTS.of_a_new_job(&server);
    concurrently(8, |_| {
        server
            .post(&path, &TRANSCRIPT_SEGMENTS.body(&segments(5)))
            .expect(201)
    });
    assert_eq!(server.get(&path).expect(200).json()["total"], 40);
}

fn concurrent_puts_leave_one_set(server: TestServer) {
    TRANSCRIPT_SEGMENTS
        .assert_concurrent_puts_leave_one_set(&server, |n| TRANSCRIPT_SEGMENTS.body(&segments(n)));
}
