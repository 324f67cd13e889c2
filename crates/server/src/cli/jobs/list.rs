//! `lectern jobs list`.

use std::io::{Write as _, stderr};

use clap::Args;
use lectern_domain::{JobStatus, PageLimit};
use serde::Deserialize;
use serde_json::Value;
use url::form_urlencoded::Serializer;

use super::client::Client;
use crate::cli::stdout::{print, print_line};
use crate::cli::text::{one_line, table};

/// Jobs that are listed unless another number is given.
const DEFAULT_LIMIT: usize = 20;

/// Arguments of `lectern jobs list`.
#[derive(Debug, Clone, Args)]
pub(super) struct List {
    /// Only jobs with one of these statuses, separated by commas
    #[arg(long, value_name = "STATUS", value_delimiter = ',')]
    status: Vec<JobStatus>,
    /// Only jobs whose filename contains this text
    #[arg(long, value_name = "TEXT")]
    filename: Option<String>,
    /// Maximum number of jobs
    #[arg(short = 'n', long, value_name = "N", default_value_t = DEFAULT_LIMIT)]
    limit: usize,
    /// Prints the jobs as JSON, one per line
    #[arg(long)]
    json: bool,
}

impl Default for List {
    fn default() -> Self {
        Self {
            status: Vec::new(),
            filename: None,
            limit: DEFAULT_LIMIT,
            json: false,
        }
    }
}

#[derive(Deserialize)]
struct Page {
    jobs: Vec<Value>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Row {
    job_id: String,
    status: String,
    filename: String,
    created_at: String,
    progress: Option<Progress>,
}

#[derive(Deserialize)]
struct Progress {
    stage: String,
    percent: f64,
}

impl List {
    /// Prints the newest jobs first, page by page, and on standard error whether there
    /// are more.
    pub(super) fn print(&self, client: &Client) -> anyhow::Result<()> {
        let mut rest = self.limit;
        let mut cursor = None;
        let mut is_first_page = true;
        while rest > 0 {
            let page: Page = client.get(&self.path(rest, cursor.as_deref()))?;
            rest = rest.saturating_sub(page.jobs.len());
            if self.json {
                for job in &page.jobs {
                    print_line(&job.to_string())?;
                }
            } else {
                print_rows(page.jobs, is_first_page)?;
            }
            is_first_page = false;
            cursor = page.next_cursor;
            if cursor.is_none() {
                return Ok(());
            }
        }
        if cursor.is_some() {
            let _ = writeln!(stderr(), "There are more jobs; --limit lists more of them.");
        }
        Ok(())
    }

    fn path(&self, limit: usize, cursor: Option<&str>) -> String {
        let most = usize::try_from(PageLimit::MAX).unwrap_or(usize::MAX);
        let mut query = Serializer::new(String::new());
        query.append_pair("limit", &limit.min(most).to_string());
        if !self.status.is_empty() {
            let statuses: Vec<_> = self.status.iter().map(ToString::to_string).collect();
            query.append_pair("status", &statuses.join(","));
        }
        for (name, value) in [("filename", self.filename.as_deref()), ("cursor", cursor)] {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        format!("/jobs?{}", query.finish())
    }
}

fn print_rows(jobs: Vec<Value>, with_header: bool) -> anyhow::Result<()> {
    let header = ["JOB", "STATUS", "STAGE", "CREATED", "FILENAME"];
    let header = with_header.then(|| header.map(str::to_owned).to_vec());
    let mut rows = Vec::from_iter(header);
    for job in jobs {
        let row: Row = serde_json::from_value(job)?;
        rows.push(vec![
            row.job_id,
            row.status,
            stage(row.progress),
            // To the second.
            row.created_at
                .get(..19)
                .map_or(row.created_at.clone(), |time| format!("{time}Z")),
            one_line(&row.filename),
        ]);
    }
    print(table(&rows).as_bytes())
}

fn stage(progress: Option<Progress>) -> String {
    progress.map_or_else(
        || "-".to_owned(),
        |Progress { stage, percent }| format!("{stage} {percent:.0} %"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_encoded() {
        let list = List {
            status: vec![JobStatus::Queued, JobStatus::Failed],
            filename: Some("a & b".to_owned()),
            ..List::default()
        };
        assert_eq!(
            list.path(1000, Some("x=")),
            "/jobs?limit=100&status=queued%2Cfailed&filename=a+%26+b&cursor=x%3D"
        );
        assert_eq!(List::default().path(5, None), "/jobs?limit=5");
    }
}
