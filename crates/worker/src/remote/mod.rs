//! The stages of a server, over HTTP alone: its API, and signed URLs of objects.

mod client;
mod objects;
mod outputs;
mod stored;

use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use lectern_domain::{ClaimRequest, Heartbeat, JobId, LeaseId, Stage, StageFailure, StageNotes};
use lectern_media::CancellationToken;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use self::client::Client;
use self::objects::RemoteObjects;
use self::stored::WireClaim;
use crate::job_objects::JobObjects;
use crate::stage_output::OutputRows;
use crate::work_source::{ClaimedStage, OutputKind, StoredOutputs, WorkError, WorkSource};

/// How long the server may wait for a stage that is ready.
const CLAIM_WAIT: Duration = Duration::from_secs(20);

/// The stages of a server. The worker needs no access to the database or the storage: it sends
/// requests to the API, and reads and writes objects at URLs that the server has signed.
///
/// The output of a stage is stored under its lease by one request, and the stage is completed
/// by the next. In between, another request can see the output of a stage that is not completed;
/// a worker that is lost then leaves an output that the next attempt replaces as a whole.
#[derive(Debug, Clone)]
pub struct RemoteWork(Arc<Client>);

impl RemoteWork {
    /// The stages of the server at this URL, which is without `/api/v1`. `api_key` is a key of
    /// the role `worker`, if the server asks for keys.
    ///
    /// # Errors
    ///
    /// If the key has characters that a header cannot have.
    pub fn new(server: &str, api_key: Option<&str>) -> Result<Self, WorkError> {
        Ok(Self(Arc::new(Client::new(server, api_key)?)))
    }
}

#[derive(Deserialize)]
struct Claims {
    claims: Vec<WireClaim>,
}

#[derive(Deserialize)]
struct HeartbeatResponse {
    cancelled: bool,
}

/// What the response to the end of a lease says is not needed.
#[derive(Deserialize)]
struct Ended {}

impl WorkSource for RemoteWork {
    fn claim(
        &self,
        request: &ClaimRequest,
        only_job: Option<JobId>,
        cancellation: &CancellationToken,
    ) -> Result<Vec<ClaimedStage>, WorkError> {
        if only_job.is_some() {
            let message = "a server offers the stages of all its jobs, not those of one";
            return Err(WorkError::Refused(message.to_owned()));
        }
        let body = json!({
            "worker": request.worker.as_str(),
            "stages": request.stages.as_slice(),
            "max": request.max.get(),
            "lease_seconds": request.lease.seconds(),
            "wait_seconds": CLAIM_WAIT.as_secs(),
        });
        let (sender, receiver) = mpsc::channel();
        let to_claimant = sender.clone();
        let client = Arc::clone(&self.0);
        // A thread of its own, so that a worker that stops need not wait for the response.
        thread::Builder::new()
            .name("claim".to_owned())
            .spawn(move || {
                let claimed = client.post::<Claims>("/work/claim", &body, CLAIM_WAIT);
                let Err(mpsc::SendError(Some(Ok(unwanted)))) = to_claimant.send(Some(claimed))
                else {
                    return;
                };
                for claim in unwanted.claims {
                    // Otherwise the lease expires.
                    let _ = client.end_lease(claim.lease_id, "release", &json!({}));
                }
            })
            .map_err(|error| WorkError::Failing(error.to_string()))?;
        let _callback = cancellation.on_cancel(move || {
            // It fails if the response was first.
            let _ = sender.send(None);
        });
        match receiver.recv() {
            Ok(Some(claimed)) => claimed?
                .claims
                .into_iter()
                .map(ClaimedStage::try_from)
                .collect::<Result<_, _>>()
                .map_err(|error| self.0.unreadable(&error.to_string())),
            Ok(None) | Err(mpsc::RecvError) => Ok(Vec::new()),
        }
    }

    fn heartbeat(&self, lease_id: LeaseId, heartbeat: &Heartbeat) -> Result<bool, WorkError> {
        let body = json!({
            "percent": heartbeat.percent,
            "message": heartbeat.message,
            "eta_seconds": heartbeat.eta_seconds,
        });
        let path = format!("/work/{lease_id}/heartbeat");
        let response: HeartbeatResponse = self.0.post(&path, &body, Duration::ZERO)?;
        Ok(response.cancelled)
    }

    fn complete(
        &self,
        claim: &ClaimedStage,
        rows: &OutputRows,
        notes: &StageNotes,
    ) -> Result<(), WorkError> {
        if let Some((path, body)) = outputs::set(rows) {
            let path = format!("/jobs/{}{path}", claim.job.job_id);
            self.0.put(&path, claim.lease_id, &body)?;
        }
        let body = outputs::completion(rows, notes);
        self.0.end_lease(claim.lease_id, "complete", &body)
    }

    fn fail(&self, lease_id: LeaseId, failure: &StageFailure) -> Result<(), WorkError> {
        let mut body = Map::new();
        body.insert("error".to_owned(), json!(failure.error.as_str()));
        body.insert("retryable".to_owned(), json!(failure.retryable));
        if let Some(details) = &failure.details {
            body.insert("details".to_owned(), Value::Object(details.get().clone()));
        }
        self.0.end_lease(lease_id, "fail", &Value::Object(body))
    }

    fn release(&self, lease_id: LeaseId) -> Result<(), WorkError> {
        self.0.end_lease(lease_id, "release", &json!({}))
    }

    fn stored(
        &self,
        claim: &ClaimedStage,
        kinds: &[OutputKind],
    ) -> Result<StoredOutputs, WorkError> {
        let mut stored = stored::read(&self.0, claim.job.job_id, kinds)?;
        if claim.stage == Stage::Compilation {
            let objects = RemoteObjects::new(Arc::clone(&self.0), claim);
            for clip in &mut stored.clips {
                if let Some(key) = &clip.data.media.s3_key {
                    clip.cut.record = objects.cut_record(key)?;
                }
            }
        }
        Ok(stored)
    }

    fn objects(&self, claim: &ClaimedStage) -> Arc<dyn JobObjects> {
        Arc::new(RemoteObjects::new(Arc::clone(&self.0), claim))
    }
}

impl Client {
    fn end_lease(&self, lease_id: LeaseId, end: &str, body: &Value) -> Result<(), WorkError> {
        let path = format!("/work/{lease_id}/{end}");
        self.post::<Ended>(&path, body, Duration::ZERO).map(drop)
    }
}
