//! Samples of one channel with 48 kHz, from -1 to 1.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Command;

pub const RATE: usize = 48_000;

/// The mean level of samples that are not silent, in dBFS.
pub fn level(samples: &[f32]) -> f64 {
    let loud = samples.iter().map(|sample| f64::from(*sample).powi(2));
    let loud: Vec<f64> = loud.filter(|power| *power > 1e-6).collect();
    10.0 * (loud.iter().sum::<f64>() / loud.len().max(1) as f64).log10()
}

/// The samples with this mean level.
pub fn at_level(samples: &[f32], dbfs: f64) -> Vec<f32> {
    let factor = 10f64.powf((dbfs - level(samples)) / 20.0) as f32;
    samples.iter().map(|sample| sample * factor).collect()
}

pub fn mix(one: &[f32], other: &[f32]) -> Vec<f32> {
    let sums = one.iter().zip(other).map(|(a, b)| (a + b).clamp(-1.0, 1.0));
    sums.collect()
}

/// Decodes a file.
pub fn read(file: &Path) -> Result<Vec<f32>, Box<dyn Error>> {
    let rate = RATE.to_string();
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-i"])
        .arg(file)
        .args(["-ac", "1", "-ar", &rate, "-f", "f32le", "-"])
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let samples = output.stdout.chunks_exact(4);
    Ok(samples
        .map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
        .collect())
}

/// Writes a WAV file of 16 bits.
pub fn write(samples: &[f32], file: &Path) -> Result<(), Box<dyn Error>> {
    let raw = file.with_extension("raw");
    let bytes = samples
        .iter()
        .flat_map(|sample| ((sample * 32767.0) as i16).to_le_bytes());
    fs::write(&raw, bytes.collect::<Vec<u8>>())?;
    let rate = RATE.to_string();
    let status = Command::new("ffmpeg")
        .args([
            "-v", "error", "-nostdin", "-y", "-f", "s16le", "-ar", &rate, "-ac", "1", "-i",
        ])
        .arg(&raw)
        .arg(file)
        .status()?;
    if !status.success() {
        return Err("ffmpeg failed".into());
    }
    Ok(())
}

/// A deterministic sequence of numbers from -1 to 1 (xorshift).
pub struct Noise(pub u64);

impl Iterator for Noise {
    type Item = f32;

    fn next(&mut self) -> Option<f32> {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        Some((self.0 >> 40) as f32 / (1u64 << 23) as f32 - 1.0)
    }
}
