//! The waveform of the sound: the lowest and the highest sample of each part of it.

use super::levels::WINDOWS_PER_SECOND;

/// Greatest number of points of a waveform. A point is one window long at first, and twice as
/// long whenever there would be more points than these.
const MAX_POINTS: usize = 8_000;
/// Channels of which there is a waveform: left, right, and both mixed.
const CHANNELS: usize = 3;

/// The lowest and the highest sample of a part of the sound, in steps of 1/128 of full scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extremes {
    /// The lowest sample.
    pub min: i8,
    /// The highest sample.
    pub max: i8,
}

impl Extremes {
    /// Those of no samples.
    const NONE: Self = Self {
        min: i8::MAX,
        max: i8::MIN,
    };

    /// From samples of which full scale is 1.
    pub(super) fn new(min: f64, max: f64) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the cast saturates; NaN becomes 0"
        )]
        let steps = |sample: f64| (sample * 128.0) as i8;
        Self {
            min: steps(min),
            max: steps(max),
        }
    }

    fn or(self, other: Self) -> Self {
        Self {
            min: self.min.min(other.min),
            max: self.max.max(other.max),
        }
    }

    /// Silence, if there are no samples.
    fn or_silence(self) -> Self {
        if self.min > self.max {
            return Self { min: 0, max: 0 };
        }
        self
    }
}

/// The waveform of what is heard of a recording.
#[derive(Debug, Clone, PartialEq)]
pub struct Waveform {
    /// Samples per second.
    pub sample_rate: u32,
    /// The number of samples that a point stands for.
    pub samples_per_point: u32,
    /// The points from the start of the recording on, at most 8,000.
    pub points: Vec<Extremes>,
}

/// Collects the waveforms of the channels of a track, in bounded memory.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TrackWaveform {
    points: Vec<[Extremes; CHANNELS]>,
    /// The number of windows that a point stands for: a power of two.
    windows_per_point: usize,
}

impl Default for TrackWaveform {
    fn default() -> Self {
        Self {
            points: Vec::new(),
            windows_per_point: 1,
        }
    }
}

impl TrackWaveform {
    /// Adds a window of the sound by its index.
    pub(super) fn add(&mut self, index: usize, window: [Extremes; CHANNELS]) {
        while index / self.windows_per_point >= MAX_POINTS {
            self.halve();
        }
        let position = index / self.windows_per_point;
        if position >= self.points.len() {
            self.points.resize(position + 1, [Extremes::NONE; CHANNELS]);
        }
        let point = &mut self.points[position];
        *point = both(*point, window);
    }

    /// Joins each two points to one.
    fn halve(&mut self) {
        let pairs = self.points.chunks(2);
        let joined = pairs.map(|pair| both(pair[0], *pair.last().unwrap_or(&pair[0])));
        self.points = joined.collect();
        self.windows_per_point *= 2;
    }
}

fn both(a: [Extremes; CHANNELS], b: [Extremes; CHANNELS]) -> [Extremes; CHANNELS] {
    std::array::from_fn(|channel| a[channel].or(b[channel]))
}

impl Waveform {
    /// The waveform of these tracks, of a channel each, up to `end` in seconds. Where several
    /// tracks have sound, each point is that of the loudest. `window_samples` is the number of samples
    /// in a window of the first track.
    pub(super) fn of(tracks: &[(&TrackWaveform, usize)], window_samples: u32, end: f64) -> Self {
        let longest = tracks
            .iter()
            .map(|(track, _)| track.windows_per_point)
            .max();
        let windows_per_point = longest.unwrap_or(1);
        let mut points: Vec<Extremes> = Vec::new();
        for (track, channel) in tracks {
            let mut track = (*track).clone();
            while track.windows_per_point < windows_per_point {
                track.halve();
            }
            if points.len() < track.points.len() {
                points.resize(track.points.len(), Extremes::NONE);
            }
            for (point, of_track) in points.iter_mut().zip(track.points) {
                *point = point.or(of_track[*channel]);
            }
        }
        let windows = end * f64::from(WINDOWS_PER_SECOND);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the length of a recording is not negative, and the cast saturates"
        )]
        let length = (windows / windows_per_point as f64).ceil() as usize;
        points.truncate(length);
        let samples = u32::try_from(windows_per_point).unwrap_or(u32::MAX);
        Self {
            sample_rate: window_samples * WINDOWS_PER_SECOND,
            samples_per_point: window_samples.saturating_mul(samples),
            points: points.into_iter().map(Extremes::or_silence).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extremes(min: i8, max: i8) -> Extremes {
        Extremes { min, max }
    }

    /// A track whose windows have these extremes in all channels, from the start on.
    fn track(windows: impl IntoIterator<Item = (i8, i8)>) -> TrackWaveform {
        let mut track = TrackWaveform::default();
        for (index, (min, max)) in windows.into_iter().enumerate() {
            track.add(index, [extremes(min, max); CHANNELS]);
        }
        track
    }

    #[test]
    fn samples_become_steps_of_full_scale() {
        for (min, max, expected) in [
            (-1.0, 1.0, (-128, 127)),
            (-0.5, 0.25, (-64, 32)),
            (0.001, 0.009, (0, 1)),
            (-7.0, f64::NAN, (-128, 0)),
        ] {
            let found = Extremes::new(min, max);
            assert_eq!((found.min, found.max), expected);
        }
    }

    #[test]
    fn a_short_track_has_a_point_for_each_window() {
        let track = track([(-3, 5), (2, 4), (-9, -8)]);
        let waveform = Waveform::of(&[(&track, 0)], 1764, 0.12);
        assert_eq!(
            (waveform.sample_rate, waveform.samples_per_point),
            (44_100, 1764)
        );
        assert_eq!(
            waveform.points,
            [extremes(-3, 5), extremes(2, 4), extremes(-9, -8)]
        );
        assert_eq!(Waveform::of(&[(&track, 0)], 1764, 0.05).points.len(), 2);
    }

    #[test]
    fn the_number_of_points_is_bounded_and_none_loses_a_peak() {
        let mut track = TrackWaveform::default();
        // A day.
        let count = 24 * 60 * 60 * 25;
        for index in 0..count {
            let peak = if index == count - 7 { 100 } else { 1 };
            track.add(index, [extremes(-2, peak); CHANNELS]);
            assert!(track.points.len() <= MAX_POINTS);
        }
        let waveform = Waveform::of(&[(&track, 2)], 1920, 86_400.0);
        assert!((MAX_POINTS / 2..=MAX_POINTS).contains(&waveform.points.len()));
        let seconds = f64::from(waveform.samples_per_point) / f64::from(waveform.sample_rate);
        assert!((seconds * waveform.points.len() as f64 - 86_400.0).abs() < seconds);
        let (last, others) = waveform.points.split_last().unwrap();
        assert_eq!(*last, extremes(-2, 100));
        assert!(others.iter().all(|point| *point == extremes(-2, 1)));
    }

    #[test]
    fn a_gap_is_silence() {
        let mut track = track([(5, 6)]);
        track.add(3, [extremes(5, 6); CHANNELS]);
        let points = Waveform::of(&[(&track, 1)], 320, 1.0).points;
        assert_eq!(points[1..3], [extremes(0, 0); 2]);
        assert_eq!(points[3], extremes(5, 6));
    }

    #[test]
    fn mixed_tracks_have_the_extremes_of_the_loudest() {
        let long = track((0..MAX_POINTS + 2).map(|_| (-1, 1)));
        let short = track([(0, 9), (-7, 0)]);
        assert_eq!((long.windows_per_point, short.windows_per_point), (2, 1));
        let points = Waveform::of(&[(&short, 0), (&long, 2)], 320, 1e9).points;
        assert_eq!(points[..2], [extremes(-7, 9), extremes(-1, 1)]);
        assert_eq!(points.len(), MAX_POINTS / 2 + 1);
    }
}
