use chrono::TimeDelta;
use lectern_domain::NewTranscriptSegment;
use lectern_tests::{Body, TestServer, a_job, a_segment, on_both_backends, segments, snapshot};
use serde_json::{Value, json};

use crate::http::support::{JOBS, UNKNOWN_ID, concurrently, job_path};

on_both_backends!(
    segments_are_returned_as_sent,
    every_segment_has_an_id_a_duration_and_a_creation_time,
    times_are_returned_exactly,
    special_characters_are_returned_unchanged,
    putting_the_same_set_again_keeps_the_segments_and_their_ids,
    a_new_set_replaces_the_old_one,
    a_set_with_an_invalid_segment_stores_nothing,
    appended_segments_are_added_and_returned_alone,
    a_window_selects_overlapping_segments,
    a_search_ignores_case_in_any_alphabet,
    a_search_has_no_wildcards,
    search_and_window_filters_combine,
    a_job_without_a_transcript_has_an_empty_list,
    the_transcript_of_an_unknown_job_is_not_found,
    concurrent_puts_leave_one_whole_set,
    concurrent_appends_lose_nothing,
);

/// The path of the transcript of a new job.
fn of_a_job(server: &TestServer) -> String {
    job_path(a_job().create(server.db()).job_id, "/transcripts")
}

/// The same with a transcript of these texts, one second each.
fn with_texts(server: &TestServer, texts: &[&str]) -> String {
    let path = of_a_job(server);
    let segments: Vec<_> = texts
        .iter()
        .zip(0u32..)
        .map(|(text, i)| a_segment(i.into(), f64::from(i) + 1.0, text))
        .collect();
    server.put(&path, &body(&segments)).expect(200);
    path
}

fn body(segments: &[NewTranscriptSegment]) -> Value {
    json!({ "segments": segments.body() })
}

fn texts(answer: &Value) -> Vec<&str> {
    let segments = answer["segments"].as_array().unwrap();
    assert_eq!(answer["total"], json!(segments.len()));
    segments
        .iter()
        .map(|segment| segment["text"].as_str().unwrap())
        .collect()
}

/// The segments of a response without the fields added by the server.
pub(crate) fn as_sent(mut answer: Value) -> Value {
    for segment in answer["segments"].as_array_mut().unwrap() {
        let segment = segment.as_object_mut().unwrap();
        for added in ["segment_id", "duration", "created_at"] {
            assert!(segment.remove(added).is_some(), "{added}");
        }
    }
    answer["segments"].take()
}

/// `text` percent-encoded for a query string.
fn encoded(text: &str) -> String {
    let bytes: Vec<_> = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    bytes.concat()
}

fn segments_are_returned_as_sent(server: TestServer) {
    let path = of_a_job(&server);
    let sent = body(&segments(1_500));
    let stored = server.put(&path, &sent).expect(200).json();
    assert_eq!(server.get(&path).expect(200).json(), stored);
    assert_eq!(stored["total"], 1_500);
    assert_eq!(as_sent(stored), sent["segments"]);
}

fn every_segment_has_an_id_a_duration_and_a_creation_time(server: TestServer) {
    let path = of_a_job(&server);
    let bare = json!({ "start_time": 7, "end_time": 9.5, "text": "Only what must be." });
    let full = segments(2).body()[1].take();
    let answer = server
        .put(&path, &json!({ "segments": [full, bare] }))
        .expect(200);
    snapshot!("a_transcript", answer.json());
}

fn times_are_returned_exactly(server: TestServer) {
    let path = of_a_job(&server);
    let odd = [
        0.1 + 0.2,
        1.0 / 3.0,
        12_345.678_901_234_567,
        5e-324,
        1e300,
        f64::MAX,
    ];
    let sent: Vec<_> = odd.map(|start| a_segment(start, f64::MAX, "x")).to_vec();
    let mut stored = server.put(&path, &body(&sent)).expect(200).json()["segments"].take();
    let starts: Vec<_> = stored
        .as_array_mut()
        .unwrap()
        .iter()
        .map(|s| s["start_time"].as_f64().unwrap())
        .collect();
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
    let path = of_a_job(&server);
    let stored = server.put(&path, &body(&segments(30))).expect(200).json();
    server.db().clock().advance(TimeDelta::seconds(1));
    assert_eq!(
        server.put(&path, &body(&segments(30))).expect(200).json(),
        stored
    );
    assert_eq!(server.get(&path).expect(200).json(), stored);
}

fn a_new_set_replaces_the_old_one(server: TestServer) {
    let (path, other) = (
        with_texts(&server, &["a", "b", "c"]),
        with_texts(&server, &["x"]),
    );
    assert_eq!(
        texts(
            &server
                .put(&path, &body(&[a_segment(0.0, 1.0, "d")]))
                .expect(200)
                .json()
        ),
        ["d"]
    );
    assert_eq!(texts(&server.get(&path).expect(200).json()), ["d"]);
    assert_eq!(
        texts(&server.put(&path, &body(&[])).expect(200).json()),
        [""; 0]
    );
    assert_eq!(texts(&server.get(&path).expect(200).json()), [""; 0]);
    assert_eq!(texts(&server.get(&other).expect(200).json()), ["x"]);
}

fn a_set_with_an_invalid_segment_stores_nothing(server: TestServer) {
    let path = with_texts(&server, &["before"]);
    let mut sent = body(&segments(200));
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
    let more = body(&[a_segment(4.0, 5.0, "three"), a_segment(5.0, 6.0, "four")]);
    let added = server.post(&path, &more).expect(201).json();
    assert_eq!(as_sent(added.clone()), more["segments"]);
    let all = server.get(&path).expect(200).json();
    assert_eq!(texts(&all), ["one", "two", "three", "four"]);
    assert_eq!(
        added["segments"].as_array().unwrap(),
        &all["segments"].as_array().unwrap()[2..]
    );
    assert_eq!(
        texts(&server.post(&path, &body(&[])).expect(201).json()),
        [""; 0]
    );
    server
        .post(&path, &body(&[a_segment(0.5, 0.6, "between")]))
        .expect(201);
    assert_eq!(
        texts(&server.get(&path).expect(200).json()),
        ["one", "between", "two", "three", "four"]
    );
}

fn a_window_selects_overlapping_segments(server: TestServer) {
    let path = of_a_job(&server);
    let sent = body(&[
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
        &["Entropie WÄCHST", "ΕΝΤΡΟΠΊΑ", "Всё течёт", "nothing"],
    );
    for (words, found) in [
        ("wächst", &["Entropie WÄCHST"][..]),
        ("eNTROPIE w", &["Entropie WÄCHST"]),
        ("εντροπία", &["ΕΝΤΡΟΠΊΑ"]),
        ("ВСЁ ТЕЧЁТ", &["Всё течёт"]),
        ("absent", &[]),
    ] {
        let found_now = server
            .get(&format!("{path}?q={}", encoded(words)))
            .expect(200)
            .json();
        assert_eq!(texts(&found_now), found, "{words}");
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
            .get(&format!("{path}?q={}", encoded(words)))
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

fn a_job_without_a_transcript_has_an_empty_list(server: TestServer) {
    let job_id = a_job().create(server.db()).job_id;
    let answer = server
        .get(&job_path(job_id, "/transcripts"))
        .expect(200)
        .json();
    assert_eq!(
        answer,
        json!({ "job_id": job_id, "segments": [], "total": 0 })
    );
}

fn the_transcript_of_an_unknown_job_is_not_found(server: TestServer) {
    let path = format!("{JOBS}/{UNKNOWN_ID}/transcripts");
    server.get(&path).problem(404, "job_not_found");
    server
        .get(&format!("{path}?q=x&from=1"))
        .problem(404, "job_not_found");
    server
        .put(&path, &body(&segments(3)))
        .problem(404, "job_not_found");
    server.put(&path, &body(&[])).problem(404, "job_not_found");
    server
        .post(&path, &body(&segments(3)))
        .problem(404, "job_not_found");
}

fn concurrent_puts_leave_one_whole_set(server: TestServer) {
    let path = of_a_job(&server);
    let answers = concurrently(8, |i| {
        server
            .put(&path, &body(&segments(10 * (i + 1))))
            .expect(200)
            .json()
    });
    for (i, answer) in answers.iter().enumerate() {
        assert_eq!(
            answer["total"],
            json!(10 * (i + 1)),
            "each is answered the set it has put"
        );
    }
    assert!(answers.contains(&server.get(&path).expect(200).json()));
}

fn concurrent_appends_lose_nothing(server: TestServer) {
    let path = of_a_job(&server);
    concurrently(8, |_| server.post(&path, &body(&segments(5))).expect(201));
    assert_eq!(server.get(&path).expect(200).json()["total"], 40);
}
