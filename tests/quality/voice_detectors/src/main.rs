//! Compares ways to find the pauses of speech over other sounds, and prints the table of
//! `docs/quality.md`.
//!
//! ```console
//! $ cargo run --manifest-path tests/quality/voice_detectors/Cargo.toml
//! ```
//!
//! Needs flite and ffmpeg, and takes two minutes after it is built.

mod detectors;
mod samples;
mod sounds;
mod speech;

use std::error::Error;

use detectors::{Detector, Recording};
use speech::Speech;

/// Precision and recall of speech in percent of its time, and the number of pauses of at least a
/// second that were found for the greater part.
fn compare(speech: &Speech, pauses: &[(f64, f64)]) -> String {
    let is_within = |ranges: &[(f64, f64)], time: f64| {
        ranges
            .iter()
            .any(|(start, end)| (*start..*end).contains(&time))
    };
    let (mut found, mut spoken, mut both) = (0.0, 0.0, 0.0);
    for step in 0..(speech.seconds() * 100.0) as usize {
        let time = (step as f64 + 0.5) / 100.0;
        let is_spoken = is_within(&speech.spoken, time);
        let is_found = !is_within(pauses, time);
        spoken += f64::from(u8::from(is_spoken));
        found += f64::from(u8::from(is_found));
        both += f64::from(u8::from(is_spoken && is_found));
    }
    let overlap = |pause: &(f64, f64)| -> f64 {
        let common = pauses
            .iter()
            .map(|(start, end)| end.min(pause.1) - start.max(pause.0));
        common.filter(|seconds| *seconds > 0.0).sum()
    };
    let is_found = |pause: &&(f64, f64)| overlap(pause) > 0.5 * (pause.1 - pause.0);
    let count = speech.long_pauses().iter().filter(is_found).count();
    format!(
        "{:.0}, {:.0}, {count}",
        100.0 * both / found,
        100.0 * both / spoken
    )
}

fn main() -> Result<(), Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    let speech = speech::synthesize(dir.path())?;
    println!(
        "{:.0} s of speech with {} pauses of at least a second\n",
        speech.seconds(),
        speech.long_pauses().len()
    );
    let names = Detector::ALL.map(Detector::name).join(" | ");
    println!(
        "| over | {names} |\n|---{}|",
        "|---".repeat(Detector::ALL.len())
    );
    for (name, sound) in sounds::all(&speech, dir.path())? {
        let mixed = samples::mix(&speech.samples, &sound);
        let recording = Recording::new(&mixed, dir.path())?;
        let mut columns = Vec::new();
        for detector in Detector::ALL {
            columns.push(compare(&speech, &detector.pauses(&recording)?));
        }
        println!("| {name} | {} |", columns.join(" | "));
    }
    Ok(())
}
