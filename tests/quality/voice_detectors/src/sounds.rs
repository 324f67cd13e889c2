//! What is heard behind the speech.

use std::error::Error;
use std::f32::consts::TAU;
use std::path::Path;

use crate::samples::{Noise, RATE, at_level};
use crate::speech::{Speech, say, sentences};

/// Each sound with its name, as long as the speech.
pub fn all(speech: &Speech, dir: &Path) -> Result<Vec<(&'static str, Vec<f32>)>, Box<dyn Error>> {
    let length = speech.samples.len();
    let noise = noise(length);
    let chords = chords(length);
    let changing = at_level(&changing(&noise), -27.0);
    Ok(vec![
        ("nothing", vec![0.0; length]),
        ("noise at −32 dB", at_level(&noise, -32.0)),
        ("quiet speech at −44 dB", quiet_speech(length, dir)?),
        ("noise at −23 dB", at_level(&noise, -23.0)),
        ("noise that rises and falls", changing),
        ("chords at −28 dB", at_level(&chords, -28.0)),
        ("chords at −20 dB", at_level(&chords, -20.0)),
        ("a keyboard", at_level(&keyboard(length), -24.0)),
        (
            "applause, 6 s of every 20",
            at_level(&applause(length), -20.0),
        ),
    ])
}

fn seconds(sample: usize) -> f32 {
    sample as f32 / RATE as f32
}

/// Noise as of a fan: low frequencies are louder.
fn noise(length: usize) -> Vec<f32> {
    let mut last = 0.0;
    let soften = |white: f32| {
        last = 0.95 * last + 0.05 * white;
        last
    };
    Noise(1).take(length).map(soften).collect()
}

/// The noise with a level that changes by 20 dB within 20 seconds.
fn changing(noise: &[f32]) -> Vec<f32> {
    let factor = |i: usize| 10f32.powf((TAU * seconds(i) / 20.0).sin() / 2.0);
    noise
        .iter()
        .enumerate()
        .map(|(i, sample)| sample * factor(i))
        .collect()
}

/// Three notes with overtones, which change every two seconds and fade.
fn chords(length: usize) -> Vec<f32> {
    const ROOTS: [f32; 4] = [131.0, 110.0, 87.0, 98.0];
    let sample = |i: usize| {
        let time = seconds(i);
        let root = ROOTS[(time / 2.0) as usize % ROOTS.len()];
        let notes = [1.0, 1.26, 1.5].map(|interval| {
            let overtones = [(1.0, 1.0), (2.0, 0.5), (3.0, 0.3), (4.0, 0.2)];
            let wave =
                |(factor, gain): (f32, f32)| gain * (TAU * root * interval * factor * time).sin();
            overtones.map(wave).iter().sum::<f32>()
        });
        notes.iter().sum::<f32>() * (1.0 - 0.3 * (time % 2.0))
    };
    (0..length).map(sample).collect()
}

/// Short clicks, four to ten in a second.
fn keyboard(length: usize) -> Vec<f32> {
    let mut samples = vec![0.0; length];
    let (mut choices, mut noise) = (Noise(2), Noise(3));
    let mut position = 0;
    while position < length {
        for i in 0..RATE / 100 {
            if let (Some(sample), Some(white)) = (samples.get_mut(position + i), noise.next()) {
                *sample = white * (-8.0 * i as f32 / (RATE / 100) as f32).exp();
            }
        }
        let choice = choices.next().unwrap_or(0.0);
        position += (RATE as f32 * (0.175 + 0.075 * choice)) as usize;
    }
    samples
}

/// Many claps at once for the first six of every twenty seconds.
fn applause(length: usize) -> Vec<f32> {
    let (mut clap, mut choices) = (0.0f32, Noise(5));
    let sample = |(i, white): (usize, f32)| {
        clap *= 0.999;
        if choices.next().is_some_and(|choice| choice > 0.998) {
            clap += 1.0;
        }
        if seconds(i) % 20.0 < 6.0 {
            white * clap
        } else {
            0.0
        }
    };
    Noise(4).take(length).enumerate().map(sample).collect()
}

/// Somebody else, without pauses.
fn quiet_speech(length: usize, dir: &Path) -> Result<Vec<f32>, Box<dyn Error>> {
    let lecture = include_str!("../../lectures/rivers.txt");
    let mut samples = Vec::new();
    for text in sentences(lecture) {
        if samples.len() >= length {
            break;
        }
        samples.extend(say("kal", &text, dir)?);
    }
    samples.resize(length, 0.0);
    Ok(at_level(&samples, -44.0))
}
