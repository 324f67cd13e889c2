//! The least SQL of each workload, on Lectern's own tables.

use crate::arguments::Workload;
use crate::stack::Dialect;

/// Jobs with the numbers 1 to this one exist.
pub(crate) const JOBS: u32 = 300;
/// The jobs with the numbers 1 to this one have a transcript.
pub(crate) const TRANSCRIBED: u32 = 16;
/// Segments of a transcript.
pub(crate) const SEGMENTS: usize = 1_500;

/// The columns of a job that a response shows.
const JOB: &str = "job_id, filename, file_size, content_type, video_duration, status, error_message, \
    current_stage, progress_percent, progress_message, eta_seconds, processing_config, \
    extra_metadata, created_at, updated_at, completed_at";

/// What has to be in the database.
pub(crate) fn fill(dialect: Dialect) -> String {
    let mut sql = dialect.numbered_jobs(1, JOBS.into());
    for job in 1..=TRANSCRIBED {
        sql += &dialect
            .replace_segments(&dialect.job_id(&job.to_string()), SEGMENTS)
            .concat();
    }
    sql
}

/// The statements of a workload, which are one transaction. `job` is an SQL expression
/// of a job's id.
pub(crate) fn of(workload: Workload, dialect: Dialect, job: &str) -> Vec<String> {
    match workload {
        Workload::Get => vec![format!("SELECT {JOB} FROM jobs WHERE job_id = {job};")],
        Workload::List => {
            vec![format!(
                "SELECT {JOB} FROM jobs ORDER BY created_at DESC, job_id DESC LIMIT 50;"
            )]
        }
        Workload::Results => vec![
            format!("SELECT {JOB} FROM jobs WHERE job_id = {job};"),
            format!(
                "SELECT segment_id, start_time, end_time, text, confidence, speaker_id FROM transcripts \
                 WHERE job_id = {job} ORDER BY start_time, id;"
            ),
        ],
        Workload::Progress => vec![format!(
            "UPDATE jobs SET status = 'running', current_stage = 'transcription', progress_percent = 42.5, \
             progress_message = 'minute 21 of 52', eta_seconds = 95, version = version + 1, \
             updated_at = {} WHERE job_id = {job};",
            now(dialect)
        )],
        Workload::PutSegments => dialect.replace_segments(job, SEGMENTS).into(),
        _ => vec![create().to_owned()],
    }
}

/// Inserts a job.
pub(crate) fn create() -> &'static str {
    "INSERT INTO jobs (filename, file_size, original_s3_key) \
     VALUES ('linear-algebra-07.mp4', 734003200, 'recordings/linear-algebra-07.mp4');"
}

/// Claims the oldest ready run; returns its id.
pub(crate) fn claim(dialect: Dialect) -> String {
    let (lease, skip) = match dialect {
        Dialect::Postgres => ("gen_random_uuid()", "FOR UPDATE SKIP LOCKED"),
        // Only has to look like an id.
        Dialect::Sqlite => ("'00000000-0000-4000-8000-' || printf('%012d', id)", ""),
    };
    let (now, later) = (now(dialect), in_a_minute(dialect));
    format!(
        "UPDATE stage_runs SET status = 'running', attempt = attempt + 1, worker = 'bench', \
         lease_id = {lease}, lease_expires_at = {later}, lease_seconds = 60, started_at = {now} \
         WHERE id = (SELECT id FROM stage_runs WHERE status = 'ready' AND stage = 'transcription' \
         ORDER BY priority DESC, created_at, id LIMIT 1 {skip}) RETURNING id"
    )
}

/// Extends the lease of a run.
pub(crate) fn heartbeat(dialect: Dialect, run: &str) -> String {
    format!(
        "UPDATE stage_runs SET lease_expires_at = {}, percent = 50 WHERE id = {run};",
        in_a_minute(dialect)
    )
}

/// Completes a run.
pub(crate) fn complete(dialect: Dialect, run: &str) -> String {
    format!(
        "UPDATE stage_runs SET status = 'completed', lease_id = NULL, lease_expires_at = NULL, \
         lease_seconds = NULL, percent = 100, finished_at = {} WHERE id = {run};",
        now(dialect)
    )
}

/// Inserts a ready run of the job with the id `job`.
pub(crate) fn ready_run(job: &str) -> String {
    format!(
        "INSERT INTO stage_runs (run_id, job_id, stage, status) \
         VALUES ({job}, {job}, 'transcription', 'ready');"
    )
}

fn now(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => "now()",
        Dialect::Sqlite => "strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')",
    }
}

fn in_a_minute(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => "now() + interval '60 s'",
        Dialect::Sqlite => "strftime('%Y-%m-%dT%H:%M:%f000Z', 'now', '+60 seconds')",
    }
}
