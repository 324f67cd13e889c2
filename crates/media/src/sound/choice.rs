//! Which track and which of its channels are heard.

use lectern_domain::AudioTrack;

use super::levels::{Level, TrackLevels};
use super::silence::mean_level;
use crate::probe::{AudioStream, MediaInfo, StereoChannel};

/// Sound above this level may be speech, in dBFS.
const QUIETEST_SPEECH_DBFS: f64 = -50.0;
/// A track with sound for less than this part of the time of another track is silent.
const ACTIVITY_RATIO: usize = 10;
/// How far below the mean level the channels are compared, in dB.
const GATE_DB: f64 = 10.0;
/// Power of a channel that is left out, relative to the other one: -20 dB.
const QUIET_CHANNEL_RATIO: f64 = 0.01;
/// Power of both channels mixed, relative to the louder one, at which they have opposite
/// phases: -15 dB. Of different sounds it is -3 dB.
const CANCELLED_RATIO: f64 = 0.03;

/// A recording has fewer audio tracks than the number of the chosen one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no audio track {number}: the recording has {count}")]
pub struct NoSuchTrack {
    /// The chosen number, from 1.
    pub number: u8,
    /// The number of audio tracks.
    pub count: usize,
}

impl MediaInfo {
    /// The recording with the audio track that an option asks for. `None` leaves the choice to
    /// [`Media::detect_silence`](crate::Media::detect_silence).
    ///
    /// # Errors
    ///
    /// If there is no track with that number.
    pub fn with_audio_track(mut self, choice: Option<AudioTrack>) -> Result<Self, NoSuchTrack> {
        match choice {
            None => {}
            Some(AudioTrack::Number(number)) => {
                let index = usize::from(number.get()) - 1;
                let count = self.audio_tracks.len();
                let chosen = self.audio_tracks.get(index).cloned();
                let number = number.get();
                self.audio = Some(chosen.ok_or(NoSuchTrack { number, count })?);
            }
            Some(AudioTrack::Mix) => {
                let mut tracks = self.audio_tracks.iter();
                self.audio = tracks.next().map(|first| AudioStream {
                    mixed_with: tracks.map(|track| track.index).collect(),
                    ..first.clone()
                });
            }
        }
        Ok(self)
    }

    /// The number of a track among the audio tracks, from 1.
    pub fn audio_track_number(&self, track: &AudioStream) -> usize {
        let position = self
            .audio_tracks
            .iter()
            .position(|other| other.index == track.index);
        position.map_or(1, |position| position + 1)
    }
}

/// Position of the preferred track, or of the one with most energy if the preferred track is
/// silent for nearly all of the time in which another one is not.
pub(super) fn choose_track(preferred: usize, tracks: &[TrackLevels]) -> usize {
    let active = |track: &TrackLevels| {
        let levels = track.windows.iter().map(|window| window.level().dbfs());
        levels.filter(|dbfs| *dbfs > QUIETEST_SPEECH_DBFS).count()
    };
    let energy = |track: &TrackLevels| -> f64 {
        let levels = track.windows.iter().map(|window| window.level());
        levels.map(power).sum()
    };
    let most_active = tracks.iter().map(active).max().unwrap_or(0);
    let is_silent = tracks
        .get(preferred)
        .is_none_or(|track| energy(track) <= 0.0 || active(track) * ACTIVITY_RATIO < most_active);
    let loudest = (0..tracks.len())
        .max_by(|a, b| energy(&tracks[*a]).total_cmp(&energy(&tracks[*b])))
        .filter(|loudest| energy(&tracks[*loudest]) > 0.0);
    loudest.filter(|_| is_silent).unwrap_or(preferred)
}

/// The channel that is used alone, if one channel is silent or both cancel each other.
pub(super) fn choose_channel(track: &TrackLevels) -> Option<StereoChannel> {
    let gate = mean_level(&track.windows.iter().map(|window| window.level()))? - GATE_DB;
    let loud = track
        .windows
        .iter()
        .filter(|window| window.level().dbfs() > gate);
    let [left, right, mono] = loud.fold([0.0; 3], |sums, window| {
        [
            sums[0] + power(window.left),
            sums[1] + power(window.right),
            sums[2] + power(window.mono),
        ]
    });
    if left < right * QUIET_CHANNEL_RATIO {
        Some(StereoChannel::Right)
    } else if right < left * QUIET_CHANNEL_RATIO || mono < left.max(right) * CANCELLED_RATIO {
        Some(StereoChannel::Left)
    } else {
        None
    }
}

/// The power of a level, relative to full scale.
fn power(level: Level) -> f64 {
    10_f64.powf(level.dbfs() / 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sound::levels::Window;

    /// A track whose windows have these levels left, right and mixed, in dBFS.
    fn track(windows: &[(usize, [f64; 3])]) -> TrackLevels {
        let windows = windows.iter().flat_map(|(count, levels)| {
            let [left, right, mono] = levels.map(Level::from_dbfs);
            std::iter::repeat_n(Window { left, right, mono }, *count)
        });
        TrackLevels {
            windows: windows.collect(),
            ..TrackLevels::default()
        }
    }

    #[test]
    fn a_silent_track_with_a_few_sounds_gives_way_to_the_loudest() {
        let desktop = track(&[(990, [-90.0; 3]), (10, [-6.0; 3])]);
        let microphone = track(&[(500, [-20.0; 3]), (500, [-60.0; 3])]);
        let quiet = track(&[(1000, [-40.0; 3])]);
        let silent = track(&[(1000, [f64::NEG_INFINITY; 3])]);
        assert_eq!(
            choose_track(0, &[desktop.clone(), quiet.clone(), microphone.clone()]),
            2
        );
        assert_eq!(choose_track(0, &[silent.clone(), quiet.clone()]), 1);
        assert_eq!(choose_track(1, &[microphone, quiet]), 1);
        assert_eq!(choose_track(1, &[silent.clone(), silent, desktop]), 2);
        assert_eq!(choose_track(1, &[track(&[]), track(&[])]), 1);
    }

    #[test]
    fn one_channel_is_used_where_the_other_is_silent_or_cancels_it() {
        let channel = |levels| choose_channel(&track(&[(9, [-60.0; 3]), (90, levels)]));
        assert_eq!(channel([-10.0, -12.0, -13.0]), None);
        assert_eq!(channel([-10.0, -50.0, -16.0]), Some(StereoChannel::Left));
        assert_eq!(
            channel([f64::NEG_INFINITY, -30.0, -36.0]),
            Some(StereoChannel::Right)
        );
        assert_eq!(channel([-10.0, -10.0, -40.0]), Some(StereoChannel::Left));
        assert_eq!(choose_channel(&track(&[(9, [f64::NEG_INFINITY; 3])])), None);
        // A click in the silent channel does not count.
        let clicks = [(1, [-10.0, -3.0, -6.0]), (2000, [-10.0, -90.0, -16.0])];
        assert_eq!(choose_channel(&track(&clicks)), Some(StereoChannel::Left));
    }
}
