//! Sentences of synthetic voices with pauses.

use std::error::Error;
use std::path::Path;
use std::process::Command;

use crate::samples::{self, RATE};

const VOICES: [&str; 4] = ["slt", "rms", "awb", "kal16"];
/// The lengths of the pauses, in seconds, which are taken in turns.
const PAUSES: [f64; 9] = [0.3, 1.2, 0.6, 2.5, 0.4, 1.0, 0.8, 4.5, 1.6];
const SENTENCES: usize = 40;
const SPEECH_DBFS: f64 = -22.0;
/// Samples below this at the edges of a sentence are no speech: -50 dBFS.
const EDGE: f32 = 0.003;

pub struct Speech {
    pub samples: Vec<f32>,
    /// The start and the end of each sentence, in seconds.
    pub spoken: Vec<(f64, f64)>,
}

impl Speech {
    pub fn seconds(&self) -> f64 {
        self.samples.len() as f64 / RATE as f64
    }

    /// The pauses of at least a second.
    pub fn long_pauses(&self) -> Vec<(f64, f64)> {
        let pairs = self.spoken.windows(2).map(|pair| (pair[0].1, pair[1].0));
        pairs.filter(|(start, end)| end - start >= 0.999).collect()
    }
}

/// The sentences of a lecture of `tests/quality`.
pub fn sentences(lecture: &str) -> impl Iterator<Item = String> + '_ {
    let lines = lecture
        .lines()
        .filter(|line| !line.starts_with('#') && line.len() > 25);
    lines.map(|line| line.replace('|', " "))
}

/// A sentence of a voice, without silence at its edges.
pub fn say(voice: &str, text: &str, dir: &Path) -> Result<Vec<f32>, Box<dyn Error>> {
    let file = dir.join("sentence.wav");
    let status = Command::new("flite")
        .args(["-voice", voice, "-t", text, "-o"])
        .arg(&file)
        .status()?;
    if !status.success() {
        return Err("flite failed".into());
    }
    let samples = samples::read(&file)?;
    let is_loud = |sample: &f32| sample.abs() > EDGE;
    let first = samples.iter().position(is_loud).unwrap_or(0);
    let last = samples.iter().rposition(is_loud).unwrap_or(0);
    Ok(samples::at_level(&samples[first..=last], SPEECH_DBFS))
}

pub fn synthesize(dir: &Path) -> Result<Speech, Box<dyn Error>> {
    let lecture = include_str!("../../lectures/sleep.txt");
    let (mut samples, mut spoken) = (vec![0.0; RATE / 2], Vec::new());
    for (i, text) in sentences(lecture).take(SENTENCES).enumerate() {
        let start = samples.len();
        samples.extend(say(VOICES[i % VOICES.len()], &text, dir)?);
        let seconds = |samples: usize| samples as f64 / RATE as f64;
        spoken.push((seconds(start), seconds(samples.len())));
        let pause = PAUSES[i % PAUSES.len()] * RATE as f64;
        samples.resize(samples.len() + pause as usize, 0.0);
    }
    Ok(Speech { samples, spoken })
}
