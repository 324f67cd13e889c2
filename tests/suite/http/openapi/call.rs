//! Requests that succeed, by operation.

use lectern_db::Database;
use lectern_domain::{
    Claim, ClaimLimit, ClaimRequest, JobId, JobStatus, LeaseDuration, LogStatus, Stage, Stages,
    WorkerName,
};
use lectern_tests::{
    Body, Client, Response, a_completed_job, a_job, a_layout, a_log_entry, a_report, clips,
    content_segments, segments, silence_regions,
};
use serde_json::{Value, json};

use super::operation::Operation;
use crate::http::support::{a_recording, recordings, tus};

/// The size of the recordings that are uploaded, in bytes.
const SIZE: usize = 1000;

/// The headers of a WebSocket handshake (RFC 6455, 1.3).
pub(crate) const HANDSHAKE: [(&str, &str); 4] = [
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

/// A request that can be sent any number of times.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    method: String,
    /// Path and query.
    path: String,
    headers: Vec<(&'static str, String)>,
    /// Media type and body.
    body: Option<(String, Vec<u8>)>,
}

impl Call {
    /// A call of an operation on the resource with this id or key, with a valid
    /// body.
    pub(crate) fn on_resource(operation: &Operation<'_>, id: &str) -> Self {
        let mut path = operation.path.to_owned();
        for variable in [
            "{job_id}",
            "{clip_id}",
            "{segment_id}",
            "{lease_id}",
            "{stage}",
            "{upload_id}",
            "{key}",
        ] {
            path = path.replace(variable, id);
        }
        let body = match operation.id() {
            "putObject" => Some((BYTES, recordings::recording(SIZE))),
            "appendTusUpload" | "overrideTusMethod" => {
                Some((TUS_PART, recordings::recording(SIZE)))
            }
            "confirmUpload" => Some((JSON, json!({ "job_id": id }).to_string().into())),
            operation => a_body_for(operation).map(|body| (JSON, body.to_string().into())),
        };
        let headers = match operation.id() {
            "watchJob" => HANDSHAKE
                .map(|(name, value)| (name, value.to_owned()))
                .into(),
            id if id.contains("Tus") => [
                ("Tus-Resumable", "1.0.0".to_owned()),
                ("Upload-Length", SIZE.to_string()),
                ("Upload-Metadata", tus::METADATA.to_owned()),
                ("Upload-Offset", "0".to_owned()),
                ("X-HTTP-Method-Override", "PATCH".to_owned()),
            ]
            .into(),
            _ => Vec::new(),
        };
        Self {
            method: operation.method.to_uppercase(),
            path,
            headers,
            body: body.map(|(kind, body)| (kind.to_owned(), body)),
        }
    }

    /// Creates the resource an operation needs and returns a call that
    /// succeeds. Uploads go to the server of `client`, rows into `db`.
    pub(crate) fn successful(operation: &Operation<'_>, client: &Client, db: &Database) -> Self {
        let job = |status| a_job().status(status).create(db).job_id.to_string();
        let id = match operation.id() {
            "updateJob" | "reportProgress" | "cancelJob" => job(JobStatus::Running),
            "retryJob" | "rerunJob" => job(JobStatus::Failed),
            "watchJob" => job(JobStatus::Queued),
            "pauseStage" | "resumeStage" => Stage::Transcription.to_string(),
            "createUploadUrl" => recordings::announce(client, SIZE).job_id.to_string(),
            id if id.contains("Tus") => tus::create(client, SIZE).id,
            "heartbeat" | "completeStage" | "releaseStage" | "failStage" | "listWorkObjects"
            | "createWorkUpload" => a_lease(db),
            "confirmUpload" => {
                let announced = recordings::announce(client, SIZE);
                let bytes = recordings::recording(SIZE);
                recordings::send(client, &announced.path, &bytes).expect(200);
                announced.job_id.to_string()
            }
            "putObject" => {
                return Self::on_path(operation, recordings::announce(client, SIZE).path);
            }
            "getObject" => {
                let uploaded = recordings::upload(client, &recordings::recording(SIZE));
                let results = recordings::results(client, uploaded.job_id);
                let url = &results["metadata"]["original_video"]["url"];
                return Self::on_path(operation, recordings::path_of(client, url).to_owned());
            }
            "getWaveform" | "getThumbnails" | "getThumbnailPicture" => {
                a_job_with_files(client, db).to_string()
            }
            "getTranscriptSegment" | "updateTranscriptSegment" | "deleteTranscriptSegment" => {
                let job_id = a_completed_job(db).job_id;
                let segments = db.read(|conn| conn.transcripts().for_job(job_id));
                segments.unwrap()[0].segment_id.to_string()
            }
            "getContentSegment" | "updateContentSegment" | "deleteContentSegment" => {
                let job_id = a_completed_job(db).job_id;
                let segments = db.read(|conn| conn.content_segments().for_job(job_id));
                segments.unwrap()[0].segment_id.to_string()
            }
            "getClip" | "updateClip" | "deleteClip" | "getSubtitles" | "putSubtitles" => {
                let job_id = a_completed_job(db).job_id;
                let clips = db.read(|conn| conn.clips().for_job(job_id));
                clips.unwrap()[0].clip_id.to_string()
            }
            _ => a_completed_job(db).job_id.to_string(),
        };
        Self::on_resource(operation, &id)
    }

    fn on_path(operation: &Operation<'_>, path: String) -> Self {
        Self {
            path,
            ..Self::on_resource(operation, "")
        }
    }

    /// The same call with a query.
    pub(crate) fn with_query(mut self, query: &str) -> Self {
        self.path = format!("{}?{query}", self.path);
        self
    }

    /// The same call with one more header.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// Whether the response has no body.
    pub(crate) fn is_head(&self) -> bool {
        self.method == "HEAD"
    }

    /// The same call with another method.
    pub(crate) fn with_method(mut self, method: &str) -> Self {
        method.clone_into(&mut self.method);
        self
    }

    /// The same call with another body.
    pub(crate) fn with_body(mut self, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some((kind.to_owned(), body.into()));
        self
    }

    /// Sends the request and waits for the response.
    pub(crate) fn send(&self, client: &Client) -> Response {
        let mut request = client.request(&self.method, &self.path);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        match &self.body {
            Some((kind, body)) => request.body(kind, body.clone()).send(),
            None => request.send(),
        }
    }
}

const JSON: &str = "application/json";
const BYTES: &str = "application/octet-stream";
pub(crate) const TUS_PART: &str = "application/offset+octet-stream";

/// A valid body for an operation; `None` if it has no body.
fn a_body_for(operation: &str) -> Option<Value> {
    Some(match operation {
        "createJob" => a_recording(),
        "createUpload" => recordings::a_lecture(SIZE),
        "updateJob" => {
            json!({ "status": "completed", "extra_metadata": { "seen": [1, null, "x"] } })
        }
        "reportProgress" => a_report(Stage::Compilation, 12.5).body(),
        "putTranscript" | "appendTranscript" | "putSubtitles" => {
            json!({ "segments": segments(10).body() })
        }
        "putSilenceRegions" => json!({ "regions": silence_regions(6).body() }),
        "putLayoutAnalysis" => a_layout().body(),
        "putContentSegments" => json!({ "segments": content_segments(3).body() }),
        "putClips" => json!({ "clips": clips(3).body() }),
        "createWatchToken" => json!({ "expires_in_seconds": 60 }),
        "rerunJob" => json!({ "from_stage": "segmentation" }),
        "addClip" => json!({ "title": "Entropy", "start_time": 1, "end_time": 31 }),
        "updateClip" => json!({ "title": "Entropy", "end_time": 100, "topic": null }),
        "updateTranscriptSegment" => json!({ "text": "Entropy grows.", "speaker_id": null }),
        "updateContentSegment" => json!({ "topic": "Entropy", "keywords": ["heat"] }),
        "appendLog" => a_log_entry(Stage::Compilation, LogStatus::Failed).body(),
        "claimWork" => json!({ "worker": "worker-1", "stages": Stage::WORK }),
        "heartbeat" => json!({ "percent": 12.5, "message": "at 00:12:00", "eta_seconds": 600 }),
        "createWorkUpload" => json!({ "filename": "clips/1.mp4", "file_size": 4 }),
        "failStage" => json!({ "error": "no memory", "details": { "exit_code": 137 } }),
        _ => return None,
    })
}

/// A lease on a stage of a new job.
fn a_lease(db: &Database) -> String {
    a_claim(db).lease_id.to_string()
}

/// A job for whose timeline a worker has stored files.
fn a_job_with_files(client: &Client, db: &Database) -> JobId {
    let claim = a_claim(db);
    let waveform = json!({
        "version": 2, "channels": 1, "sample_rate": 48000, "samples_per_pixel": 1920, "bits": 8,
        "length": 1, "data": [-1, 1],
    });
    for (name, content) in [
        ("waveform.json", waveform.to_string()),
        ("thumbnails.vtt", "WEBVTT\n".to_owned()),
        ("thumbnails.jpg", "a picture".to_owned()),
    ] {
        let path = format!("/api/v1/work/{}/objects", claim.lease_id);
        let body = json!({ "filename": name, "file_size": content.len() });
        let announced = client.post(&path, &body).expect(201).json();
        let path = recordings::path_of(client, &announced["upload_url"]);
        recordings::send(client, path, content.as_bytes()).expect(200);
    }
    claim.job.job_id
}

fn a_claim(db: &Database) -> Claim {
    a_job().create(db);
    let request = ClaimRequest {
        worker: WorkerName::new("worker-1").unwrap(),
        stages: Stages::new(Stage::WORK.to_vec()).unwrap(),
        max: ClaimLimit::default(),
        lease: LeaseDuration::default(),
    };
    let claims = db.write(|tx| tx.work().claim(&request)).unwrap();
    claims.into_iter().next().unwrap()
}
