//! The level of the sound in each 40 ms, as ffmpeg measures it.

use super::rate_meter::RateMeter;
use super::waveform::{Extremes, TrackWaveform};
use crate::probe::AudioStream;

/// Windows per second.
pub(super) const WINDOWS_PER_SECOND: u32 = 25;
/// The length of a window in seconds.
pub(crate) const WINDOW_SECONDS: f64 = 0.04;
/// Longest pause between two measured windows that counts as one: with another sample rate, or
/// after a change of the format, windows are longer or not aligned.
const MAX_GAP_WINDOWS: usize = 4;
/// Greatest number of tracks that are measured together. In 24 hours, each takes 6 MB.
pub(crate) const MAX_TRACKS: usize = 8;
/// Channels of which the level is measured: left, right, and both mixed.
const CHANNELS: usize = 3;
/// The lines that are printed for each window: the lowest and the highest sample of each channel.
const LINES: usize = 2 * CHANNELS;

/// The number of samples in a window.
pub(super) fn window_samples(track: &AudioStream) -> u32 {
    (track.sample_rate / WINDOWS_PER_SECOND).max(1)
}

/// The filters that measure a track and print the levels. `position` is below [`MAX_TRACKS`].
///
/// Every filter works after a change of the format as before, because none has a state that
/// lasts longer than a window.
pub(crate) fn level_filters(position: usize, track: &AudioStream) -> String {
    let samples = window_samples(track);
    // Converted to stereo, mono would lose 3 dB in each channel.
    let (layout, right, mono) = match track.channels {
        1 => ("mono", "c0", "c0"),
        _ => ("stereo", "c1", "0.5*c0+0.5*c1"),
    };
    // Of the printed lines, the first has the time, and the others have the levels. The time is
    // replaced by a negative number that also has the position of the track, so that it differs from
    // the lines of the other filters. Without `direct`, the filter would buffer its lines, and
    // write them in the middle of others.
    format!(
        "aformat=sample_fmts=fltp:channel_layouts={layout},\
         pan=3.0|FL=c0|FR={right}|FC={mono},asetnsamples=n={samples}:p=0,\
         astats=metadata=1:reset=1:measure_perchannel=Min_level+Max_level:measure_overall=none,\
         asettb=1/1000000,asetpts=-1-(PTS*{MAX_TRACKS}+{position}),\
         ametadata=mode=print:file=-:direct=1,asetpts=(-1-PTS-{position})/{MAX_TRACKS}"
    )
}

/// A level in steps of half a decibel below full scale; 255 is no sound at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Level(u8);

impl Level {
    pub(super) const NONE: Self = Self(u8::MAX);

    pub(super) fn from_dbfs(dbfs: f64) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped, and NaN becomes 0"
        )]
        let steps = (-2.0 * dbfs).round().clamp(0.0, 255.0) as u8;
        Self(steps)
    }

    pub(super) fn dbfs(self) -> f64 {
        if self == Self::NONE {
            return f64::NEG_INFINITY;
        }
        -0.5 * f64::from(self.0)
    }

    /// The level of a window by its lowest and its highest sample, of which full scale is 1.
    fn of_samples(min: f64, max: f64) -> Self {
        Self::from_dbfs(20.0 * f64::log10(f64::max(-min, max)))
    }

    /// The louder of two levels.
    pub(super) fn louder(self, other: Self) -> Self {
        self.min(other)
    }
}

/// The levels of one window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) left: Level,
    pub(super) right: Level,
    /// Both channels mixed to one.
    pub(super) mono: Level,
}

impl Window {
    const SILENT: Self = Self {
        left: Level::NONE,
        right: Level::NONE,
        mono: Level::NONE,
    };

    /// The level of the louder channel.
    pub(super) fn level(self) -> Level {
        self.left.louder(self.right)
    }
}

/// The levels of a track: a window after the other, from the start of the recording to the last
/// packet.
#[derive(Debug, Clone, Default)]
pub(crate) struct TrackLevels {
    pub(super) windows: Vec<Window>,
    pub(super) waveform: TrackWaveform,
}

impl TrackLevels {
    /// The end of the track in seconds.
    pub(super) fn end(&self) -> f64 {
        self.windows.len() as f64 * WINDOW_SECONDS
    }

    fn set(&mut self, index: usize, window: Window, extremes: [Extremes; CHANNELS]) {
        self.waveform.add(index, extremes);
        if let Some(known) = self.windows.get_mut(index) {
            known.left = known.left.louder(window.left);
            known.right = known.right.louder(window.right);
            known.mono = known.mono.louder(window.mono);
            return;
        }
        let gap = index - self.windows.len();
        let between = match self.windows.last() {
            Some(last) if gap <= MAX_GAP_WINDOWS => {
                for missing in self.windows.len()..index {
                    self.waveform.add(missing, extremes);
                }
                *last
            }
            _ => Window::SILENT,
        };
        self.windows.resize(index, between);
        self.windows.push(window);
    }
}

/// Reads the lines that [`level_filters`] print.
#[derive(Debug)]
pub(crate) struct LevelReader {
    pub(crate) tracks: Vec<TrackLevels>,
    /// Windows after this one are left out: a damaged timestamp may be years ahead.
    max_windows: usize,
    /// Position of the track and index of the window of the last time that was printed.
    current: Option<(usize, usize)>,
    /// The lowest and the highest sample of each channel.
    samples: [(f64, f64); CHANNELS],
    /// How many lines with samples are still missing.
    missing: usize,
    rates: Vec<RateMeter>,
}

impl LevelReader {
    pub(crate) fn new(tracks: &[&AudioStream], max_seconds: f64) -> Self {
        let meters = tracks
            .iter()
            .map(|track| RateMeter::new(window_samples(track)));
        Self {
            tracks: vec![TrackLevels::default(); tracks.len()],
            rates: meters.collect(),
            max_windows: window_index(max_seconds).unwrap_or(0),
            current: None,
            samples: [(0.0, 0.0); CHANNELS],
            missing: 0,
        }
    }

    /// The sample rates of a track, in ascending order.
    pub(crate) fn sample_rates(&self, position: usize) -> Vec<u32> {
        self.rates
            .get(position)
            .map_or_else(Vec::new, RateMeter::rates)
    }

    /// Reads a line; lines of other filters are ignored.
    pub(crate) fn push(&mut self, line: &str) {
        if let Some((position, microseconds)) = parse_time(line) {
            if let Some(meter) = self.rates.get_mut(position) {
                meter.push(microseconds);
            }
            // Versions of ffmpeg with one thread for each track may print the lines of two
            // tracks in turns. Then it is not known which levels are whose.
            self.current = match window_index(microseconds / 1e6) {
                Some(index) if self.missing == 0 && index <= self.max_windows => {
                    Some((position, index))
                }
                _ => None,
            };
            self.missing += LINES;
        } else if let Some((channel, extreme)) = parse_extreme(line) {
            match extreme {
                Extreme::Min(sample) => self.samples[channel].0 = sample,
                Extreme::Max(sample) => self.samples[channel].1 = sample,
            }
            self.missing = self.missing.saturating_sub(1);
            if self.missing == 0
                && let Some((position, index)) = self.current.take()
                && let Some(track) = self.tracks.get_mut(position)
            {
                let [left, right, mono] =
                    self.samples.map(|(min, max)| Level::of_samples(min, max));
                let extremes = self.samples.map(|(min, max)| Extremes::new(min, max));
                track.set(index, Window { left, right, mono }, extremes);
            }
        }
    }
}

/// The index of the window that starts nearest to this time.
pub(super) fn window_index(seconds: f64) -> Option<usize> {
    let index = (seconds / WINDOW_SECONDS).round();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a whole number that is not negative; the cast saturates"
    )]
    let index = (index >= 0.0).then_some(index as usize);
    index
}

/// The track's position and the time in microseconds, from a line such as
/// `frame:12   pts:-30720001 pts_time:-30.72`.
fn parse_time(line: &str) -> Option<(usize, f64)> {
    let (_, rest) = line.strip_prefix("frame:")?.split_once("pts:-")?;
    let encoded = rest.split_whitespace().next()?.parse::<u64>().ok()?;
    let encoded = encoded.checked_sub(1)?;
    let tracks = MAX_TRACKS as u64;
    let position = usize::try_from(encoded % tracks).ok()?;
    Some((position, (encoded / tracks) as f64))
}

/// The lowest or the highest sample of a window; full scale is 1.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Extreme {
    Min(f64),
    Max(f64),
}

/// The channel's index and one of its extremes, from a line such as
/// `lavfi.astats.1.Min_level=-0.424300`.
fn parse_extreme(line: &str) -> Option<(usize, Extreme)> {
    let (channel, measured) = line.strip_prefix("lavfi.astats.")?.split_once('.')?;
    let (name, sample) = measured.split_once('=')?;
    let channel: usize = channel.parse().ok()?;
    let sample: f64 = sample.parse().ok()?;
    let extreme = match name {
        "Min_level" => Extreme::Min(sample),
        "Max_level" => Extreme::Max(sample),
        _ => return None,
    };
    (1..=CHANNELS)
        .contains(&channel)
        .then_some((channel - 1, extreme))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sound::waveform::Waveform;

    /// The line with the time of a window.
    fn time(position: u64, window: u64) -> String {
        let encoded = window * 40_000 * 8 + position + 1;
        format!("frame:0    pts:-{encoded} pts_time:-1")
    }

    /// The lines with the samples of a channel that has this level. The highest sample is half as
    /// far from 0 as the lowest.
    fn level(channel: usize, dbfs: f64) -> [String; 2] {
        let lowest = -(10_f64.powf(dbfs / 20.0));
        let line = |name, sample: f64| format!("lavfi.astats.{channel}.{name}={sample:.6}");
        [line("Min_level", lowest), line("Max_level", -0.5 * lowest)]
    }

    fn read(lines: &[String]) -> Vec<TrackLevels> {
        let track = AudioStream {
            index: 1,
            codec: "aac".into(),
            sample_rate: 48_000,
            channels: 2,
            language: None,
            mixed_with: Vec::new(),
            only_channel: None,
        };
        let mut reader = LevelReader::new(&[&track, &track], 10.0);
        for line in lines {
            reader.push(line);
        }
        reader.tracks
    }

    #[test]
    fn levels_belong_to_their_track_and_time() {
        let mut lines = vec!["frame:3    pts:1 pts_time:1".to_owned(), time(1, 2)];
        lines.extend(level(1, -10.0));
        lines.extend(level(2, f64::NEG_INFINITY));
        lines.extend(level(3, -16.02));
        let tracks = read(&lines);
        assert!(tracks[0].windows.is_empty());
        assert_eq!(tracks[1].windows.len(), 3);
        assert_eq!(tracks[1].windows[0], Window::SILENT);
        let expected = Window {
            left: Level(20),
            right: Level::NONE,
            mono: Level(32),
        };
        assert_eq!(tracks[1].windows[2], expected);
    }

    #[test]
    fn lines_of_two_tracks_in_turns_are_left_out() {
        let mut lines = vec![time(0, 0), time(1, 0)];
        lines.extend((0..6).flat_map(|i| level(i % 3 + 1, -10.0)));
        lines.push(time(0, 1));
        lines.extend((0..3).flat_map(|i| level(i + 1, -10.0)));
        let tracks = read(&lines);
        assert_eq!(tracks[0].windows.len(), 2);
        assert_eq!(tracks[0].windows[0], Window::SILENT);
        assert!(tracks[1].windows.is_empty());
    }

    #[test]
    fn short_gaps_have_the_level_before_and_long_ones_are_silent() {
        let window = |index| {
            let levels = (1..=3).flat_map(|channel| level(channel, -6.0));
            [time(0, index)].into_iter().chain(levels)
        };
        let lines: Vec<_> = [0, 2, 20].into_iter().flat_map(window).collect();
        let track = read(&lines).remove(0);
        let waveform = Waveform::of(&[(&track.waveform, 0)], 1920, 10.0).points;
        let expected = Extremes { min: -64, max: 32 };
        assert_eq!(waveform[..3], [expected; 3]);
        assert_eq!(waveform[3..20], [Extremes { min: 0, max: 0 }; 17]);
        let windows = track.windows;
        let levels: Vec<_> = windows.iter().map(|window| window.level()).collect();
        assert_eq!(levels[..3], [Level(12); 3]);
        assert_eq!(levels[3..20], [Level::NONE; 17]);
        assert_eq!(levels.len(), 21);
        assert!(
            read(&window(1_000_000).collect::<Vec<_>>())[0]
                .windows
                .is_empty()
        );
    }
}
