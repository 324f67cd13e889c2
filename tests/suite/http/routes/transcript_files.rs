//! Transcripts as files: the request format is the `Content-Type`, the response
//! format is from the query or `Accept`.

use lectern_tests::{Response, TestServer, on_both_backends};
use serde_json::{Value, json};

use super::transcripts::TRANSCRIPT_SEGMENTS;
use crate::http::support::{UNKNOWN_ID, job_path};

on_both_backends!(
    webvtt_is_accepted_and_returned,
    subrip_is_accepted_and_returned,
    a_file_in_two_languages_is_selected_by_language,
    whisper_json_is_accepted,
    whisper_json_variants_are_accepted,
    legacy_charsets_are_decoded,
    every_format_is_read,
    what_is_left_out_of_a_file_is_noted,
    times_without_an_end_or_a_unit_follow_from_the_recording,
    times_that_do_not_fit_the_recording_are_noted,
    plain_text_has_paragraphs_speakers_and_timestamps,
    format_overrides_accept_and_json_is_the_default,
    window_and_search_filters_apply_to_files,
    an_empty_transcript_is_an_empty_file,
);

pub(super) const VTT: &str = "text/vtt";
pub(super) const SRT: &str = "application/x-subrip";

/// Cues of two speakers with characters that are special in some format.
pub(super) const CUES: &str = "WEBVTT

00:00:01.001 --> 00:00:02.999
<v Ada>a &lt; b &amp;&amp; b --&gt; c

00:00:02.500 --> 00:00:04.000
<v Ada>Two lines
on top of the one before.

00:00:10.000 --> 00:00:10.000
<v Grace>Now!

101:00:00.000 --> 101:00:01.000
Who is still here?
";

pub(super) fn send(
    server: &TestServer,
    method: &str,
    path: &str,
    kind: &str,
    body: &[u8],
) -> Response {
    server.request(method, path).body(kind, body).send()
}

fn get_accepting(server: &TestServer, path: &str, accept: &str) -> Response {
    let request = server.request("GET", path).header("Accept", accept);
    request.send().expect(200)
}

/// The path of a transcript with [`CUES`].
pub(super) fn with_transcript(server: &TestServer) -> String {
    let path = TRANSCRIPT_SEGMENTS.of_a_new_job(server);
    send(server, "PUT", &path, VTT, CUES.as_bytes()).expect(200);
    path
}

fn a_cue(start: f64, end: f64, text: &str, speaker: Option<&str>) -> Value {
    json!({ "start_time": start, "end_time": end, "text": text, "confidence": null, "speaker_id": speaker, "language": null })
}

fn webvtt_is_accepted_and_returned(server: TestServer) {
    let path = TRANSCRIPT_SEGMENTS.of_a_new_job(&server);
    let answer = send(
        &server,
        "PUT",
        &path,
        "Text/VTT; charset=utf-8",
        CUES.as_bytes(),
    )
    .expect(200);
    assert_eq!(
        TRANSCRIPT_SEGMENTS.as_sent(answer.json()),
        json!([
            a_cue(1.001, 2.999, "a < b && b --> c", Some("Ada")),
            a_cue(
                2.5,
                4.0,
                "Two lines\non top of the one before.",
                Some("Ada")
            ),
            a_cue(10.0, 10.0, "Now!", Some("Grace")),
            a_cue(363_600.0, 363_601.0, "Who is still here?", None),
        ])
    );
    let file = server.get(&format!("{path}?format=vtt")).expect(200);
    assert_eq!(file.header("Content-Type"), Some("text/vtt"));
    // Players would not show a cue without duration.
    assert_eq!(
        file.text(),
        CUES.replace("--> 00:00:10.000", "--> 00:00:11.000")
    );
}

fn a_file_in_two_languages_is_selected_by_language(server: TestServer) {
    let path = TRANSCRIPT_SEGMENTS.of_a_new_job(&server);
    let file = r#"<tt xmlns="http://www.w3.org/ns/ttml" xml:lang="en"><body>
        <div><p begin="0s" end="1s">good day</p></div>
        <div xml:lang="de-AT"><p begin="0s" end="1s">guten Tag</p></div></body></tt>"#;
    let kind = "application/ttml+xml";
    send(&server, "PUT", &path, kind, file.as_bytes()).expect(200);
    for (wanted, texts) in [
        ("en", vec!["good day"]),
        ("de", vec!["guten Tag"]),
        ("fr", vec![]),
    ] {
        let found = server.get(&format!("{path}?language={wanted}")).expect(200);
        let found = found.json();
        let segments = found["segments"].as_array().unwrap().iter();
        let found: Vec<_> = segments
            .map(|segment| segment["text"].as_str().unwrap())
            .collect();
        assert_eq!(found, texts, "{wanted}");
    }
}

fn subrip_is_accepted_and_returned(server: TestServer) {
    let path = TRANSCRIPT_SEGMENTS.of_a_new_job(&server);
    // With a byte order mark and CRLF, unsorted, without a final newline.
    let sent = "\u{feff}2\r\n00:00:05,000 --> 00:00:06,250\r\n<i>5 < 6</i>\r\n\r\n\
        1\r\n0:0:1,5 --> 00:00:04,000\r\nfirst";
    for kind in [SRT, "application/srt", "text/srt"] {
        let answer = send(&server, "PUT", &path, kind, sent.as_bytes()).expect(200);
        let cues = json!([
            a_cue(1.5, 4.0, "first", None),
            a_cue(5.0, 6.25, "5 < 6", None)
        ]);
        assert_eq!(TRANSCRIPT_SEGMENTS.as_sent(answer.json()), cues, "{kind}");
    }
    let file = get_accepting(&server, &path, SRT);
    assert_eq!(
        file.header("Content-Type"),
        Some("application/x-subrip; charset=utf-8")
    );
    let written =
        "1\n00:00:01,500 --> 00:00:04,000\nfirst\n\n2\n00:00:05,000 --> 00:00:06,250\n5 < 6\n";
    assert_eq!(file.text(), written);
    let again = send(&server, "PUT", &path, SRT, &file.body)
        .expect(200)
        .json();
    assert_eq!(again["total"], 2);
}

fn whisper_json_is_accepted(server: TestServer) {
    let path = TRANSCRIPT_SEGMENTS.of_a_new_job(&server);
    let openai = json!({
        "task": "transcribe", "language": "english", "duration": 8.47, "text": " The stale smell",
        "segments": [
            { "id": 0, "seek": 0, "start": 0.0, "end": 3.319, "text": " The stale smell", "tokens": [50364],
              "temperature": 0.0, "avg_logprob": 0.0, "compression_ratio": 1.2, "no_speech_prob": 0.01 },
            { "id": 1, "start": 3.319, "end": 5.0, "text": " ", "avg_logprob": -0.1 },
        ],
    });
    let answer = server.put(&path, &openai).expect(200).json();
    let mut expected = a_cue(0.0, 3.319, "The stale smell", None);
    expected["confidence"] = json!(1.0);
    expected["language"] = json!("en");
    assert_eq!(TRANSCRIPT_SEGMENTS.as_sent(answer), json!([expected]));

    let cpp =
        json!({ "transcription": [{ "offsets": { "from": 90, "to": 1210 }, "text": " And so" }] });
    let added = server.post(&path, &cpp).expect(201).json();
    assert_eq!(
        TRANSCRIPT_SEGMENTS.as_sent(added),
        json!([a_cue(0.09, 1.21, "And so", None)])
    );
    assert_eq!(server.get(&path).expect(200).json()["total"], 2);

    for silent in [
        json!({ "systeminfo": "", "result": { "language": "en" }, "transcription": [] }),
        json!({ "segments": [], "word_segments": [], "language": "en" }),
    ] {
        assert_eq!(server.post(&path, &silent).expect(201).json()["total"], 0);
    }
    let silent = json!({ "task": "transcribe", "language": "english", "duration": 3.0, "text": "", "segments": [] });
    assert_eq!(server.put(&path, &silent).expect(200).json()["total"], 0);
}

fn whisper_json_variants_are_accepted(server: TestServer) {
    let path = TRANSCRIPT_SEGMENTS.of_a_new_job(&server);
    let nan = br#"{"segments": [{"start": 0.0, "end": 1.0, "text": "a", "avg_logprob": NaN}]}"#;
    let with_bom = "\u{feff}[{\"start\": 0, \"end\": 1, \"text\": \"a\"}]";
    let chunks = br#"{"text": " a", "chunks": [{"timestamp": [0.0, 1.0], "text": " a"}]}"#;
    let words = br#"{"text": "a", "words": [{"word": "a", "start": 0.0, "end": 1.0}]}"#;
    for body in [nan.as_slice(), with_bom.as_bytes(), chunks, words] {
        let answer = send(&server, "PUT", &path, "application/json", body)
            .expect(200)
            .json();
        assert_eq!(
            TRANSCRIPT_SEGMENTS.as_sent(answer),
            json!([a_cue(0.0, 1.0, "a", None)])
        );
    }
    let refused = server.put(&path, &json!({ "text": "a b" }));
    let errors = refused.problem(422, "validation_failed");
    let message = errors[0]["message"].as_str().unwrap();
    assert!(
        message.starts_with("expected segments with times: "),
        "{message}"
    );
    assert!(message.contains("AWS Transcribe"), "{message}");
}

fn legacy_charsets_are_decoded(server: TestServer) {
    let path = TRANSCRIPT_SEGMENTS.of_a_new_job(&server);
    let subtitles = |text: &[u8]| [b"WEBVTT\n\n00:01.000 --> 00:02.000\n", text, b"\n"].concat();
    let read = |kind: &str, text: &[u8], expected: &str| {
        let answer = send(&server, "PUT", &path, kind, &subtitles(text))
            .expect(200)
            .json();
        assert_eq!(answer["segments"][0]["text"], expected, "{kind} {text:?}");
    };
    for (kind, charset) in [
        (SRT, ""),
        (VTT, ""),
        (SRT, "; charset=windows-1252"),
        (VTT, ";charset=\"ISO-8859-1\""),
    ] {
        read(&format!("{kind}{charset}"), b"caf\xe9 \x96", "café –");
    }
    // Without a declared charset the same bytes are UTF-8.
    read(SRT, "Ã©".as_bytes(), "Ã©");
    read(&format!("{SRT}; charset=latin1"), "é".as_bytes(), "Ã©");
    let utf8 = send(
        &server,
        "PUT",
        &path,
        &format!("{SRT}; charset=utf-8"),
        &subtitles(b"a\ncaf\xe9"),
    );
    utf8.problem_with(422, "validation_failed", "line 5");
    assert_eq!(
        server.get(&path).expect(200).json()["segments"][0]["text"],
        "Ã©"
    );
}

fn every_format_is_read(server: TestServer) {
    let ttml = "<tt><body><p begin='1s' end='2s'>Hi</p></body></tt>";
    let ass =
        "[Events]\nFormat: Start, End, Name, Text\nDialogue: 0:00:01.00,0:00:02.00,,{\\i1}Hi\n";
    let vosk = json!({ "text": "Hi", "result": [{ "word": "Hi", "start": 1, "end": 2 }] });
    let cyrillic = b"1\n00:00:01,000 --> 00:00:02,000\n\xcf\xf0\xe8\xe2\xe5\xf2\n";
    for (kind, body, text) in [
        ("application/ttml+xml", ttml.as_bytes(), "Hi"),
        ("text/x-ssa", ass.as_bytes(), "Hi"),
        (
            "text/x-sbv",
            b"0:00:01.000,0:00:02.000\nHi\n".as_slice(),
            "Hi",
        ),
        ("text/x-lrc", b"[00:01.00]Hi\n[00:02.00]\n", "Hi"),
        (
            "text/tab-separated-values",
            b"start\tend\ttext\n1000\t2000\tHi\n",
            "Hi",
        ),
        (
            "application/x-ndjson",
            b"{\"text\":\"Hi\",\"start\":1,\"end\":2}\n",
            "Hi",
        ),
        ("application/json", vosk.to_string().as_bytes(), "Hi"),
        (
            "application/x-subrip; charset=windows-1251",
            cyrillic,
            "Привет",
        ),
    ] {
        let path = TRANSCRIPT_SEGMENTS.of_a_new_job(&server);
        let answer = send(&server, "PUT", &path, kind, body).expect(200).json();
        let sent = TRANSCRIPT_SEGMENTS.as_sent(answer.clone());
        assert_eq!(sent, json!([a_cue(1.0, 2.0, text, None)]), "{kind}");
        assert!(answer.get("notes").is_none(), "{answer}");
    }
}

fn what_is_left_out_of_a_file_is_noted(server: TestServer) {
    let lost = "1\n00:00:0x,000 --> 00:00:02,000\nlost\n\n";
    let note = "1 entry was left out, because its times cannot be read (line 2)";
    for cues in [1, 2_500] {
        let path = TRANSCRIPT_SEGMENTS.of_a_new_job(&server);
        let cue = |i: usize| format!("{i}\n00:00:03,000 --> 00:00:04,000\nHi {i}\n\n");
        let file: String = (2..cues + 2).map(cue).collect();
        let file = format!("{lost}{file}");
        for (method, status) in [("PUT", 200), ("POST", 201)] {
            let answer = send(&server, method, &path, SRT, file.as_bytes());
            let answer = answer.expect(status).json();
            assert_eq!(answer["total"], cues);
            assert_eq!(answer["notes"], json!([note]));
        }
        assert!(server.get(&path).expect(200).json().get("notes").is_none());
    }
}

fn times_without_an_end_or_a_unit_follow_from_the_recording(server: TestServer) {
    let path = TRANSCRIPT_SEGMENTS.of_a_new_job(&server);
    let job = path.strip_suffix("/transcripts").unwrap();
    server
        .patch(job, &json!({ "video_duration": 9.5 }))
        .expect(200);
    let open = json!({ "text": "", "segments": [{ "start": 1, "text": "a" }, { "start": 3, "text": "b" }] });
    let answer = server.put(&path, &open).expect(200).json();
    assert_eq!(
        TRANSCRIPT_SEGMENTS.as_sent(answer),
        json!([a_cue(1.0, 3.0, "a", None), a_cue(3.0, 9.5, "b", None)])
    );
    let milliseconds = json!({ "text": "", "segments": [
        { "start": 1_000, "end": 3_000, "text": "the roots of a tree" },
        { "start": 3_000, "end": 6_000, "text": "grow deep into the ground" },
    ] });
    let answer = server.put(&path, &milliseconds).expect(200).json();
    assert_eq!(answer["segments"][1]["end_time"], 6.0);
    assert!(
        answer["notes"][0]
            .as_str()
            .unwrap()
            .contains("milliseconds")
    );
}

fn times_that_do_not_fit_the_recording_are_noted(server: TestServer) {
    let path = TRANSCRIPT_SEGMENTS.of_a_new_job(&server);
    let job = path.strip_suffix("/transcripts").unwrap();
    server
        .patch(job, &json!({ "video_duration": 203 }))
        .expect(200);
    for (first, second, note) in [
        (
            "01:00:01,000 --> 01:00:01,900",
            "01:02:40,000 --> 01:02:49,000",
            "1 hour was taken off all times, which began at 01:00:01 in a recording of 203 s",
        ),
        (
            "00:00:01,000 --> 00:00:01,900",
            "00:09:00,000 --> 00:09:09,000",
            "1 of 2 entries begins after the end of the recording (203 s) and is not used for \
             topics and clips",
        ),
        (
            "00:00:01,000 --> 00:00:01,900",
            "00:01:00,000 --> 00:01:09,000",
            "the transcript ends at 69 s, but the recording at 203 s",
        ),
    ] {
        let file = format!("1\n{first}\nHi\n\n2\n{second}\nBye\n");
        let answer = send(&server, "PUT", &path, SRT, file.as_bytes());
        let answer = answer.expect(200).json();
        assert_eq!(answer["total"], 2, "{first}");
        assert_eq!(answer["segments"][0]["start_time"], 1.0);
        assert_eq!(answer["notes"], json!([note]));
    }
}

fn plain_text_has_paragraphs_speakers_and_timestamps(server: TestServer) {
    let file = get_accepting(&server, &with_transcript(&server), "text/plain");
    assert_eq!(
        file.header("Content-Type"),
        Some("text/plain; charset=utf-8")
    );
    assert_eq!(
        file.header("Vary")
            .map(str::to_lowercase)
            .as_deref()
            .map(|vary| vary.contains("accept")),
        Some(true)
    );
    assert_eq!(
        file.text(),
        "[00:00:01] Ada: a < b && b --> c Two lines on top of the one before.\n\n\
        [00:00:10] Grace: Now!\n\n[101:00:00] Who is still here?\n"
    );
}

fn format_overrides_accept_and_json_is_the_default(server: TestServer) {
    let path = with_transcript(&server);
    let kind = |answer: Response| answer.header("Content-Type").unwrap().to_owned();
    for (accept, expected) in [
        ("text/vtt", "text/vtt"),
        ("text/*;q=0.1, application/json", "application/json"),
        ("application/json;q=0.1, text/*", "text/vtt"),
        ("text/srt", "application/x-subrip; charset=utf-8"),
        ("image/png", "application/json"),
        (
            "text/html,application/xhtml+xml,*/*;q=0.8",
            "application/json",
        ),
    ] {
        assert_eq!(
            kind(get_accepting(&server, &path, accept)),
            expected,
            "{accept}"
        );
    }
    assert_eq!(
        kind(get_accepting(&server, &format!("{path}?format=json"), VTT)),
        "application/json"
    );
    assert_eq!(
        kind(get_accepting(&server, &format!("{path}?format=text"), VTT)),
        "text/plain; charset=utf-8"
    );
    server
        .get(&format!("{path}?format=docx"))
        .problem_with(400, "malformed_query", "format");
}

fn window_and_search_filters_apply_to_files(server: TestServer) {
    let path = with_transcript(&server);
    let file = server
        .get(&format!("{path}?format=vtt&from=3&to=20"))
        .expect(200);
    assert!(!file.text().contains("a &lt; b"), "{file}");
    assert!(
        file.text().contains("00:00:02.500 --> 00:00:04.000"),
        "{file}"
    );
    let file = server.get(&format!("{path}?format=srt&q=now")).expect(200);
    assert_eq!(file.text(), "1\n00:00:10,000 --> 00:00:11,000\nNow!\n");
}

fn an_empty_transcript_is_an_empty_file(server: TestServer) {
    let path = TRANSCRIPT_SEGMENTS.of_a_new_job(&server);
    for (format, kind, empty) in [
        ("vtt", "text/vtt", "WEBVTT\n"),
        ("srt", "application/x-subrip; charset=utf-8", ""),
        ("text", "text/plain; charset=utf-8", ""),
    ] {
        let file = server.get(&format!("{path}?format={format}")).expect(200);
        assert_eq!(
            (file.header("Content-Type"), file.text()),
            (Some(kind), empty)
        );
        if format != "text" {
            send(&server, "PUT", &path, kind, &file.body).expect(200);
        }
    }
    server
        .get(&format!(
            "{}?format=vtt",
            job_path(UNKNOWN_ID.parse().unwrap(), "/transcripts")
        ))
        .problem(404, "job_not_found");
}
