//! Which level is silence in a recording.

use lectern_domain::{SilenceLevel, TimeRange};

use super::levels::{Level, TrackLevels, WINDOW_SECONDS, WINDOWS_PER_SECOND, window_index};

/// Sound below this level is silence in every recording, in dBFS, as in EBU R 128.
pub(super) const ABSOLUTE_GATE_DBFS: f64 = -70.0;
/// Sound this far below the mean is left out of the mean, in dB, as in EBU R 128.
const RELATIVE_GATE_DB: f64 = 10.0;
/// How far below the loudness of the speech silence begins, in dB. Quiet syllables are 20 dB
/// below loud ones.
const BELOW_SPEECH_DB: f64 = 24.0;
/// How far above a noise floor sound begins, in dB: the peaks of noise vary by half of it.
const ABOVE_NOISE_DB: f64 = 6.0;
/// How far below the speech a noise floor plus [`ABOVE_NOISE_DB`] has to be, in dB.
const MIN_CONTRAST_DB: f64 = 5.0;
/// The length of the parts that may have a noise floor each, in windows: a minute.
const BLOCK_WINDOWS: usize = 60 * WINDOWS_PER_SECOND as usize;
/// Fewest windows with sound in a part that has a noise floor.
const MIN_BLOCK_WINDOWS: usize = 50;
/// Noise is the quietest sound of a part, of constant level: its 5th and 20th percentile differ
/// by less than this, in dB. Without pauses, speech has no constant level.
const NOISE_SPREAD_DB: f64 = 4.0;

/// The mean level of the sound in dBFS, without pauses; `None` if there is no sound. `level`
/// has the level of each window.
pub(super) fn mean_level(levels: &(impl Iterator<Item = Level> + Clone)) -> Option<f64> {
    let mean_above = |gate: f64| {
        let loud = levels.clone().map(Level::dbfs).filter(|dbfs| *dbfs > gate);
        let (count, sum) = loud.fold((0.0, 0.0), |(count, sum), dbfs| {
            (count + 1.0, sum + 10_f64.powf(dbfs / 10.0))
        });
        (count > 0.0).then(|| 10.0 * f64::log10(sum / count))
    };
    let mean = mean_above(ABSOLUTE_GATE_DBFS)?;
    mean_above((mean - RELATIVE_GATE_DB).max(ABSOLUTE_GATE_DBFS)).or(Some(mean))
}

/// The silent parts of the sound, and the level below which sound was silence, in dBFS. If that
/// level differs between parts, it is the most frequent one.
pub(super) fn silent_ranges(
    tracks: &[&TrackLevels],
    setting: SilenceLevel,
    min_seconds: f64,
    end: f64,
) -> (Vec<TimeRange>, f64) {
    let levels = smoothed(&louder_of(tracks));
    let thresholds = match setting {
        SilenceLevel::Dbfs(dbfs) => vec![dbfs; levels.len().div_ceil(BLOCK_WINDOWS)],
        SilenceLevel::Auto => automatic_thresholds(&levels),
    };
    let is_silent = |index: usize| match levels.get(index) {
        Some(level) => level.dbfs() < thresholds[index / BLOCK_WINDOWS],
        // The track has ended.
        None => true,
    };
    let count = window_index(end).unwrap_or(0);
    let mut ranges = Vec::new();
    let mut start = None;
    for index in 0..=count {
        if index < count && is_silent(index) {
            start.get_or_insert(index);
        } else if let Some(first) = start.take() {
            // The sound begins and ends somewhere in the windows around.
            let from = (first as f64 - 0.5).max(0.0) * WINDOW_SECONDS;
            let to = if index == count {
                end
            } else {
                (index as f64 + 0.5) * WINDOW_SECONDS
            };
            let range = TimeRange::new(from, to.min(end)).ok();
            ranges.extend(range.filter(|range| range.duration() + WINDOW_SECONDS >= min_seconds));
        }
    }
    (ranges, median(&thresholds).unwrap_or(ABSOLUTE_GATE_DBFS))
}

/// The level of the loudest track in each window.
fn louder_of(tracks: &[&TrackLevels]) -> Vec<Level> {
    let count = tracks.iter().map(|track| track.windows.len()).max();
    let level = |index: usize| {
        let windows = tracks.iter().filter_map(|track| track.windows.get(index));
        windows.fold(Level::NONE, |loudest, window| {
            loudest.louder(window.level())
        })
    };
    (0..count.unwrap_or(0)).map(level).collect()
}

/// The median of each window and its neighbours: a click in a pause is no sound, and a gap in
/// the middle of a word no silence.
fn smoothed(levels: &[Level]) -> Vec<Level> {
    let at = |index: usize| levels.get(index).copied();
    (0..levels.len())
        .map(|index| {
            let before = index.checked_sub(1).and_then(at);
            let mut near =
                [before, at(index), at(index + 1)].map(|level| level.unwrap_or(levels[index]));
            near.sort_unstable();
            near[1]
        })
        .collect()
}

/// The threshold of each block in dBFS: relative to the loudness of the recording, or above the
/// noise of the block.
fn automatic_thresholds(levels: &[Level]) -> Vec<f64> {
    let blocks = levels.chunks(BLOCK_WINDOWS);
    let Some(loudness) = mean_level(&levels.iter().copied()) else {
        return blocks.map(|_| ABSOLUTE_GATE_DBFS).collect();
    };
    let relative = (loudness - BELOW_SPEECH_DB).max(ABSOLUTE_GATE_DBFS);
    let threshold = |block: &[Level]| {
        let above_noise = noise_floor(block).map(|noise| noise + ABOVE_NOISE_DB);
        let above_noise = above_noise.filter(|level| *level <= loudness - MIN_CONTRAST_DB);
        above_noise.unwrap_or(relative).max(relative)
    };
    blocks.map(threshold).collect()
}

/// The level of the noise in a block, in dBFS; `None` if the quietest sound is not constant.
fn noise_floor(block: &[Level]) -> Option<f64> {
    let mut levels: Vec<f64> = block.iter().map(|level| level.dbfs()).collect();
    levels.retain(|dbfs| *dbfs > ABSOLUTE_GATE_DBFS);
    if levels.len() < MIN_BLOCK_WINDOWS {
        return None;
    }
    levels.sort_by(f64::total_cmp);
    let percentile = |percent: usize| levels[(levels.len() - 1) * percent / 100];
    (percentile(20) - percentile(5) < NOISE_SPREAD_DB).then(|| percentile(10))
}

fn median(numbers: &[f64]) -> Option<f64> {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}
