//! Request bodies.

use std::fmt::Write as _;

/// Segments of a transcript of 100 minutes.
pub(crate) const SEGMENTS: usize = 1_500;

/// Creates a job.
pub(crate) const JOB: &[u8] = br#"{"filename": "linear-algebra-07.mp4", "file_size": 734003200, "s3_key": "recordings/linear-algebra-07.mp4"}"#;

const SENTENCES: [&str; 4] = [
    "Entropy counts the ways in which the parts can be arranged.",
    "Let us write this as a matrix and look at its columns.",
    "An index is a second copy of the data, sorted by something else.",
    "So, \u{201e}fast\u{201c} means that the work does not grow with the table.",
];

/// The body of a transcript; another text for each `variant`.
pub(crate) fn segments(count: usize, variant: usize) -> Vec<u8> {
    let mut body = String::from("{\"segments\":[");
    for n in 0..count {
        let start = n as f64 * 4.0;
        let comma = if n == 0 { "" } else { "," };
        // Writing to memory does not fail.
        let _ = write!(
            body,
            r#"{comma}{{"start_time":{start},"end_time":{},"text":"{} ({variant}.{n})","confidence":0.93,"speaker_id":"lecturer"}}"#,
            start + 3.6,
            SENTENCES[(n + variant) % SENTENCES.len()]
        );
    }
    body += "]}";
    body.into_bytes()
}

/// A report of progress.
pub(crate) fn progress(percent: f64, message: &str) -> Vec<u8> {
    format!(r#"{{"stage": "transcription", "percent": {percent}, "message": "{message}", "eta_seconds": 95}}"#)
        .into_bytes()
}
