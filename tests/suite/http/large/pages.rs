//! Sets of rows that are sent page by page.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

use lectern_api::{ClipsResponse, ResultsResponse, TranscriptResponse};
use lectern_db::{Error, SetCursor};
use lectern_domain::{ClipItem, JobId, NewClip, Title, TranscriptSource};
use lectern_tests::{
    Client, Response, TestDb, TestServer, a_completed_job, a_job, a_segment, clips,
    content_segments, on_both_backends, segments, silence_regions,
};
use serde_json::{Value, json};

use super::{long_segments, store_segments};
use crate::http::support::job_path;

on_both_backends!(
    a_long_transcript_is_the_same_as_a_short_one_but_for_its_length,
    a_short_transcript_has_a_content_length,
    a_long_transcript_can_be_searched_and_cut,
    a_transcript_with_a_long_text_is_complete,
    the_stored_segments_are_returned_to_who_sends_many,
    every_long_set_is_complete,
    long_results_are_complete,
    a_response_ends_early_when_its_rows_are_replaced,
    a_response_has_no_rows_that_were_added_after_it_began,
    a_response_ends_early_when_a_row_is_changed_or_deleted,
    a_page_fails_when_clips_were_replaced_by_clips_with_the_same_ids,
);

fn clip_items(n: usize) -> Vec<ClipItem> {
    clips(n).into_iter().map(ClipItem::from).collect()
}

fn is_chunked(answer: &Response) -> bool {
    answer.header("Transfer-Encoding") == Some("chunked")
}

fn stored(db: &TestDb, job_id: JobId) -> String {
    let segments = db.read(|conn| conn.transcripts().for_job(job_id)).unwrap();
    serde_json::to_string(&TranscriptResponse::new(job_id, segments)).unwrap()
}

fn a_long_transcript_is_the_same_as_a_short_one_but_for_its_length(server: TestServer) {
    let db = server.db();
    let job_id = a_job().create(db).job_id;
    store_segments(db, job_id, &segments(3_500));
    let path = job_path(job_id, "/transcripts");
    let answer = server.get(&path).expect(200);
    assert!(is_chunked(&answer));
    assert_eq!(answer.text(), stored(db, job_id));

    for (format, separator) in [("vtt", " --> "), ("srt", " --> "), ("text", "")] {
        let file = server.get(&format!("{path}?format={format}")).expect(200);
        assert!(is_chunked(&file), "{format}");
        let cues = file.text().matches(separator).count();
        assert!(separator.is_empty() || cues == 3_500, "{format}: {cues}");
        // The subtitles of the whole recording, stored as the transcript of another
        // job, are the same file again.
        if format != "text" {
            let other = a_job().create(db).job_id;
            let copy = job_path(other, "/transcripts");
            let media_type = if format == "vtt" {
                "text/vtt"
            } else {
                "application/x-subrip"
            };
            let request = server
                .request("PUT", &copy)
                .body(media_type, file.body.clone());
            assert_eq!(request.send().expect(200).json()["total"], json!(3_500));
            let again = server.get(&format!("{copy}?format={format}"));
            assert_eq!(again.text(), file.text(), "{format}");
        }
    }
    let head = server.request("HEAD", &path).send().expect(200);
    assert!(head.body.is_empty());
}

fn a_short_transcript_has_a_content_length(server: TestServer) {
    let job_id = a_job().create(server.db()).job_id;
    store_segments(server.db(), job_id, &segments(900));
    let answer = server.get(&job_path(job_id, "/transcripts")).expect(200);
    let length = answer.body.len().to_string();
    assert_eq!(answer.header("Content-Length"), Some(length.as_str()));
}

fn a_long_transcript_can_be_searched_and_cut(server: TestServer) {
    let job_id = a_job().create(server.db()).job_id;
    let mut all = long_segments(4_000, 20);
    for i in [0, 1_999, 3_999] {
        all[i] = a_segment(i as f64, i as f64 + 1.0, "The ANSWER");
    }
    store_segments(server.db(), job_id, &all);
    let get = |query: &str| {
        let answer = server.get(&job_path(job_id, &format!("/transcripts?{query}")));
        answer.expect(200).json()
    };
    let found = get("q=answer");
    assert_eq!(found["total"], json!(3));
    assert_eq!(found["segments"][1]["start_time"], json!(1_999.0));
    assert_eq!(get("q=nothing+like+it")["total"], json!(0));
    assert_eq!(get("from=1000&to=3000")["total"], json!(2_000));
    assert_eq!(get("from=1000&to=3000&q=answer")["total"], json!(1));
}

fn a_transcript_with_a_long_text_is_complete(server: TestServer) {
    let db = server.db();
    let job_id = a_job().create(db).job_id;
    let mut all = long_segments(60, 20);
    for i in [0, 30, 31, 59] {
        all[i] = a_segment(i as f64, i as f64 + 1.0, &"é".repeat(300_000));
    }
    store_segments(db, job_id, &all);
    let path = job_path(job_id, "/transcripts");
    assert_eq!(server.get(&path).expect(200).text(), stored(db, job_id));
    let found = server.get(&format!("{path}?q=%C3%89%C3%A9&to=31")).json();
    assert_eq!(found["total"], json!(2));
}

fn the_stored_segments_are_returned_to_who_sends_many(server: TestServer) {
    let db = server.db();
    let job_id = a_job().create(db).job_id;
    let path = job_path(job_id, "/transcripts");
    let body = |count: u32, shift: u32| {
        let segments = (0..count).map(|i| {
            json!({ "start_time": (i * 7) % 2_500 + shift, "end_time": 9_999, "text": format!("{i}") })
        });
        json!({ "segments": segments.collect::<Vec<_>>() })
    };
    let first = server.put(&path, &body(2_500, 0)).expect(200);
    assert_eq!(first.text(), stored(db, job_id));
    let again = server.put(&path, &body(2_500, 0)).expect(200);
    assert_eq!(again.text(), first.text(), "an equal set keeps its rows");
    assert_eq!(server.get(&path).text(), first.text());

    let added = server
        .request("POST", &path)
        .json(&body(2_200, 3))
        .send()
        .expect(201)
        .json();
    assert_eq!(added["total"], json!(2_200));
    let texts = added["segments"].as_array().unwrap().iter();
    assert!(
        texts.map(|segment| &segment["text"]).eq((0..2_200)
            .map(|i| json!(i.to_string()))
            .collect::<Vec<_>>()
            .iter())
    );
    assert_eq!(server.get(&path).json()["total"], json!(4_700));
}

fn every_long_set_is_complete(server: TestServer) {
    let db = server.db();
    let job_id = a_job().create(db).job_id;
    db.write(|tx| {
        tx.silence_regions()
            .replace_without_returning(job_id, &silence_regions(2_300))?;
        tx.content_segments()
            .replace_without_returning(job_id, &content_segments(2_300))?;
        tx.clips()
            .replace_without_returning(job_id, &clip_items(2_300))
    })
    .unwrap();
    let get = |path: &str| server.get(&job_path(job_id, path)).expect(200);
    for (path, list) in [
        ("/silence-regions", "regions"),
        ("/content-segments", "segments"),
        ("/clips", "clips"),
    ] {
        let all = get(path).json();
        assert_eq!(all["total"], json!(2_300), "{path}");
        assert_eq!(all[list].as_array().unwrap().len(), 2_300, "{path}");
    }
    let stored = db.read(|conn| conn.clips().for_job(job_id)).unwrap();
    let all = ClipsResponse::new(job_id, stored);
    assert_eq!(get("/clips").text(), serde_json::to_string(&all).unwrap());
    let top = db.read(|conn| conn.clips().top(job_id, 1_000)).unwrap();
    let top = ClipsResponse::new(job_id, top);
    let answer = get("/clips?top=1000");
    assert_eq!(answer.text(), serde_json::to_string(&top).unwrap());
}

fn long_results_are_complete(server: TestServer) {
    let db = server.db();
    let job_id = a_completed_job(db).job_id;
    db.write(|tx| {
        tx.transcripts().replace_without_returning(
            job_id,
            &segments(4_500),
            TranscriptSource::Client,
        )?;
        tx.clips()
            .replace_without_returning(job_id, &clip_items(2_500))
    })
    .unwrap();
    let results = db
        .read(|conn| conn.jobs().results(job_id))
        .unwrap()
        .unwrap();
    let expected = serde_json::to_value(ResultsResponse::from(results)).unwrap();
    let answer = server.get(&format!("/api/v1/results/{job_id}")).expect(200);
    assert!(is_chunked(&answer));
    let found = answer.json();
    assert_eq!(found["transcript"], expected["transcript"]);
    assert_eq!(
        found["metadata"]["completed_at"],
        expected["metadata"]["completed_at"]
    );
    let without_urls = |clips: &Value| {
        let mut clips = clips.clone();
        for clip in clips.as_array_mut().unwrap() {
            for url in ["url", "thumbnail_url", "subtitle_url"] {
                clip[url] = Value::Null;
            }
        }
        clips
    };
    assert_eq!(
        without_urls(&found["clips"]),
        without_urls(&expected["clips"])
    );
    assert!(found["clips"][2_499]["url"].is_string());
}

/// A GET whose body is not read yet.
fn begin_to_read(client: &Client, path: &str) -> BufReader<TcpStream> {
    let address = client.base().strip_prefix("http://").unwrap();
    let mut socket = TcpStream::connect(address).unwrap();
    write!(
        socket,
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut response = BufReader::new(socket);
    let mut line = String::new();
    response.read_line(&mut line).unwrap();
    assert!(line.starts_with("HTTP/1.1 200 "), "{line}");
    response
}

/// More than the sockets of both sides can buffer.
fn a_transcript_beyond_all_buffers(db: &TestDb) -> JobId {
    let job_id = a_job().create(db).job_id;
    store_segments(db, job_id, &long_segments(10_000, 2_500));
    job_id
}

fn rest_of(mut response: BufReader<TcpStream>) -> String {
    let mut rest = Vec::new();
    // A connection may also be reset.
    let _ = response.read_to_end(&mut rest);
    String::from_utf8_lossy(&rest).into_owned()
}

/// The last chunk of a complete response.
const LAST_CHUNK: &str = "\r\n0\r\n\r\n";

fn a_response_ends_early_when_its_rows_are_replaced(server: TestServer) {
    let db = server.db();
    let job_id = a_transcript_beyond_all_buffers(db);
    let response = begin_to_read(&server, &job_path(job_id, "/transcripts"));
    store_segments(db, job_id, &segments(3_000));
    let rest = rest_of(response);
    assert!(rest.contains("\"segments\":["));
    assert!(!rest.ends_with(LAST_CHUNK));
    let again = server.get(&job_path(job_id, "/transcripts")).expect(200);
    assert_eq!(again.json()["total"], json!(3_000));
}

fn a_response_has_no_rows_that_were_added_after_it_began(server: TestServer) {
    let db = server.db();
    let job_id = a_transcript_beyond_all_buffers(db);
    let response = begin_to_read(&server, &job_path(job_id, "/transcripts"));
    let late = a_segment(9_998.5, 9_999.0, "added too late");
    db.write(|tx| tx.transcripts().append(job_id, std::slice::from_ref(&late)))
        .unwrap();
    let rest = rest_of(response);
    assert!(rest.ends_with(LAST_CHUNK));
    assert!(rest.contains("\"total\":10000}"));
    assert!(!rest.contains("added too late"));
}

fn a_response_ends_early_when_a_row_is_changed_or_deleted(server: TestServer) {
    let db = server.db();
    let job_id = a_transcript_beyond_all_buffers(db);
    let newest = db
        .read(|conn| conn.transcripts().for_job(job_id))
        .unwrap()
        .pop()
        .unwrap();
    let path = format!("/api/v1/transcripts/{}", newest.segment_id);
    // To the front, where the response would miss it.
    let moved = json!({ "start_time": 0, "end_time": 0.5 });
    let edits: [&dyn Fn(); 2] = [&|| drop(server.patch(&path, &moved).expect(200)), &|| {
        drop(server.delete(&path).expect(204));
    }];
    for edit in edits {
        let response = begin_to_read(&server, &job_path(job_id, "/transcripts"));
        edit();
        let rest = rest_of(response);
        assert!(rest.contains("\"segments\":["));
        assert!(!rest.ends_with(LAST_CHUNK));
    }
    let again = server.get(&job_path(job_id, "/transcripts")).expect(200);
    assert_eq!(again.json()["total"], json!(9_999));
}

fn a_page_fails_when_clips_were_replaced_by_clips_with_the_same_ids(db: TestDb) {
    let job_id = a_job().create(&db).job_id;
    db.write(|tx| {
        tx.clips()
            .replace_without_returning(job_id, &clip_items(2_500))
    })
    .unwrap();
    let page = |after: Option<&SetCursor>| db.read(|conn| conn.clips().page(job_id, None, after));
    let first = page(None).unwrap();
    let next = first.next.unwrap();
    assert_eq!(page(Some(&next)).unwrap().items.len(), 500);
    let clips = db.read(|conn| conn.clips().for_job(job_id)).unwrap();
    let renamed: Vec<_> = clips
        .into_iter()
        .map(|clip| ClipItem {
            clip_id: Some(clip.clip_id),
            clip: NewClip {
                title: Title::new("Renamed").unwrap(),
                ..clip.data
            },
        })
        .collect();
    db.write(|tx| tx.clips().replace_without_returning(job_id, &renamed))
        .unwrap();
    let error = page(Some(&next)).unwrap_err();
    assert!(matches!(error, Error::ReplacedMeanwhile), "{error}");
}
