//! Requests and responses that would need much memory at once.

mod bodies;
mod equal_sets;
mod lists;
mod pages;
mod unread;

use lectern_domain::{JobId, NewTranscriptSegment, TranscriptSource};
use lectern_tests::{TestDb, a_segment};

/// Segments with texts of this many bytes, one second each.
fn long_segments(count: u32, bytes: usize) -> Vec<NewTranscriptSegment> {
    let text = "word ".repeat(bytes / 5);
    (0..count)
        .map(|i| a_segment(f64::from(i), f64::from(i) + 1.0, &format!("{i} {text}")))
        .collect()
}

fn store_segments(db: &TestDb, job_id: JobId, segments: &[NewTranscriptSegment]) {
    let source = TranscriptSource::Client;
    db.write(|tx| {
        tx.transcripts()
            .replace_without_returning(job_id, segments, source)
    })
    .unwrap();
}
