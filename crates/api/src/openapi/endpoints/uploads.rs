//! Uploads, and objects in the storage.

use schemars::JsonSchema;

use super::super::operation::Operation;
use super::{get, post, put};
use crate::job::JobResponse;
use crate::upload::{UploadConfirmBody, UploadRequest, UploadResponse, sample_recording};
use crate::wire::Code::{
    IllegalTransition, InsufficientStorage, JobNotFound, Overloaded, UploadInProgress,
};

/// Operations to upload a recording.
pub(super) fn requests() -> Vec<Operation> {
    vec![
        post("/api/v1/upload", "createUpload")
            .describe_as(
                "Request the upload of a recording",
                "Creates a job that is pending until the upload is confirmed. PUT the file to \
                 `upload_url`, then confirm.",
            )
            .idempotent()
            .body::<UploadRequest>()
            .responds::<UploadResponse>(201)
            .with_headers(&["Location"])
            .with_problems([InsufficientStorage]),
        post("/api/v1/upload/confirm", "confirmUpload")
            .describe_as(
                "Confirm an upload",
                "Queues the job if the file is there and has the announced size. Confirming \
                 again changes nothing.",
            )
            .body::<UploadConfirmBody>()
            .responds::<JobResponse>(200)
            .with_headers(&["ETag"])
            .with_problems([JobNotFound, IllegalTransition]),
    ]
}

/// Operations on objects at signed URLs, which the service issues for objects on its
/// own disk.
pub(super) fn objects() -> Vec<Operation> {
    vec![
        get("/api/v1/objects/{key}", "getObject")
            .describe_as(
                "Fetch an object",
                "Requires a URL that the service issued, including its query string, which is signed \
                 and expires. HEAD is supported, too.",
            )
            .signed_query::<SignedDownload>()
            .header("Range")
            .responds_bytes(200)
            .or_responds(206, "The requested part.")
            .with_headers(&["Content-Range"])
            .if_none_match()
            .with_problems([Overloaded]),
        put("/api/v1/objects/{key}", "putObject")
            .describe_as(
                "Upload an object",
                "Requires an `upload_url` that the service issued, including its query string, which \
                 is signed, expires, and accepts exactly the announced number of bytes, from one \
                 request at a time. An upload that ends early leaves nothing, and one that is too \
                 slow is ended. Once the upload is confirmed, the object cannot be replaced. If the \
                 database does not answer when the last byte arrives, the object is stored all the \
                 same, unless it would replace another.",
            )
            .signed_query::<SignedUpload>()
            .body_recording()
            .responds_empty(200)
            .with_problems([IllegalTransition, UploadInProgress, InsufficientStorage])
            .uses_database(),
    ]
}

/// The query string of a signed URL for a download.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only stands for a JSON schema")]
struct SignedDownload {
    /// When the URL expires, in Unix seconds.
    #[schemars(extend("example" = 1_798_761_600))]
    expires: i64,
    /// The name under which the download is saved, if the URL has one.
    #[schemars(extend("example" = "lecture.mp4"))]
    filename: Option<String>,
    /// Signature of method, key, expiry time and name.
    #[schemars(extend("example" = EXAMPLE_SIGNATURE))]
    signature: String,
}

/// The query string of a signed URL for an upload.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only stands for a JSON schema")]
struct SignedUpload {
    /// When the URL expires, in Unix seconds.
    #[schemars(extend("example" = 1_798_761_600))]
    expires: i64,
    /// The number of bytes that the URL accepts.
    #[schemars(range(min = 1), extend("example" = sample_recording().len()))]
    size: i64,
    /// Signature of method, key, size and expiry time.
    #[schemars(extend("example" = EXAMPLE_SIGNATURE))]
    signature: String,
}

const EXAMPLE_SIGNATURE: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
