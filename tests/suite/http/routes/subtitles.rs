//! Subtitles of clips: a stored file, or cues from the transcript.

use std::fs;

use chrono::TimeDelta;
use lectern_domain::{Clip, ClipMediaUpdate, Patch, Stage, StorageKey};
use lectern_server::{BodyLimits, ServerConfig};
use lectern_tests::{
    Response, TestDb, TestServer, a_job, a_segment, on_both_backends, store_output,
};
use serde_json::{Value, json};

use crate::http::support::recordings::{files, path_of, results};
use crate::http::support::worker::{claim, create_job};
use crate::http::support::{UNKNOWN_ID, concurrently, dump, job_path};

on_both_backends!(
    without_a_file_subtitles_come_from_the_transcript,
    stored_subtitles_are_returned_in_every_format_and_linked_in_the_results,
    json_subrip_and_whisper_bodies_are_accepted,
    putting_again_keeps_one_file_and_deleting_the_job_deletes_it,
    the_format_of_a_workers_file_follows_its_extension,
    a_file_of_another_job_is_never_read,
    writing_subtitles_needs_the_lease_of_compilation,
    an_invalid_subtitle_file_is_rejected_and_stores_nothing,
    subtitles_too_large_as_webvtt_are_rejected,
    concurrent_puts_leave_the_subtitles_of_one,
    a_warning_is_logged_when_shorter_subtitles_replace_others,
);

const VTT: &str = "text/vtt";

/// A clip from 7.25 s to 97.25 s with this transcript.
fn a_clip(server: &TestServer, cues: &[(f64, f64, &str)]) -> Clip {
    let job_id = a_job().create(server.db()).job_id;
    let clip = store_output(server.db(), job_id).remove(0);
    assert_eq!((clip.time.start(), clip.time.end()), (7.25, 97.25));
    let cues: Vec<_> = cues
        .iter()
        .map(|(start, end, text)| a_segment(*start, *end, text))
        .collect();
    server
        .db()
        .write(|tx| tx.transcripts().replace_for_job(job_id, &cues))
        .unwrap();
    clip
}

fn path(clip: &Clip) -> String {
    format!("/api/v1/clips/{}/subtitles", clip.clip_id)
}

fn put(server: &TestServer, clip: &Clip, text: &str) -> Response {
    let file = format!("WEBVTT\n\n00:01.000 --> 00:02.500\n{text}\n");
    server.request("PUT", &path(clip)).body(VTT, file).send()
}

fn texts(answer: &Value) -> Vec<&str> {
    let segments = answer["segments"].as_array().unwrap().iter();
    segments
        .map(|segment| segment["text"].as_str().unwrap())
        .collect()
}

fn key_of(server: &TestServer, clip: &Clip) -> Option<String> {
    let clip = server
        .db()
        .read(|conn| conn.clips().find(clip.clip_id))
        .unwrap()
        .unwrap();
    clip.data.media.subtitle_s3_key.map(StorageKey::into_string)
}

fn set_subtitle_key(server: &TestServer, clip: &Clip, key: &str) {
    let update = ClipMediaUpdate {
        subtitle_s3_key: Patch::Set(StorageKey::new(key).unwrap()),
        ..ClipMediaUpdate::default()
    };
    server
        .db()
        .write(|tx| tx.clips().set_media_keys(clip.clip_id, &update))
        .unwrap();
}

/// Writes an object, as a worker on the same disk does.
fn write_object(server: &TestServer, key: &str, content: &[u8]) {
    let file = server.objects().join(key);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, content).unwrap();
}

fn without_a_file_subtitles_come_from_the_transcript(server: TestServer) {
    let clip = a_clip(
        &server,
        &[
            (0.0, 7.25, "before"),
            (5.0, 8.25, "begins before"),
            (10.0, 12.0, "inside"),
            (97.0, 99.0, "ends after"),
            (97.25, 98.0, "after"),
        ],
    );
    let answer = server.get(&path(&clip)).expect(200).json();
    let segment = |start, end, text| {
        json!({
            "start_time": start, "end_time": end, "duration": end - start, "text": text, "speaker_id": null,
        })
    };
    assert_eq!(
        answer,
        json!({ "clip_id": clip.clip_id, "total": 3, "segments": [
        segment(0.0, 1.0, "begins before"), segment(2.75, 4.75, "inside"), segment(89.75, 90.0, "ends after"),
    ] })
    );
    let file = server
        .get(&format!("{}?format=srt", path(&clip)))
        .expect(200);
    assert_eq!(
        file.header("Content-Type"),
        Some("application/x-subrip; charset=utf-8")
    );
    assert!(
        file.text()
            .starts_with("1\n00:00:00,000 --> 00:00:01,000\nbegins before\n\n2\n"),
        "{file}"
    );
}

fn stored_subtitles_are_returned_in_every_format_and_linked_in_the_results(server: TestServer) {
    let clip = a_clip(&server, &[(10.0, 12.0, "transcript")]);
    let answer = put(&server, &clip, "<v Ada>Put.").expect(200).json();
    assert_eq!(
        answer,
        json!({ "clip_id": clip.clip_id, "total": 1, "segments": [
        { "start_time": 1.0, "end_time": 2.5, "duration": 1.5, "text": "Put.", "speaker_id": "Ada" },
    ] })
    );
    assert_eq!(server.get(&path(&clip)).expect(200).json(), answer);
    for (accept, content) in [
        (
            VTT,
            "WEBVTT\n\n00:00:01.000 --> 00:00:02.500\n<v Ada>Put.\n",
        ),
        (
            "application/x-subrip",
            "1\n00:00:01,000 --> 00:00:02,500\nPut.\n",
        ),
        ("text/plain", "[00:00:01] Ada: Put.\n"),
    ] {
        let file = server
            .request("GET", &path(&clip))
            .header("Accept", accept)
            .send()
            .expect(200);
        assert_eq!(file.text(), content);
    }
    let results = results(&server, clip.job_id);
    let url = &results["clips"][0]["subtitle_url"];
    let object = server.get(path_of(&server, url)).expect(200);
    assert_eq!(
        object.text(),
        "WEBVTT\n\n00:00:01.000 --> 00:00:02.500\n<v Ada>Put.\n"
    );
    assert!(object.header("Content-Type").unwrap().starts_with(VTT));
}

fn json_subrip_and_whisper_bodies_are_accepted(server: TestServer) {
    let clip = a_clip(&server, &[]);
    let ours = json!({ "segments": [{ "start_time": 2.0004, "end_time": 3, "text": "ours", "confidence": 0.5 }] });
    let answer = server.put(&path(&clip), &ours).expect(200).json();
    assert_eq!(
        answer["segments"][0],
        json!({
            "start_time": 2.0, "end_time": 3.0, "duration": 1.0, "text": "ours", "speaker_id": null,
        })
    );
    let whisper = json!({ "segments": [{ "start": 0.5, "end": 1.5, "text": " Whisper's" }] });
    assert_eq!(
        texts(&server.put(&path(&clip), &whisper).expect(200).json()),
        ["Whisper's"]
    );
    let subrip = server.request("PUT", &path(&clip)).body(
        "application/x-subrip",
        "1\n00:00:00,000 --> 00:00:01,000\nSubRip's\n",
    );
    assert_eq!(texts(&subrip.send().expect(200).json()), ["SubRip's"]);
    assert_eq!(
        texts(&server.get(&path(&clip)).expect(200).json()),
        ["SubRip's"]
    );
    let none = json!({ "segments": [] });
    assert_eq!(
        texts(&server.put(&path(&clip), &none).expect(200).json()),
        [""; 0]
    );
    assert_eq!(texts(&server.get(&path(&clip)).expect(200).json()), [""; 0]);
}

fn putting_again_keeps_one_file_and_deleting_the_job_deletes_it(server: TestServer) {
    let clip = a_clip(&server, &[]);
    put(&server, &clip, "once").expect(200);
    let key = key_of(&server, &clip);
    put(&server, &clip, "once").expect(200);
    assert_eq!(key_of(&server, &clip), key);
    assert_eq!(files(server.objects()), [key.unwrap()]);
    put(&server, &clip, "twice").expect(200);
    assert_eq!(
        texts(&server.get(&path(&clip)).expect(200).json()),
        ["twice"]
    );
    // A damaged file is replaced by the next PUT.
    write_object(&server, &key_of(&server, &clip).unwrap(), b"WEBVTT\n");
    put(&server, &clip, "twice").expect(200);
    assert_eq!(
        texts(&server.get(&path(&clip)).expect(200).json()),
        ["twice"]
    );
    server.delete(&job_path(clip.job_id, "")).expect(204);
    assert_eq!(files(server.objects()), [""; 0]);
}

fn the_format_of_a_workers_file_follows_its_extension(server: TestServer) {
    let clip = a_clip(&server, &[(10.0, 12.0, "transcript")]);
    let current = || server.get(&path(&clip)).expect(200).json();
    for (ending, content) in [
        ("vtt", "WEBVTT\n\n00:01.000 --> 00:02.000\nfrom vtt\n"),
        ("srt", "1\n00:00:01,000 --> 00:00:02,000\nfrom srt\n"),
        ("json", "[{\"start\":1,\"end\":2,\"text\":\"from json\"}]"),
    ] {
        let key = format!("jobs/{}/clips/1.{ending}", clip.job_id);
        write_object(&server, &key, content.as_bytes());
        set_subtitle_key(&server, &clip, &key);
        assert_eq!(texts(&current()), [format!("from {ending}")]);
    }
    // A missing file and one of another type.
    let key = format!("jobs/{}/clips/2.vtt", clip.job_id);
    set_subtitle_key(&server, &clip, &key);
    assert_eq!(texts(&current()), ["transcript"]);
    write_object(&server, &key, b"\x00\x00\x00\x20ftypisom");
    assert_eq!(texts(&current()), ["transcript"]);
}

fn a_file_of_another_job_is_never_read(server: TestServer) {
    let (own, other) = (
        a_clip(&server, &[(10.0, 12.0, "own")]),
        a_clip(&server, &[]),
    );
    put(&server, &other, "secret").expect(200);
    set_subtitle_key(&server, &own, &key_of(&server, &other).unwrap());
    assert_eq!(texts(&server.get(&path(&own)).expect(200).json()), ["own"]);
}

fn writing_subtitles_needs_the_lease_of_compilation(server: TestServer) {
    let job_id = create_job(&server, json!({}));
    let clip = store_output(server.db(), job_id).remove(0);
    for stage in Stage::WORK
        .iter()
        .filter(|stage| **stage != Stage::Compilation)
    {
        let claimed = claim(&server, &[*stage]).unwrap();
        claimed.send(&server, "complete", &json!({})).expect(200);
    }
    let held = claim(&server, &[Stage::Compilation]).unwrap().lease;
    let send = |lease: Option<&str>, text: &str| {
        let request = server.request("PUT", &path(&clip));
        let request = match lease {
            Some(lease) => request.header("Lease-Id", lease),
            None => request,
        };
        request
            .json(&json!({ "segments": [{ "start_time": 0, "end_time": 1, "text": text }] }))
            .send()
    };
    let before = dump(server.db());
    send(None, "mine").problem(409, "lease_lost");
    send(Some(UNKNOWN_ID), "mine").problem(409, "lease_lost");
    assert_eq!(
        (dump(server.db()), files(server.objects())),
        (before, vec![])
    );
    send(Some(&held), "the worker's").expect(200);
    server.db().clock().advance(TimeDelta::hours(3));
    send(Some(&held), "too late").problem(409, "lease_lost");
    assert_eq!(
        texts(&server.get(&path(&clip)).expect(200).json()),
        ["the worker's"]
    );
}

fn an_invalid_subtitle_file_is_rejected_and_stores_nothing(server: TestServer) {
    let clip = a_clip(&server, &[]);
    let before = dump(server.db());
    let refused = server
        .request("PUT", &path(&clip))
        .body(VTT, "\n\nDear all,\n")
        .send();
    refused.problem_with(422, "validation_failed", "line 3");
    server
        .request("PUT", &path(&clip))
        .body("video/mp4", "x")
        .send()
        .problem(415, "unsupported_media_type");
    for unknown in [UNKNOWN_ID, "1", "null"] {
        let path = format!("/api/v1/clips/{unknown}/subtitles");
        server.get(&path).problem(404, "clip_not_found");
        server
            .put(&path, &json!({ "segments": [] }))
            .problem(404, "clip_not_found");
    }
    server
        .get(&format!("{}?format=whisper", path(&clip)))
        .problem_with(400, "malformed_query", "format");
    assert_eq!(
        (dump(server.db()), files(server.objects())),
        (before, vec![])
    );
}

fn subtitles_too_large_as_webvtt_are_rejected(db: TestDb) {
    let limits = BodyLimits {
        output: 1_000,
        ..BodyLimits::default()
    };
    let server = TestServer::serve(
        db,
        ServerConfig {
            limits,
            ..ServerConfig::default()
        },
    );
    let clip = a_clip(&server, &[]);
    let before = dump(server.db());
    // In WebVTT each of these becomes five characters.
    put(&server, &clip, &"&".repeat(400)).problem(413, "body_too_large");
    assert_eq!(
        (dump(server.db()), files(server.objects())),
        (before, vec![])
    );
    put(&server, &clip, &"&".repeat(100)).expect(200);
}

fn concurrent_puts_leave_the_subtitles_of_one(server: TestServer) {
    let clip = a_clip(&server, &[]);
    concurrently(8, |i| {
        put(&server, &clip, &format!("number {i}")).expect(200)
    });
    let answer = server.get(&path(&clip)).expect(200).json();
    assert_eq!(texts(&answer).len(), 1, "{answer}");
    assert!(texts(&answer)[0].starts_with("number "), "{answer}");
}

fn a_warning_is_logged_when_shorter_subtitles_replace_others(server: TestServer) {
    let clip = a_clip(&server, &[(10.0, 90.0, "transcript")]);
    let messages = || {
        let logs = server.get(&job_path(clip.job_id, "/logs")).expect(200);
        let logs = logs.json()["logs"].as_array().unwrap().clone();
        let messages = logs.iter().filter_map(|entry| entry["message"].as_str());
        let warnings = messages.filter(|message| message.starts_with("warning: "));
        warnings.map(str::to_owned).collect::<Vec<_>>()
    };
    // Cues of one second each, evenly over the time.
    let put_cues = |cues: usize, end: usize| {
        let last = end - 1;
        let cue = |i: usize| {
            let start = (last * i) as f64 / (cues - 1) as f64;
            json!({ "start_time": start, "end_time": start + 1.0, "text": format!("cue {i}") })
        };
        let segments: Vec<_> = (0..cues).map(cue).collect();
        let body = json!({ "segments": segments });
        server.put(&path(&clip), &body).expect(200);
    };
    for (cues, end) in [(40, 80), (40, 80), (41, 80), (21, 80), (21, 72), (30, 80)] {
        put_cues(cues, end);
        assert_eq!(messages(), [""; 0], "{cues} cues over {end} s");
    }
    put_cues(30, 71);
    let shorter = "were replaced by shorter ones: 30 cues over 71 s instead of 30 cues over 80 s";
    let clip_id = clip.clip_id;
    assert_eq!(
        messages(),
        [format!(
            "warning: the subtitles of clip {clip_id} {shorter}"
        )]
    );
    put_cues(14, 71);
    let warnings = messages();
    assert_eq!(warnings.len(), 2);
    assert!(
        warnings[1].ends_with("14 cues over 71 s instead of 30 cues over 71 s"),
        "{warnings:?}"
    );
    // A lost response repeated: nothing is replaced.
    put_cues(14, 71);
    assert_eq!(messages(), warnings);
}
