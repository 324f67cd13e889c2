//! Downloads of objects: headers, ranges and validators.

use lectern_tests::{Client, Response, TestServer, on_both_backends};
use serde_json::json;

use crate::http::support::job_path;
use crate::http::support::recordings::{StoredRecording, path_of, results, upload};

on_both_backends!(
    an_object_has_type_length_and_validators,
    a_range_returns_part_of_an_object,
    an_unsupported_range_is_ignored,
    if_range_returns_a_part_only_of_the_same_object,
    objects_are_not_compressed,
    a_download_has_the_name_of_its_clip_or_recording,
);

fn get_with(server: &Client, path: &str, headers: &[(&str, &str)]) -> Response {
    let request = server.request("GET", path);
    let with = headers.iter().fold(request, |request, (name, value)| {
        request.header(name, value)
    });
    with.send()
}

fn an_object_has_type_length_and_validators(server: TestServer) {
    let stored = StoredRecording::on(&server, 100_000);
    let complete = server.get(&stored.path).expect(200);
    assert!(complete.body == stored.bytes);
    for (name, value) in [
        ("Content-Length", "100000"),
        ("Content-Type", "video/mp4"),
        ("Content-Disposition", "inline; filename=\"Lecture 7.mp4\""),
        ("Accept-Ranges", "bytes"),
        ("Cache-Control", "private"),
        ("X-Content-Type-Options", "nosniff"),
    ] {
        assert_eq!(complete.header(name), Some(value));
    }
    let modified = complete.header("Last-Modified").unwrap();
    assert!(modified.ends_with(" GMT"), "{modified}");

    let head = server.request("HEAD", &stored.path).send().expect(200);
    assert_eq!(head.body, b"");
    for name in [
        "Content-Length",
        "Content-Type",
        "ETag",
        "Last-Modified",
        "Accept-Ranges",
        "Content-Disposition",
    ] {
        assert_eq!(head.header(name), complete.header(name), "{name}");
    }
    let etag = complete.header("ETag").unwrap();
    let known = get_with(&server, &stored.path, &[("If-None-Match", etag)]).expect(304);
    assert_eq!((known.header("ETag"), known.body.len()), (Some(etag), 0));
}

fn a_range_returns_part_of_an_object(server: TestServer) {
    let stored = StoredRecording::on(&server, 1_000_000);
    for (range, first, last) in [
        ("bytes=0-0", 0, 0),
        ("bytes=0-", 0, 999_999),
        ("bytes=262143-262145", 262_143, 262_145),
        ("bytes=999999-", 999_999, 999_999),
        ("bytes=500000-5000000", 500_000, 999_999),
        ("bytes=-1", 999_999, 999_999),
        ("bytes=-5000000", 0, 999_999),
        ("bytes=1-99999999999999999999", 1, 999_999),
    ] {
        let part = get_with(&server, &stored.path, &[("Range", range)]).expect(206);
        assert_eq!(
            part.header("Content-Range"),
            Some(format!("bytes {first}-{last}/1000000").as_str()),
            "{range}"
        );
        assert!(part.body == stored.bytes[first..=last], "{range}");
    }
}

fn an_unsupported_range_is_ignored(server: TestServer) {
    let stored = StoredRecording::on(&server, 1000);
    for range in [
        "bytes=1000-",
        "bytes=-0",
        "bytes=5-4",
        "bytes=0-1,5-6",
        "bytes=a-b",
        "lines=0-1",
        "bytes",
    ] {
        let complete = get_with(&server, &stored.path, &[("Range", range)]).expect(200);
        assert!(
            complete.body == stored.bytes && complete.header("Content-Range").is_none(),
            "{range}"
        );
    }
    let head = server
        .request("HEAD", &stored.path)
        .header("Range", "bytes=0-0")
        .send()
        .expect(200);
    assert_eq!(head.header("Content-Length"), Some("1000"));
}

fn if_range_returns_a_part_only_of_the_same_object(server: TestServer) {
    let stored = StoredRecording::on(&server, 1000);
    let complete = server.get(&stored.path).expect(200);
    let (etag, modified) = (
        complete.header("ETag").unwrap(),
        complete.header("Last-Modified").unwrap(),
    );
    let get_range = |known: &str| {
        get_with(
            &server,
            &stored.path,
            &[("Range", "bytes=0-9"), ("If-Range", known)],
        )
    };
    for known in [etag, modified] {
        assert_eq!(get_range(known).expect(206).body, stored.bytes[..10]);
    }
    for known in [
        "\"other\"",
        &format!("W/{etag}"),
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "?",
    ] {
        assert!(get_range(known).expect(200).body == stored.bytes, "{known}");
    }
}

fn objects_are_not_compressed(server: TestServer) {
    let bytes = vec![b'a'; 100_000];
    let announced = upload(&server, &bytes);
    let results = results(&server, announced.job_id);
    let path = path_of(&server, &results["metadata"]["original_video"]["url"]);
    for range in [("Range", "bytes=10-"), ("X-None", "")] {
        let sent = get_with(&server, path, &[("Accept-Encoding", "gzip"), range]);
        assert_eq!(sent.header("Content-Encoding"), None);
        assert!(bytes.ends_with(&sent.body) && sent.body.len() >= 99_990);
    }
}

fn a_download_has_the_name_of_its_clip_or_recording(server: TestServer) {
    let stored = upload(&server, b"a recording");
    let job = job_path(stored.job_id, "");
    let rename = json!({ "filename": "Vorlesung 7: Wärme.mp4" });
    server.patch(&job, &rename).expect(200);
    let cues = json!({ "segments": [{ "start_time": 0, "end_time": 1, "text": "Hello." }] });
    server.put(&format!("{job}/transcripts"), &cues).expect(200);
    let clip = json!({
        "title": "Was ist/war\r\nEntropie?", "start_time": 0, "end_time": 1,
        "s3_key": "clips/1.MP4",
    });
    let clips = server
        .put(&format!("{job}/clips"), &json!({ "clips": [clip] }))
        .expect(200)
        .json();
    let clip_id = clips["clips"][0]["clip_id"].as_str().unwrap();
    let subtitles = format!("/api/v1/clips/{clip_id}/subtitles");
    let disposition = |path: &str| {
        let answer = server.get(path).expect(200);
        answer.header("Content-Disposition").map(str::to_owned)
    };
    let clip_named = |extension: &str| {
        Some(format!(
            "inline; filename=\"Was ist_war Entropie_.{extension}\""
        ))
    };
    let recording_named = |extension: &str| {
        let in_utf_8 = "Vorlesung%207_%20W%C3%A4rme";
        Some(format!(
            "inline; filename=\"Vorlesung 7_ W_rme.{extension}\"; \
             filename*=UTF-8''{in_utf_8}.{extension}"
        ))
    };
    let files = |name: &dyn Fn(&str) -> Option<String>, path: &str| {
        for (format, extension) in [("vtt", "vtt"), ("srt", "srt"), ("text", "txt")] {
            let path = format!("{path}?format={format}");
            assert_eq!(disposition(&path), name(extension));
        }
        assert_eq!(disposition(path), None);
    };
    files(&recording_named, &format!("{job}/transcripts"));
    // From the transcript, then from a file.
    files(&clip_named, &subtitles);
    server.put(&subtitles, &cues).expect(200);
    files(&clip_named, &subtitles);

    let results = results(&server, stored.job_id);
    let recording = &results["metadata"]["original_video"]["url"];
    assert_eq!(
        disposition(path_of(&server, recording)),
        recording_named("mp4")
    );
    let clip = &results["clips"][0];
    let url = clip["url"].as_str().unwrap();
    assert!(
        url.contains("&filename=Was%20ist%5Fwar%20Entropie%5F%2EMP4&"),
        "{url}"
    );
    let path = path_of(&server, &clip["subtitle_url"]);
    assert_eq!(disposition(path), clip_named("vtt"));
    for (method, range) in [("HEAD", "bytes=0-"), ("GET", "bytes=0-5")] {
        let request = server.request(method, path).header("Range", range);
        let answer = request.send();
        assert!(answer.status < 300, "{answer}");
        let name = answer.header("Content-Disposition").map(str::to_owned);
        assert_eq!(name, clip_named("vtt"));
    }
    server
        .get(&path.replace("&filename=Was", "&filename=War"))
        .problem(404, "not_found");
}
