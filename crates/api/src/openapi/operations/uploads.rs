//! Uploads, and the objects in the storage.

use super::super::operation::Operation;
use super::{get, post, put};
use crate::Code::{IllegalTransition, JobNotFound, Overloaded};
use crate::{JobResponse, UploadConfirmBody, UploadRequest, UploadResponse};

/// The way of a recording into the storage.
pub(super) fn jobs() -> Vec<Operation> {
    vec![
        post("/api/v1/upload", "createUpload")
            .about(
                "Ask where to upload a recording",
                "Makes a job that is pending until the upload is confirmed. PUT the file to \
                 `upload_url`, then confirm.",
            )
            .idempotent()
            .body::<UploadRequest>()
            .answers::<UploadResponse>(201)
            .with(&["Location"]),
        post("/api/v1/upload/confirm", "confirmUpload")
            .about(
                "Confirm an upload",
                "Queues the job once the file is there and has the announced size. Confirming \
                 again changes nothing.",
            )
            .body::<UploadConfirmBody>()
            .answers::<JobResponse>(200)
            .with(&["ETag"])
            .or([JobNotFound, IllegalTransition]),
    ]
}

/// Objects at the signed addresses the service gives out when it keeps them on
/// its own disk.
pub(super) fn objects() -> Vec<Operation> {
    vec![
        get("/api/v1/objects/{key}", "getObject")
            .about(
                "Fetch an object",
                "At an address as the service gave it, query and all: nobody else can make one, \
                 and it expires. HEAD works too.",
            )
            .header("Range")
            .answers_bytes(200)
            .also(206, "The part that was asked for.")
            .with(&["Content-Range"])
            .if_none_match()
            .or([Overloaded]),
        put("/api/v1/objects/{key}", "putObject")
            .about(
                "Upload an object",
                "To the `upload_url` as the service gave it, query and all: nobody else can make \
                 one, it expires, and it takes exactly as many bytes as were announced. Once the \
                 upload is confirmed the object cannot be exchanged.",
            )
            .body_bytes()
            .answers_nothing(200)
            .or([IllegalTransition])
            .stored(),
    ]
}
