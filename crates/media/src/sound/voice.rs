//! Pauses between speech where the level shows none: in a noisy room, over music or beside a fan.
//!
//! The network of the crate `earshot` says for each 16 ms whether there is a voice in it. It is only
//! asked where the level has found next to no silence, because it takes the ends of words for
//! pauses more often than the level does (`docs/quality.md` has the measurements).

use lectern_domain::TimeRange;

use super::source::SoundSource;
use crate::error::Error;
use crate::ffmpeg::Media;
use crate::probe::{AudioStream, MediaInfo};
use crate::process::ChildError;

/// The sample rate and the number of samples for which `earshot` decides.
const SAMPLE_RATE: u32 = 16_000;
const FRAME_SAMPLES: usize = 256;
const FRAME_SECONDS: f64 = FRAME_SAMPLES as f64 / SAMPLE_RATE as f64;
/// The probability from which on there is a voice. With 0.5, half of the pauses over music are
/// missed.
const MIN_PROBABILITY: f32 = 0.7;
/// A shorter voice is none, in seconds.
const MIN_VOICE_SECONDS: f64 = 0.1;
/// How much of a pause at each end may be the end of a word, in seconds.
const MARGIN_SECONDS: f64 = 0.1;
/// The length of the parts in which the level finds silence or not, in seconds.
const PART_SECONDS: f64 = 60.0;
/// A shorter rest belongs to the part before it, and a shorter recording is not examined, in
/// seconds.
const MIN_PART_SECONDS: f64 = 10.0;
/// The level finds no silence in a part if a smaller fraction of it is silent. Lecturers pause for
/// at least a tenth of the time.
const MIN_SILENT: f64 = 0.03;
/// The smallest fraction of a part that is speech. Otherwise there may be music only, or speech
/// that is not recognized.
const MIN_SPEECH: f64 = 0.2;

/// What a voice activity detector has found.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct VoicePauses {
    pub(crate) pauses: Vec<TimeRange>,
    /// The parts of the recording in which they replace what the level has found, in seconds.
    pub(crate) seconds: f64,
}

impl Media {
    /// Finds pauses of at least `min_seconds` between speech in those parts of the sound up to
    /// `end` in which the ranges `silent` by level are next to nothing. The sound is only decoded
    /// if there are such parts.
    pub(crate) fn pauses_without_voice(
        &self,
        recording: &MediaInfo,
        audio: &AudioStream,
        silent: &[TimeRange],
        min_seconds: f64,
        end: f64,
    ) -> Result<VoicePauses, Error> {
        let parts = parts_without_silence(silent, end);
        if parts.is_empty() {
            return Ok(VoicePauses::default());
        }
        let filters = format!(
            "{},aformat=channel_layouts=mono:sample_fmts=s16[sound]",
            SoundSource::in_recording(audio).filters(SAMPLE_RATE)
        );
        let mut voice = VoiceDetector::new(end);
        let decoded = self
            .ffmpeg()
            // New filters would fill the time from 0 on with silence again.
            .args(["-reinit_filter:a", "0"])
            .args(self.input_options(&recording.path))
            .args(["-filter_complex", &filters, "-map", "[sound]"])
            .args(["-f", "s16le", "pipe:1"])
            .run(&self.limits, &mut |bytes| voice.push(bytes));
        match decoded {
            Ok(_) => {}
            // Sound that is damaged or changes its format. The level remains.
            Err(ChildError::Failed { .. }) => return Ok(VoicePauses::default()),
            Err(error) => return Err(Error::from_child("look for voices")(error)),
        }
        let mut found = VoicePauses::default();
        for part in parts {
            if let Some(pauses) = voice.pauses_in(part, min_seconds) {
                found.pauses.extend(pauses);
                found.seconds += part.1 - part.0;
            }
        }
        Ok(found)
    }
}

/// The start and the end of the parts in which next to nothing is silent.
fn parts_without_silence(silent: &[TimeRange], end: f64) -> Vec<(f64, f64)> {
    let mut parts = Vec::new();
    let mut start = 0.0;
    while end - start >= MIN_PART_SECONDS {
        let part_end = if end - start < PART_SECONDS + MIN_PART_SECONDS {
            end
        } else {
            start + PART_SECONDS
        };
        let within =
            |range: &TimeRange| (range.end().min(part_end) - range.start().max(start)).max(0.0);
        let silence: f64 = silent.iter().map(within).sum();
        if silence < MIN_SILENT * (part_end - start) {
            parts.push((start, part_end));
        }
        start = part_end;
    }
    parts
}

/// Decides for each frame of a stream of samples whether it has a voice.
struct VoiceDetector {
    detector: Box<earshot::Detector>,
    /// Bytes of the next frame: 16-bit samples, little endian.
    unfinished: Vec<u8>,
    has_voice: Vec<bool>,
    max_frames: usize,
}

impl VoiceDetector {
    /// For sound of at most `seconds`.
    fn new(seconds: f64) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the length of a recording is positive and limited"
        )]
        let max_frames = (seconds / FRAME_SECONDS) as usize;
        Self {
            detector: Box::default(),
            unfinished: Vec::new(),
            has_voice: Vec::new(),
            max_frames,
        }
    }

    fn push(&mut self, bytes: &[u8]) {
        self.unfinished.extend_from_slice(bytes);
        let mut frames = self.unfinished.chunks_exact(2 * FRAME_SAMPLES);
        for frame in &mut frames {
            if self.has_voice.len() >= self.max_frames {
                continue;
            }
            let mut samples = [0; FRAME_SAMPLES];
            for (sample, bytes) in samples.iter_mut().zip(frame.chunks_exact(2)) {
                *sample = i16::from_le_bytes([bytes[0], bytes[1]]);
            }
            let probability = self.detector.predict_i16(&samples);
            self.has_voice.push(probability >= MIN_PROBABILITY);
        }
        self.unfinished = frames.remainder().to_vec();
    }

    /// The pauses in a part. `None` if too little of it is speech.
    fn pauses_in(&self, (start, end): (f64, f64), min_seconds: f64) -> Option<Vec<TimeRange>> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a time in the recording is not negative, and its length is limited"
        )]
        let frame_at = |time: f64| ((time / FRAME_SECONDS) as usize).min(self.has_voice.len());
        let (first, last) = (frame_at(start), frame_at(end));
        let frames = self.has_voice.get(first..last)?;
        let mut pauses: Vec<(f64, f64)> = Vec::new();
        let mut position = first;
        let mut silent_from = Some(start);
        for run in frames.chunk_by(|a, b| a == b) {
            let from = position as f64 * FRAME_SECONDS;
            position += run.len();
            let is_voice = run[0] && run.len() as f64 * FRAME_SECONDS >= MIN_VOICE_SECONDS;
            if is_voice {
                pauses.extend(silent_from.take().map(|start| (start, from)));
                silent_from = Some(position as f64 * FRAME_SECONDS);
            }
        }
        pauses.extend(silent_from.map(|start| (start, end)));
        // Margins where the pause is beside speech, not at the edges of the part.
        let trimmed = pauses.into_iter().map(|(from, to)| {
            let from = if from > start {
                from + MARGIN_SECONDS
            } else {
                from
            };
            (from, if to < end { to - MARGIN_SECONDS } else { to })
        });
        let pauses: Vec<TimeRange> = trimmed
            .filter(|(from, to)| to - from >= min_seconds)
            .filter_map(|(from, to)| TimeRange::new(from, to).ok())
            .collect();
        let quiet: f64 = pauses.iter().map(|pause| pause.duration()).sum();
        (quiet <= (1.0 - MIN_SPEECH) * (end - start)).then_some(pauses)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(start: f64, end: f64) -> TimeRange {
        TimeRange::new(start, end).unwrap()
    }

    #[test]
    fn parts_with_silence_are_not_examined() {
        assert_eq!(parts_without_silence(&[], 65.0), [(0.0, 65.0)]);
        assert_eq!(
            parts_without_silence(&[], 75.0),
            [(0.0, 60.0), (60.0, 75.0)]
        );
        let silent = [range(10.0, 11.0), range(59.0, 61.0), range(100.0, 101.0)];
        assert_eq!(parts_without_silence(&silent, 180.0), [(120.0, 180.0)]);
        assert_eq!(parts_without_silence(&silent[..1], 60.0), [(0.0, 60.0)]);
        assert!(parts_without_silence(&[], 9.0).is_empty());
    }

    /// A detector of 60 seconds with voices in these times.
    fn with_voices(voices: &[(f64, f64)]) -> VoiceDetector {
        let mut detector = VoiceDetector::new(60.0);
        let count = detector.max_frames;
        let is_voice = |frame: usize| {
            let time = (frame as f64 + 0.5) * FRAME_SECONDS;
            voices
                .iter()
                .any(|(start, end)| (*start..*end).contains(&time))
        };
        detector.has_voice = (0..count).map(is_voice).collect();
        detector
    }

    #[test]
    fn pauses_have_margins_beside_speech() {
        let detector = with_voices(&[(0.0, 20.0), (20.4, 40.0), (42.0, 42.05), (43.0, 58.0)]);
        let pauses = detector.pauses_in((0.0, 60.0), 0.5).unwrap();
        let [middle, last] = pauses[..] else {
            panic!("{pauses:?}")
        };
        for (found, expected) in [(middle, (40.1, 42.9)), (last, (58.1, 60.0))] {
            assert!((found.start() - expected.0).abs() < 0.02, "{found:?}");
            assert!((found.end() - expected.1).abs() < 0.02, "{found:?}");
        }
    }

    #[test]
    fn a_part_with_little_speech_has_no_pauses() {
        let detector = with_voices(&[(0.0, 10.0), (30.0, 45.0)]);
        assert_eq!(
            detector
                .pauses_in((0.0, 30.0), 0.5)
                .map(|found| found.len()),
            Some(1)
        );
        assert_eq!(detector.pauses_in((45.0, 60.0), 0.5), None);
        assert_eq!(
            detector
                .pauses_in((0.0, 60.0), 25.0)
                .map(|found| found.len()),
            Some(0)
        );
    }

    #[test]
    fn samples_may_arrive_in_any_number_of_bytes() {
        let mut detector = VoiceDetector::new(1.0);
        for _ in 0..10_000 {
            detector.push(&[0; 7]);
        }
        assert_eq!(detector.has_voice.len(), detector.max_frames);
        assert!(!detector.has_voice.contains(&true));
    }
}
