//! The ways to find pauses.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lectern_domain::SilenceLevel;
use lectern_media::{Limits, Media, SilenceSettings, Tools};
use nnnoiseless::DenoiseState;
use webrtc_vad::{SampleRate, Vad, VadMode};

use crate::samples::{self, RATE};

/// The smoothing of all detectors of voices, as in `lectern-media`: a shorter voice is none, so
/// much of each end of a pause may be the end of a word, and shorter pauses do not count, in
/// seconds.
const MIN_VOICE: f64 = 0.1;
const MARGIN: f64 = 0.1;
const MIN_PAUSE: f64 = 0.5;
/// The thresholds of the probability of a voice.
const EARSHOT: f32 = 0.7;
const RNNOISE: f32 = 0.5;

pub struct Recording {
    file: PathBuf,
    /// With 48 kHz, in 16 bits.
    full: Vec<i16>,
    /// With 16 kHz.
    narrow: Vec<i16>,
}

impl Recording {
    pub fn new(mixed: &[f32], dir: &Path) -> Result<Self, Box<dyn Error>> {
        let file = dir.join("mixed.wav");
        samples::write(mixed, &file)?;
        let full: Vec<i16> = mixed
            .iter()
            .map(|sample| (sample * 32767.0) as i16)
            .collect();
        // The mean of three samples is filter enough for speech.
        let mean = |three: &[i16]| (three.iter().map(|s| i32::from(*s)).sum::<i32>() / 3) as i16;
        let narrow = full.chunks_exact(3).map(mean).collect();
        Ok(Self { file, full, narrow })
    }

    fn seconds(&self) -> f64 {
        self.full.len() as f64 / RATE as f64
    }
}

#[derive(Clone, Copy)]
pub enum Detector {
    Level,
    Earshot,
    WebRtc,
    RnNoise,
}

impl Detector {
    pub const ALL: [Self; 4] = [Self::Level, Self::Earshot, Self::WebRtc, Self::RnNoise];

    pub fn name(self) -> &'static str {
        match self {
            Self::Level => "level",
            Self::Earshot => "`earshot`",
            Self::WebRtc => "`webrtc-vad` 0.4.0, mode 3",
            Self::RnNoise => "`nnnoiseless` 0.5.2",
        }
    }

    /// The start and the end of each pause, in seconds.
    pub fn pauses(self, recording: &Recording) -> Result<Vec<(f64, f64)>, Box<dyn Error>> {
        let (voices, frame): (Vec<bool>, f64) = match self {
            Self::Level => return by_level(recording),
            Self::Earshot => {
                let mut detector = earshot::Detector::default();
                let frames = recording.narrow.chunks_exact(256);
                let voices = frames.map(|frame| detector.predict_i16(frame) >= EARSHOT);
                (voices.collect(), 256.0 / 16_000.0)
            }
            Self::WebRtc => {
                let (rate, mode) = (SampleRate::Rate16kHz, VadMode::VeryAggressive);
                let mut vad = Vad::new_with_rate_and_mode(rate, mode);
                let frames = recording.narrow.chunks_exact(480);
                let voices = frames.map(|frame| vad.is_voice_segment(frame) == Ok(true));
                (voices.collect(), 0.03)
            }
            Self::RnNoise => {
                let mut state = DenoiseState::new();
                let mut output = [0.0; DenoiseState::FRAME_SIZE];
                let frames = recording.full.chunks_exact(DenoiseState::FRAME_SIZE);
                let voices = frames.map(|frame| {
                    let input: Vec<f32> = frame.iter().map(|sample| f32::from(*sample)).collect();
                    state.process_frame(&mut output, &input) >= RNNOISE
                });
                (voices.collect(), 0.01)
            }
        };
        Ok(between_voices(&voices, frame, recording.seconds()))
    }
}

/// The pauses that `lectern-media` finds by the level that it chooses.
fn by_level(recording: &Recording) -> Result<Vec<(f64, f64)>, Box<dyn Error>> {
    let media = Media::new(&Tools::find()?, Limits::within(Duration::from_secs(600)));
    let file = media.probe(&recording.file)?;
    let detect = |level| {
        let settings = SilenceSettings {
            level,
            ..SilenceSettings::default()
        };
        media.detect_silence(&file, settings, &mut |_| {})
    };
    let chosen = detect(SilenceLevel::Auto)?;
    let dbfs = chosen.sound.ok_or("no sound")?.silence_dbfs;
    // A given level keeps the detector of voices out.
    let pauses = detect(SilenceLevel::Dbfs(dbfs))?.audio.unwrap_or_default();
    Ok(pauses
        .iter()
        .map(|pause| (pause.start(), pause.end()))
        .collect())
}

fn between_voices(voices: &[bool], frame: f64, end: f64) -> Vec<(f64, f64)> {
    let (mut pauses, mut position, mut quiet_from) = (Vec::new(), 0, 0.0);
    for run in voices.chunk_by(|a, b| a == b) {
        let start = position as f64 * frame;
        position += run.len();
        if run[0] && run.len() as f64 * frame >= MIN_VOICE {
            pauses.push((quiet_from, start));
            quiet_from = position as f64 * frame;
        }
    }
    pauses.push((quiet_from, end));
    let trimmed = pauses
        .into_iter()
        .map(|(start, end)| (start + MARGIN, end - MARGIN));
    trimmed
        .filter(|(start, end)| end - start >= MIN_PAUSE)
        .collect()
}
