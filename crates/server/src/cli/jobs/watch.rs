//! `lectern jobs watch`.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::bail;
use lectern_domain::{JobId, JobStatus};
use serde::Deserialize;

use super::client::{Client, Error};
use crate::cli::stage_progress::{Display, StageProgress};
use crate::cli::stdout::print_line;
use crate::cli::text::one_line;

/// How long the server waits for the next event. The display is updated in between.
const WAIT: Duration = Duration::from_secs(1);
/// How long a server may be away, for a restart for example, until watching ends.
const MAX_OUTAGE: Duration = Duration::from_mins(2);
/// Pause before a server that is away is tried again.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

#[derive(Deserialize)]
struct Job {
    status: JobStatus,
    error_message: Option<String>,
}

#[derive(Deserialize)]
struct Stages {
    stages: Vec<StageProgress>,
}

#[derive(Deserialize)]
struct Events {
    last_seq: i64,
}

/// Shows the progress until the job is finished.
///
/// # Errors
///
/// When the job failed, was cancelled or deleted, or the server cannot be reached
/// [`MAX_OUTAGE`] long after it was reached once.
pub(super) fn watch(client: &Client, job: JobId) -> anyhow::Result<()> {
    // Without a first response the address is wrong rather than the server away.
    let mut seq = client
        .get::<Events>(&format!("/jobs/{job}/events"))?
        .last_seq;
    let mut reached_at = Instant::now();
    let mut display = Display::new();
    let outcome = loop {
        match poll(client, job, &mut seq, &mut display) {
            Ok(job) if job.status.is_finished() => break Ok(job),
            Ok(_) => reached_at = Instant::now(),
            Err(Error::Unreachable { .. }) if reached_at.elapsed() < MAX_OUTAGE => {
                thread::sleep(RETRY_PAUSE);
            }
            Err(error) => break Err(error),
        }
    };
    display.finish();
    let end = outcome?;
    if end.status == JobStatus::Completed {
        print_line(&format!("{job} is completed"))?;
        return print_line(&client.url(&format!("/results/{job}")));
    }
    match end.error_message {
        Some(why) => bail!("{job} {}: {}", end.status, one_line(&why)),
        None => bail!("{job} is {}", end.status),
    }
}

/// Shows the state of the job, and waits for the next event if the job is not finished.
fn poll(client: &Client, job: JobId, seq: &mut i64, display: &mut Display) -> Result<Job, Error> {
    let state: Job = client.get(&format!("/jobs/{job}"))?;
    let stages: Stages = client.get(&format!("/jobs/{job}/stages"))?;
    display.show(stages.stages);
    if !state.status.is_finished() {
        let events: Events = client.wait(&format!("/jobs/{job}/events?after={seq}"), WAIT)?;
        *seq = events.last_seq;
    }
    Ok(state)
}
