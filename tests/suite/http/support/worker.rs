//! Shorthands for the requests of a worker.

use chrono::TimeDelta;
use lectern_domain::JobId;
use lectern_domain::Stage::{
    self, Compilation, ContentAnalysis, LayoutAnalysis, Segmentation, SilenceDetection,
    Transcription,
};
use lectern_tests::{
    Body, Client, Response, TestServer, a_layout, clips, content_segments, segments,
    silence_regions,
};
use serde_json::{Value, json};

use super::{JOBS, a_recording, job_path, wait_until};

/// The path of claims.
pub(crate) const CLAIM: &str = "/api/v1/work/claim";

/// A stage that a worker has claimed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Claimed {
    pub(crate) job_id: JobId,
    pub(crate) stage: Stage,
    pub(crate) attempt: i64,
    pub(crate) lease: String,
}

impl Claimed {
    fn of(claim: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self {
            job_id: text(&claim["job"]["job_id"]).parse().unwrap(),
            stage: text(&claim["stage"]).parse().unwrap(),
            attempt: claim["attempt"].as_i64().unwrap(),
            lease: text(&claim["lease_id"]),
        }
    }

    /// Sends `heartbeat`, `complete` or `fail` for this stage.
    pub(crate) fn send(&self, client: &Client, action: &str, body: &Value) -> Response {
        client.post(&format!("/api/v1/work/{}/{action}", self.lease), body)
    }

    /// Stores output of this stage under its lease.
    pub(crate) fn store(&self, client: &Client) {
        let (below, body) = example_output(self.stage);
        let request = client.request("PUT", &job_path(self.job_id, below));
        request
            .header("Lease-Id", &self.lease)
            .json(&body)
            .send()
            .expect(200);
    }
}

/// The sub-resource and an example of the output of a stage.
pub(crate) fn example_output(stage: Stage) -> (&'static str, Value) {
    match stage {
        SilenceDetection => (
            "/silence-regions",
            json!({ "regions": silence_regions(3).body() }),
        ),
        Transcription => ("/transcripts", json!({ "segments": segments(5).body() })),
        LayoutAnalysis => ("/layout-analysis", a_layout().body()),
        ContentAnalysis => (
            "/content-segments",
            json!({ "segments": content_segments(2).body() }),
        ),
        Segmentation | Compilation => ("/clips", json!({ "clips": clips(2).body() })),
        Stage::Uploading | Stage::Complete => panic!("{stage} is not a stage of workers"),
    }
}

/// Sends a claim for these stages; `more` holds further fields.
pub(crate) fn request_claim(client: &Client, stages: &[Stage], more: Value) -> Response {
    let mut body = json!({ "worker": "worker-1", "stages": stages });
    let Value::Object(more) = more else {
        panic!("{more} is not an object")
    };
    body.as_object_mut().unwrap().extend(more);
    client.post(CLAIM, &body)
}

/// The claims in a response to [`request_claim`].
pub(crate) fn claims(answer: Response) -> Vec<Claimed> {
    let answer = answer.expect(200).json();
    let claims = answer["claims"].as_array().unwrap().iter();
    claims.map(Claimed::of).collect()
}

/// Claims one stage, if any.
pub(crate) fn claim(client: &Client, stages: &[Stage]) -> Option<Claimed> {
    claims(request_claim(client, stages, json!({}))).pop()
}

/// The stages of a job and their statuses, in the order of its pipeline.
pub(crate) fn stages(client: &Client, job_id: JobId) -> Vec<(Stage, String)> {
    let answer = client.get(&job_path(job_id, "/stages")).expect(200).json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let all = answer["stages"].as_array().unwrap().iter();
    all.map(|run| (text(&run["stage"]).parse().unwrap(), text(&run["status"])))
        .collect()
}

/// Creates a job; `more` holds further fields.
pub(crate) fn create_job(client: &Client, more: Value) -> JobId {
    let mut body = a_recording();
    let Value::Object(more) = more else {
        panic!("{more} is not an object")
    };
    body.as_object_mut().unwrap().extend(more);
    let made = client.post(JOBS, &body).expect(201).json();
    made["job_id"].as_str().unwrap().parse().unwrap()
}

/// The status of one stage.
pub(crate) fn status(client: &Client, job_id: JobId, stage: Stage) -> String {
    let mut all = stages(client, job_id).into_iter();
    all.find(|(other, _)| *other == stage).unwrap().1
}

/// Advances the clock past the lease and waits until the server has ended the
/// attempt.
pub(crate) fn expire(server: &TestServer, claimed: &Claimed) {
    server.db().clock().advance(TimeDelta::seconds(61));
    wait_until(|| status(server, claimed.job_id, claimed.stage) != "running");
}
