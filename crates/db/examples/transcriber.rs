//! A worker without a server: imports the repository layer, finds a queued job
//! and takes it through transcription.
//!
//! ```console
//! $ cargo run -p lectern-db --example transcriber                    # in memory
//! $ cargo run -p lectern-db --example transcriber postgres://localhost/lectern
//! ```

use lectern_db::domain::{
    JobFilter, JobPageRequest, JobStatus, LogStatus, NewJob, NewLogEntry, NewTranscriptSegment,
    Percent, Progress, ProgressReport, Ratio, Stage, TimeRange, Window,
};
use lectern_db::{Database, Error};

/// Segments stored at a time, each time with a progress report.
const BATCH: usize = 500;

#[expect(clippy::print_stdout, reason = "an example shows what it does")]
fn main() -> Result<(), Error> {
    let url = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "sqlite::memory:".to_owned());
    let db = Database::open(&url)?;
    let applied = db.migrate()?;
    println!("{}: {} migrations applied", db.backend(), applied.len());

    // The service does this when a recording is uploaded.
    db.write(|tx| tx.jobs().create(&NewJob::new("lecture.mp4")?))?;

    let queued = JobFilter {
        statuses: vec![JobStatus::Queued],
        ..JobFilter::default()
    };
    let page = db.read(|conn| conn.jobs().list(&queued, JobPageRequest::default()))?;
    let Some(job) = page.items.first() else {
        println!("nothing to do");
        return Ok(());
    };

    let segments = transcribe()?;
    for (i, batch) in segments.chunks(BATCH).enumerate() {
        let percent = ((i + 1) * BATCH * 100 / segments.len()).min(100);
        let report = ProgressReport {
            stage: Stage::Transcription,
            progress: Progress::new(Percent::new(percent as f64)?),
            agent_name: None,
        };
        // Segments and progress are stored together or not at all.
        let job = db.write(|tx| {
            tx.transcripts().append(job.job_id, batch)?;
            tx.jobs().report_progress(job.job_id, &report)
        })?;
        println!("{percent:>3} % {}", job.status);
    }

    db.write(|tx| {
        let entry = NewLogEntry::new(Stage::Transcription, LogStatus::Completed);
        tx.processing_logs().append(job.job_id, &entry)?;
        tx.jobs().transition(job.job_id, JobStatus::Completed)
    })?;

    let window = Window::new(Some(60.0), Some(75.0))?;
    let results = db.read(|conn| conn.jobs().results(job.job_id))?;
    let excerpt = db.read(|conn| conn.transcripts().in_range(job.job_id, window))?;
    if let Some(results) = results {
        println!(
            "{}: {} segments",
            results.job.status,
            results.transcript.len()
        );
    }
    for segment in excerpt {
        println!("{:>6.1} s  {}", segment.time.start(), segment.text);
    }
    Ok(())
}

/// Stands in for a speech recognizer: 1,500 segments of a lecture, 3 seconds each.
fn transcribe() -> Result<Vec<NewTranscriptSegment>, lectern_db::domain::Invalid> {
    (0..1_500)
        .map(|i| {
            let start = f64::from(i) * 3.0;
            let time = TimeRange::new(start, start + 2.8)?;
            Ok(NewTranscriptSegment {
                confidence: Some(Ratio::new(0.93)?),
                ..NewTranscriptSegment::new(format!("Sentence {i} of the lecture."), time)?
            })
        })
        .collect()
}
