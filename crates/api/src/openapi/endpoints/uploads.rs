//! Uploads, and objects in the storage.

use schemars::JsonSchema;

use super::super::operation::Operation;
use super::{delete, get, head, options, patch, post, put};
use crate::job::JobResponse;
use crate::upload::{UploadConfirmBody, UploadRequest, UploadResponse, sample_recording};
use crate::wire::Code::{
    BodyTooLarge, IllegalTransition, InsufficientStorage, JobNotFound, MethodNotAllowed,
    Overloaded, QuotaExceeded, TusVersionNotSupported, UploadExpired, UploadInProgress,
    UploadOffsetMismatch, ValidationFailed,
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
            .with_problems([InsufficientStorage, QuotaExceeded]),
        post("/api/v1/upload/confirm", "confirmUpload")
            .describe_as(
                "Confirm an upload",
                "Queues the job if the file is there and has the announced size. Confirming \
                 again changes nothing.",
            )
            .idempotent()
            .body::<UploadConfirmBody>()
            .responds::<JobResponse>(200)
            .with_headers(&["ETag"])
            .with_problems([JobNotFound, IllegalTransition]),
        post("/api/v1/jobs/{job_id}/upload-url", "createUploadUrl")
            .describe_as(
                "Request a new URL for an upload",
                "For a job that is pending, because its recording was not sent before its URL \
                 expired. The job is kept for as long as after a new request.",
            )
            .idempotent()
            .responds::<UploadResponse>(200)
            .exclude_from_links()
            .with_problems([IllegalTransition, InsufficientStorage, ValidationFailed]),
    ]
}

const TUS: &str = "/api/v1/uploads/tus";
const TUS_UPLOAD: &str = "/api/v1/uploads/tus/{upload_id}";

/// The headers that describe what the service supports of tus.
const TUS_OPTIONS: &[&str] = &[
    "Tus-Resumable",
    "Tus-Version",
    "Tus-Extension",
    "Tus-Max-Size",
    "Tus-Checksum-Algorithm",
];

const TUS_OPTIONS_DESCRIPTION: &str =
    "The version, the extensions, the checksums and the greatest size of a recording.";

/// Uploads that resume, in the protocol tus 1.0.0.
pub(super) fn tus() -> Vec<Operation> {
    vec![
        options(TUS, "getTusOptions")
            .describe_as("Ask what is supported of tus", TUS_OPTIONS_DESCRIPTION)
            .responds_empty(204)
            .with_headers(TUS_OPTIONS),
        post(TUS, "createTusUpload")
            .describe_as(
                "Create a resumable upload",
                "Creates a job that is pending until all bytes have arrived; then it is queued. \
                 The last segment of `Location` is its `job_id`. The body may be the first part \
                 of the recording. Use a client of tus 1.0.0, such as tus-js-client or tuspy.",
            )
            .idempotent()
            .header("Tus-Resumable")
            .header("Upload-Length")
            .header("Upload-Metadata")
            .body_tus(false)
            .responds_empty(201)
            .with_headers(&[
                "Location",
                "Tus-Resumable",
                "Upload-Offset",
                "Upload-Expires",
            ])
            .with_problems([QuotaExceeded, TusVersionNotSupported, IllegalTransition])
            .uses_database(),
        options(TUS_UPLOAD, "getTusUploadOptions")
            .describe_as(
                "Ask what is supported of tus, at an upload",
                TUS_OPTIONS_DESCRIPTION,
            )
            .responds_empty(204)
            .with_headers(TUS_OPTIONS),
        head(TUS_UPLOAD, "getTusUpload")
            .describe_as(
                "Ask how much of a resumable upload has arrived",
                "`Upload-Metadata` is as it was sent.",
            )
            .header("Tus-Resumable")
            .responds_empty(200)
            .with_headers(&[
                "Tus-Resumable",
                "Upload-Offset",
                "Upload-Length",
                "Upload-Expires",
            ])
            .with_problems([UploadExpired, IllegalTransition, TusVersionNotSupported])
            .uses_database(),
        patch(TUS_UPLOAD, "appendTusUpload")
            .describe_as(
                "Append to a resumable upload",
                "What has arrived when a request breaks off is kept, unless the request has a \
                 checksum. A request ends an earlier one that still appends to the same upload \
                 on the same server; on other servers it is refused until that one has ended or \
                 stalled.",
            )
            .header("Tus-Resumable")
            .header("Upload-Offset")
            .body_tus(true)
            .responds_empty(204)
            .with_headers(&["Tus-Resumable", "Upload-Offset", "Upload-Expires"])
            .with_problems([
                UploadOffsetMismatch,
                IllegalTransition,
                UploadExpired,
                TusVersionNotSupported,
            ])
            .uses_database(),
        delete(TUS_UPLOAD, "deleteTusUpload")
            .describe_as(
                "Terminate a resumable upload",
                "Deletes what has arrived, together with the job. A job whose upload is complete \
                 is kept.",
            )
            .header("Tus-Resumable")
            .responds_empty(204)
            .with_headers(&["Tus-Resumable"])
            .with_problems([TusVersionNotSupported])
            .uses_database(),
        post(TUS_UPLOAD, "overrideTusMethod")
            .describe_as(
                "Send PATCH, DELETE or HEAD as POST",
                "For clients that cannot send these methods. The request has the other headers and \
                 the body of that method.",
            )
            .header("Tus-Resumable")
            .header("X-HTTP-Method-Override")
            .body_tus(false)
            .responds_empty(204)
            .with_headers(&["Tus-Resumable"])
            .with_problems([
                MethodNotAllowed,
                UploadOffsetMismatch,
                IllegalTransition,
                UploadExpired,
                TusVersionNotSupported,
                BodyTooLarge,
            ])
            .uses_database(),
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
            .with_problems([
                IllegalTransition,
                UploadExpired,
                UploadInProgress,
                InsufficientStorage,
            ])
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
