//! Bodies of uploads.

use lectern_tests::{TestServer, on_both_backends};
use serde_json::json;

use super::bodies::Endpoint;
use super::field::Kind::{Affixed, Id, Integer, MayBeEmpty};
use super::{check_bodies_at, dump};
use crate::http::support::{UNKNOWN_ID, recordings};

on_both_backends!(
    an_invalid_upload_is_rejected,
    an_invalid_confirmation_is_rejected,
);

const MIB: usize = 1 << 20;
const UPLOAD: &str = "/api/v1/upload";
const CONFIRM: &str = "/api/v1/upload/confirm";

/// The default limit of a recording in bytes.
const MAX_SIZE: i64 = 10 << 30;

pub(crate) fn announcement() -> Endpoint {
    let body = json!({
        "filename": "lecture.mp4",
        "file_size": 734_003_200,
        "content_type": "video/mp4",
        "processing_config": {
            "processing_mode": "audio", "resolution": "1080p", "pipeline": "default", "model": "x",
        },
        "priority": 5,
    });
    let mut endpoint = Endpoint::new("POST", UPLOAD, MIB, body)
        .required("filename", Affixed("", ".mp4", 255))
        .required("file_size", Integer(1, MAX_SIZE))
        .may_be_null("content_type", MayBeEmpty("video/", 255))
        .processing_config()
        .may_be_null("priority", Integer(i32::MIN.into(), i32::MAX.into()));
    for name in [
        "lecture.pdf",
        "mp4",
        "lecture.mp4.exe",
        "lecture.mp4/",
        "lecture mp4",
    ] {
        endpoint = endpoint.rejects("", &json!({ "filename": name }), "filename");
    }
    for kind in [
        "video/mp4\n",
        "video/mp4/x",
        "video/é",
        "text/html",
        "video",
    ] {
        endpoint = endpoint.rejects("", &json!({ "content_type": kind }), "content_type");
    }
    for sound in ["lecture.mp3", "lecture.FLAC", "lecture.opus"] {
        endpoint = endpoint.rejects("", &json!({ "filename": sound }), "content_type");
    }
    endpoint
}

/// `job_id` belongs to an upload that can be confirmed.
pub(crate) fn confirmation(job_id: &str) -> Endpoint {
    Endpoint::new("POST", CONFIRM, MIB, json!({ "job_id": job_id })).required("job_id", Id)
}

fn an_invalid_upload_is_rejected(server: TestServer) {
    check_bodies_at(&server, &announcement(), || UPLOAD.to_owned());
}

fn an_invalid_confirmation_is_rejected(server: TestServer) {
    let uploaded = recordings::upload(&server, b"a recording");
    let endpoint = confirmation(&uploaded.job_id.to_string());
    check_bodies_at(&server, &endpoint, || CONFIRM.to_owned());
    let before = dump(server.db());
    server
        .post(CONFIRM, &json!({ "job_id": UNKNOWN_ID }))
        .problem(404, "job_not_found");
    assert_eq!(dump(server.db()), before);
}
