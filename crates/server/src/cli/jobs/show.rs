//! `lectern jobs show`.

use chrono::{DateTime, Utc};
use clap::Args;
use lectern_domain::{Clock as _, JobId, SystemClock};
use serde::Deserialize;
use serde_json::{Value, json};

use super::client::Client;
use crate::cli::stage_progress::StageProgress;
use crate::cli::stdout::{print, print_line};
use crate::cli::text::{clock, one_line, size, table};

/// Arguments of `lectern jobs show`.
#[derive(Debug, Clone, Args)]
pub(super) struct Show {
    /// The job's id
    job: JobId,
    /// Prints the job and its stages as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Deserialize)]
struct Job {
    #[serde(rename = "job_id")]
    id: String,
    status: String,
    filename: String,
    file_size: Option<u64>,
    video_duration: Option<f64>,
    created_at: String,
    completed_at: Option<String>,
    priority: i32,
    error_message: Option<String>,
}

#[derive(Deserialize)]
struct Stages {
    stages: Vec<StageProgress>,
}

impl Show {
    pub(super) fn print(&self, client: &Client) -> anyhow::Result<()> {
        let job: Value = client.get(&format!("/jobs/{}", self.job))?;
        let stages: Value = client.get(&format!("/jobs/{}/stages", self.job))?;
        if self.json {
            let both = json!({ "job": job, "stages": stages["stages"] });
            return print_line(&serde_json::to_string_pretty(&both)?);
        }
        let job: Job = serde_json::from_value(job)?;
        let Stages { stages } = serde_json::from_value(stages)?;
        print(text(job, &stages, SystemClock.now()).as_bytes())
    }
}

/// The job, a field per line, and a table of its stages.
fn text(job: Job, stages: &[StageProgress], now: DateTime<Utc>) -> String {
    let fields = [
        ("job", Some(job.id)),
        ("filename", Some(one_line(&job.filename))),
        ("status", Some(job.status)),
        ("error", job.error_message.as_deref().map(one_line)),
        ("size", job.file_size.map(size)),
        ("length", job.video_duration.map(clock)),
        (
            "priority",
            (job.priority != 0).then(|| job.priority.to_string()),
        ),
        ("created", Some(job.created_at)),
        ("completed", job.completed_at),
    ];
    let fields = fields
        .into_iter()
        .filter_map(|(name, value)| Some(vec![name.to_owned(), value?]));
    let mut text = table(&fields.collect::<Vec<_>>());
    if stages.is_empty() {
        return text;
    }
    let header = ["STAGE", "STATUS", "DONE", "ATTEMPT", "WORKER", ""];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    for run in stages {
        rows.push(vec![
            run.stage.to_string(),
            run.status.to_string(),
            format!("{:.0} %", run.percent),
            format!("{} of {}", run.attempt, run.max_attempts),
            run.worker
                .as_deref()
                .map_or_else(|| "-".to_owned(), one_line),
            run.remark(now),
        ]);
    }
    text.push('\n');
    text.push_str(&table(&rows));
    text
}
