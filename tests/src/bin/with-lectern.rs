//! `with-lectern sqlite|postgres COMMAND [ARGUMENT]…` runs a command against a
//! server on a new database. The environment of the command holds `LECTERN`
//! (the server's URL, such as `http://127.0.0.1:34567`), `LECTERN_JOB` (the id
//! of a completed job with rows in every table), `LECTERN_CLIP` (the id of one
//! of its clips), `LECTERN_UPLOAD` (the id of a job whose recording is uploaded
//! but not confirmed), and the server's `DATABASE_URL` and `LECTERN_DATA_DIR`.
//! Server and database are removed when the command ends. The exit code is the
//! command's, or 1 if the server logged an error.

use std::env;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, bail, ensure};
use lectern_tests::{Backend, Client, Fixture as _, Lectern, TestDb, a_completed_job};
use serde_json::json;

fn main() -> anyhow::Result<ExitCode> {
    let mut arguments = env::args().skip(1);
    let backend = match arguments.next().as_deref() {
        Some("sqlite") => Backend::Sqlite,
        Some("postgres") => Backend::Postgres,
        _ => bail!("usage: with-lectern sqlite|postgres COMMAND [ARGUMENT]..."),
    };
    let program = arguments.next().context("a command is missing")?;
    let db = TestDb::on(backend);
    let mut server = Lectern::serve(db.url());
    let job_id = a_completed_job(&db).job_id;
    let clips = db.read(|conn| conn.clips().for_job(job_id))?;
    let status = Command::new(&program)
        .args(arguments)
        .env("LECTERN", server.base())
        .env("DATABASE_URL", db.url())
        .env("LECTERN_DATA_DIR", server.dir().join("lectern-data"))
        .env("LECTERN_JOB", job_id.to_string())
        .env("LECTERN_CLIP", clips[0].clip_id.to_string())
        .env("LECTERN_UPLOAD", upload(&server)?)
        .status()
        .with_context(|| format!("cannot run {program}"))?;
    server.signal("TERM");
    let (ended, log) = (server.wait(), server.log());
    let errors: Vec<_> = log
        .lines()
        .filter(|line| line.contains(" ERROR "))
        .collect();
    ensure!(
        ended.success() && errors.is_empty(),
        "{ended}\n{}",
        errors.join("\n")
    );
    Ok(ExitCode::from(
        status
            .code()
            .and_then(|code| u8::try_from(code).ok())
            .unwrap_or(1),
    ))
}

/// Uploads a recording; returns the id of its job.
fn upload(server: &Client) -> anyhow::Result<String> {
    let recording = b"a lecture";
    let announcement = json!({
        "filename": "lecture.mp4", "file_size": recording.len(), "content_type": "video/mp4",
    });
    let announced = server
        .post("/api/v1/upload", &announcement)
        .expect(201)
        .json();
    let url = announced["upload_url"].as_str();
    let path = url.and_then(|url| url.strip_prefix(server.base()));
    let put = server.request("PUT", path.context("the upload URL is on another server")?);
    put.body("video/mp4", recording).send().expect(200);
    let job_id = announced["job_id"]
        .as_str()
        .context("the upload has no job")?;
    Ok(job_id.to_owned())
}
