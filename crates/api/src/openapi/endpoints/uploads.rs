//! Uploads, and objects in the storage.

use super::super::operation::Operation;
use super::{get, post, put};
use crate::job::JobResponse;
use crate::upload::{UploadConfirmBody, UploadRequest, UploadResponse};
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
            .body_bytes()
            .responds_empty(200)
            .with_problems([IllegalTransition, UploadInProgress, InsufficientStorage])
            .uses_database(),
    ]
}
