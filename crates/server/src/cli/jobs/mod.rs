//! `lectern jobs`: the jobs of a server, over HTTP.

mod client;
mod list;
mod show;
mod watch;

use std::io::{Write as _, stderr};

use anyhow::bail;
use clap::{Args, Subcommand};
use lectern_domain::JobId;

use self::client::Client;
use self::list::List;
use self::show::Show;
use crate::cli::server_address::{GivenKey, ServerUrl};
use crate::cli::stdout::print_line;

/// Arguments of `lectern jobs`.
#[derive(Debug, Clone, Args)]
pub struct Jobs {
    /// URL of the server
    #[arg(
        long,
        env = "LECTERN_SERVER",
        global = true,
        value_name = "URL",
        default_value = "http://127.0.0.1:8080"
    )]
    server: ServerUrl,

    /// Key for the server, if it asks for one
    #[arg(
        long,
        env = "LECTERN_API_KEY",
        global = true,
        value_name = "KEY",
        hide_env_values = true
    )]
    api_key: Option<GivenKey>,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Clone, Subcommand)]
enum Command {
    /// Lists the newest jobs [the default]
    List(List),
    /// Shows a job and its stages
    Show(Show),
    /// Shows the progress of a job until it is finished; fails if the job does
    Watch {
        /// The job's id
        job: JobId,
    },
    /// Cancels jobs
    Cancel(Selection),
    /// Queues failed or cancelled jobs again
    Retry(Selection),
    /// Deletes jobs with their recordings and clips
    Rm(Selection),
}

#[derive(Debug, Clone, Args)]
struct Selection {
    /// The ids of the jobs
    #[arg(required = true, value_name = "JOB")]
    jobs: Vec<JobId>,
}

/// Runs one of the commands against the server.
///
/// # Errors
///
/// When the server cannot be reached or refuses the request. Of several jobs, the
/// others are still changed.
pub fn run(jobs: &Jobs) -> anyhow::Result<()> {
    let key = jobs.api_key.as_ref().map(GivenKey::parse).transpose()?;
    let client = Client::new(&jobs.server, key.flatten().as_ref());
    match &jobs.command {
        None => List::default().print(&client),
        Some(Command::List(list)) => list.print(&client),
        Some(Command::Show(show)) => show.print(&client),
        Some(Command::Watch { job }) => watch::watch(&client, *job),
        Some(Command::Cancel(selection)) => selection.each("cancelled", |job| {
            client.post(&format!("/jobs/{job}/cancel"))
        }),
        Some(Command::Retry(selection)) => {
            selection.each("queued", |job| client.post(&format!("/jobs/{job}/retry")))
        }
        Some(Command::Rm(selection)) => {
            selection.each("deleted", |job| client.delete(&format!("/jobs/{job}")))
        }
    }
}

impl Selection {
    /// Changes each of the jobs and prints what became of it.
    fn each(
        &self,
        outcome: &str,
        change: impl Fn(JobId) -> Result<(), client::Error>,
    ) -> anyhow::Result<()> {
        let mut failures = 0;
        for &job in &self.jobs {
            match change(job) {
                Ok(()) => print_line(&format!("{job} {outcome}"))?,
                Err(error) if self.jobs.len() == 1 => return Err(error.into()),
                Err(error) => {
                    failures += 1;
                    let _ = writeln!(stderr(), "lectern: {job}: {error}");
                }
            }
        }
        if failures > 0 {
            bail!("{failures} of {} jobs were not {outcome}", self.jobs.len());
        }
        Ok(())
    }
}
