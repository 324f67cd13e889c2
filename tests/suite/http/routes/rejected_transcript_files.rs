//! Transcript files that are rejected.

use lectern_tests::{TestServer, on_both_backends};
use serde_json::json;

use super::transcript_files::{CUES, SRT, VTT, send, with_transcript};
use super::transcripts::TRANSCRIPT_SEGMENTS;
use crate::http::support::dump;

on_both_backends!(
    an_error_in_json_segments_is_not_reported_as_one_in_whisper_json,
    errors_do_not_quote_the_body,
    an_invalid_file_is_rejected_with_its_line_and_stores_nothing,
    files_of_other_types_and_oversized_files_are_rejected,
);

fn an_error_in_json_segments_is_not_reported_as_one_in_whisper_json(server: TestServer) {
    let path = with_transcript(&server);
    let before = dump(server.db());
    for (segment, field) in [
        (
            json!({ "start": 1, "end_time": 5, "text": "a" }),
            "segments[0].start",
        ),
        (
            json!({ "start": 1, "end": 5, "text": "a", "speaker_id": "Ada" }),
            "segments[0].end",
        ),
        (
            json!({ "start_time": 1, "end": 5, "text": "a" }),
            "segments[0].end",
        ),
    ] {
        server
            .put(&path, &json!({ "segments": [segment] }))
            .problem_with(422, "validation_failed", field);
    }
    assert_eq!(dump(server.db()), before);
}

fn errors_do_not_quote_the_body(server: TestServer) {
    let path = TRANSCRIPT_SEGMENTS.of_a_new_job(&server);
    let secret = "x".repeat(100_000);
    let body = json!({ "segments": [{ "start": secret, "end": 1, "text": "a" }] });
    let refused = server.put(&path, &body);
    refused.problem_with(422, "validation_failed", "line 1");
    assert!(refused.body.len() < 1_000, "{}", refused.body.len());
}

fn an_invalid_file_is_rejected_with_its_line_and_stores_nothing(server: TestServer) {
    let path = with_transcript(&server);
    let before = dump(server.db());
    for (kind, body, line) in [
        (VTT, "\nDear all,\n", 2),
        (VTT, "", 1),
        (VTT, "WEBVTT\n\n00:01.000 --> soon\nHi\n", 3),
        (SRT, "\r\n\r\nDear all,\r\n", 3),
        (SRT, "1\n00:00:01,000 --> 00:00:99,000\nHi\n", 2),
        (SRT, "\0\0\0\u{1}ftypisom", 1),
        (
            "application/json",
            "{\"segments\": [\n{\"start\": 0,\n\"end\": 1},\n{\"text\": \"a\"}\n]}",
            4,
        ),
    ] {
        for method in ["PUT", "POST"] {
            let answer = send(&server, method, &path, kind, body.as_bytes());
            let errors = answer.problem(422, "validation_failed");
            assert_eq!(
                errors[0]["field"],
                format!("line {line}"),
                "{kind} {body:?}: {answer}"
            );
            let detail = answer.json()["detail"].as_str().unwrap().to_owned();
            assert!(detail.starts_with(&format!("line {line}: ")), "{detail}");
        }
    }
    assert_eq!(dump(server.db()), before);
}

fn files_of_other_types_and_oversized_files_are_rejected(server: TestServer) {
    let path = with_transcript(&server);
    let before = dump(server.db());
    for kind in ["", "text/plain", "text/html", "application/octet-stream"] {
        send(&server, "PUT", &path, kind, CUES.as_bytes()).problem(415, "unsupported_media_type");
    }
    for kind in [
        "application/x-subrip; charset=klingon",
        "text/vtt;charset=\"utf-7\"",
    ] {
        send(
            &server,
            "PUT",
            &path,
            kind,
            b"WEBVTT\n\n00:01.000 --> 00:02.000\ncaf\xe9\n",
        )
        .problem(415, "unsupported_media_type");
    }
    let large = vec![b' '; (32 << 20) + 1];
    send(&server, "PUT", &path, VTT, &large).problem(413, "body_too_large");
    let compressed = server
        .request("PUT", &path)
        .header("Content-Encoding", "br");
    compressed
        .body(VTT, CUES)
        .send()
        .problem(415, "unsupported_media_type");
    assert_eq!(dump(server.db()), before);
}
