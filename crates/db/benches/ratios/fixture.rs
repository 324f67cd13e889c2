//! What there is to find, and a PostgreSQL database to find it in.

use anyhow::{Context as _, Result};
use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Text;
use lectern_db::{Database, Error};
use lectern_domain::{
    At, FileSize, Fraction, JobId, JsonObject, NewJob, NewTranscriptSegment, Percent,
    ProcessingConfig, ProgressMessage, ProgressReport, SpeakerId, SpokenText, Stage, StorageKey,
    TimeRange, Whole,
};
use serde_json::json;

/// A job with everything a client of the service sends.
pub(crate) fn new_job() -> Result<NewJob> {
    Ok(NewJob {
        file_size: Some(FileSize::new(734_003_200)?),
        original_s3_key: Some(StorageKey::new("uploads/2026/01/linear-algebra-07.mp4")?),
        processing_config: Some(ProcessingConfig::try_from(
            json!({ "processing_mode": "vision", "resolution": "1080p" }),
        )?),
        extra_metadata: JsonObject::try_from(
            json!({ "course": "18.06", "lecture": 7, "tags": ["algebra", "spring"] }),
        )?,
        ..NewJob::new("linear-algebra-07.mp4")?
    })
}

/// Makes a job and answers its id.
pub(crate) fn create(db: &Database) -> Result<JobId> {
    let job = new_job()?;
    Ok(db.write(|tx| tx.jobs().create(&job))?.job_id)
}

/// Makes `n` jobs that are under way and answers their ids.
pub(crate) fn fill(db: &Database, n: usize) -> Result<Vec<JobId>> {
    let job = new_job()?;
    let report = ProgressReport {
        stage: Stage::Transcription,
        percent: Percent::new(42.5)?,
        message: Some(ProgressMessage::new("Transcribing 17:51 of 42:00")?),
        eta_seconds: Some(Whole::new(95)?),
        agent_name: None,
    };
    Ok(db.write(|tx| {
        (0..n)
            .map(|_| {
                let job_id = tx.jobs().create(&job)?.job_id;
                tx.jobs().report_progress(job_id, &report)?;
                Ok(job_id)
            })
            .collect::<Result<_, Error>>()
    })?)
}

/// A transcript of `n` segments, some 70 characters each.
pub(crate) fn segments(n: usize) -> Result<Vec<NewTranscriptSegment>> {
    (0..n)
        .map(|i| {
            let start = i as f64 * 3.2;
            Ok(NewTranscriptSegment {
                time: TimeRange::new(start, start + 3.1)?,
                text: SpokenText::new(format!(
                    "Sentence {i}: the columns of a matrix span its column space, and so on."
                ))
                .at("text")?,
                confidence: Some(Fraction::new(0.93)?),
                speaker_id: Some(SpeakerId::new("lecturer")?),
            })
        })
        .collect()
}

/// A database on a PostgreSQL server, there for the run.
pub(crate) struct ScratchDatabase {
    server: String,
    name: String,
    url: String,
}

impl ScratchDatabase {
    /// Makes a database on the server that `server` is the URL of.
    pub(crate) fn create(server: &str) -> Result<Self> {
        let name = format!("lectern_bench_{}", std::process::id());
        let (base, parameters) = match server.split_once('?') {
            Some((base, parameters)) => (base, format!("?{parameters}")),
            None => (server, String::new()),
        };
        let host = base.find("://").map_or(0, |at| at + 3);
        let end = base[host..].find('/').map_or(base.len(), |at| host + at);
        let scratch = Self {
            url: format!("{}/{name}{parameters}", &base[..end]),
            server: server.to_owned(),
            name,
        };
        // The wait for the disk is the same for both sides: it would only hide
        // what one of them does more.
        for statement in [
            "CREATE DATABASE {}",
            "ALTER DATABASE {} SET synchronous_commit = off",
        ] {
            scratch.on_server(statement)?;
        }
        Ok(scratch)
    }

    /// URL of the database.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The server's version and what it does to commit.
    pub(crate) fn describe(&self) -> Result<String> {
        let settings = sql::<Text>(
            "current_setting('server_version')
             || ', synchronous_commit ' || current_setting('synchronous_commit')",
        );
        Ok(diesel::select(settings).get_result(&mut PgConnection::establish(&self.url)?)?)
    }

    fn on_server(&self, statement: &str) -> Result<()> {
        PgConnection::establish(&self.server)
            .context("BENCH_DATABASE_URL")?
            .batch_execute(&statement.replace("{}", &self.name))?;
        Ok(())
    }
}

impl Drop for ScratchDatabase {
    fn drop(&mut self) {
        if let Err(error) = self.on_server("DROP DATABASE IF EXISTS {} WITH (FORCE)") {
            eprintln!("the database {} is still there: {error:#}", self.name);
        }
    }
}
