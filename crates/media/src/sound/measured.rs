//! What was measured of the sound of a recording.

use lectern_domain::{SilenceLevel, TimeRange};

use super::choice::{choose_channel, choose_track};
use super::levels::{LevelReader, TrackLevels, WINDOW_SECONDS, window_samples};
use super::silence::{mean_level, silent_ranges};
use super::waveform::Waveform;
use crate::probe::{AudioStream, MediaInfo, StereoChannel};

/// A track that ends this much before the recording is no accident of the container, in
/// seconds.
const EARLY_END_SECONDS: f64 = 2.0;

/// The sound of a recording: which of it is heard, and its levels.
#[derive(Debug, Clone, PartialEq)]
pub struct MeasuredSound {
    /// The track that is heard, with the tracks and the channel that were chosen.
    pub audio: AudioStream,
    /// The preferred track, if it is silent and another one is heard instead.
    pub silent_track: Option<AudioStream>,
    /// The mean level of the sound in dBFS, without pauses; `None` if there is no sound at all.
    pub mean_level: Option<f64>,
    /// The level below which sound counts as silence, in dBFS.
    pub silence_dbfs: f64,
    /// In how many seconds of the recording a voice activity detector has found the silence,
    /// because its level shows none.
    pub voice_seconds: f64,
    /// The sample rates of the track that last for at least three seconds, in ascending order.
    pub sample_rates: Vec<u32>,
    /// When the sound ends, in seconds, if that is before the recording.
    pub ends_early_at: Option<f64>,
    /// The waveform of the chosen channel, or of all mixed.
    pub waveform: Waveform,
}

impl MeasuredSound {
    /// Chooses the track and the channel by their levels, and finds the silent parts up to the
    /// end of the recording. `tracks` are those that were measured: all that are mixed, or those
    /// from which one is chosen. `None` if there are none.
    pub(crate) fn new(
        recording: &MediaInfo,
        tracks: &[&AudioStream],
        measured: &LevelReader,
        setting: SilenceLevel,
        min_seconds: f64,
        end: f64,
    ) -> Option<(Self, Vec<TimeRange>)> {
        let levels = &measured.tracks;
        let preferred = recording.audio.as_ref()?;
        let is_mixed = !preferred.mixed_with.is_empty();
        let position = tracks
            .iter()
            .position(|track| track.index == preferred.index)?;
        let (audio, chosen, heard): (_, _, Vec<&TrackLevels>) = if is_mixed {
            (preferred.clone(), position, levels.iter().collect())
        } else {
            let chosen = choose_track(position, levels);
            let only_channel = match tracks[chosen].channels {
                1 => None,
                _ => choose_channel(&levels[chosen]),
            };
            let audio = AudioStream {
                only_channel,
                ..tracks[chosen].clone()
            };
            (audio, chosen, vec![&levels[chosen]])
        };
        let (ranges, silence_dbfs) = silent_ranges(&heard, setting, min_seconds, end);
        let loudest = heard
            .iter()
            .filter_map(|track| mean_level(&track.windows.iter().map(|window| window.level())));
        let sound_end = heard.iter().map(|track| track.end()).fold(0.0, f64::max);
        let shown = heard.iter().enumerate().map(|(position, levels)| {
            let track = if is_mixed { position } else { chosen };
            (&levels.waveform, shown_channel(&audio, tracks[track]))
        });
        let shown: Vec<_> = shown.collect();
        let waveform = Waveform::of(&shown, window_samples(tracks[chosen]), end);
        let measured = Self {
            silent_track: (audio.index != preferred.index).then(|| preferred.clone()),
            audio,
            mean_level: loudest.reduce(f64::max),
            silence_dbfs,
            voice_seconds: 0.0,
            sample_rates: measured.sample_rates(chosen),
            ends_early_at: (sound_end + WINDOW_SECONDS + EARLY_END_SECONDS < end)
                .then_some(sound_end),
            waveform,
        };
        Some((measured, ranges))
    }
}

/// The position of the channel of a track that the waveform shows: the one that is heard, or both
/// mixed. ffmpeg leaves the third channel silent where all are copies of one.
fn shown_channel(heard: &AudioStream, track: &AudioStream) -> usize {
    match heard.only_channel {
        _ if track.channels == 1 => 0,
        Some(StereoChannel::Left) => 0,
        Some(StereoChannel::Right) => 1,
        None => 2,
    }
}
