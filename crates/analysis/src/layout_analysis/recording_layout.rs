//! The result of the analysis: the layout of most of the recording, and its stretches.

use lectern_domain::{
    Invalid, LayoutStretch, LayoutStretches, LayoutType, NewLayoutAnalysis, Ratio, Region, Seconds,
    TimeRange,
};

use super::classify::{Classification, MIN_CONFIDENCE};
use super::rectangle::Rectangle;
use super::sampling::{SampledFrame, SampledFrames};
use super::stretches::{Stretch, find_stretches};

/// Stretches whose cameras overlap by at least this fraction of their union have the same layout.
const MIN_OVERLAP: f64 = 0.6;

/// Finds the layouts of `frames`. The regions are in pixels of the recording, whose width and
/// height is `source_size`.
pub(super) fn describe(
    frames: &[SampledFrame],
    frame_size: (usize, usize),
    source_size: (u32, u32),
) -> Result<NewLayoutAnalysis, Invalid> {
    let stretches = find_stretches(frames);
    let (main, main_stretch) = main_layout(&stretches);
    let to_region = |rectangle: Option<Rectangle>| -> Result<Option<Region>, Invalid> {
        rectangle
            .map(|rectangle| rectangle.to_region(frame_size, source_size))
            .transpose()
    };
    let to_stretch = |stretch: &Stretch| {
        let found = stretch.found;
        Ok(LayoutStretch {
            time: time_of(stretch, frames)?,
            layout_type: found.layout,
            screen_region: to_region(found.screen)?,
            camera_region: to_region(found.camera)?,
            split_ratio: found.split_ratio.map(Ratio::new).transpose()?,
            confidence_score: Ratio::new(found.confidence)?,
        })
    };
    let rows = stretches.iter().map(to_stretch);
    let time = match (main.layout, main_stretch) {
        (LayoutType::Unknown, _) | (_, None) => None,
        (_, Some(stretch)) => {
            SampledFrames::select(&frames[stretch.frames.clone()]).representative_time()
        }
    };
    Ok(NewLayoutAnalysis {
        layout_type: main.layout,
        screen_region: to_region(main.screen)?,
        camera_region: to_region(main.camera)?,
        split_ratio: main.split_ratio.map(Ratio::new).transpose()?,
        confidence_score: Ratio::new(main.confidence)?,
        sample_frame_time: time.map(Seconds::new).transpose()?,
        stretches: LayoutStretches::new(rows.collect::<Result<_, Invalid>>()?)?,
    })
}

/// The type of layout that takes most of the time, in its longest layout, and a stretch of it.
///
/// The confidence is at most the share of the time that has this type, and at most the mean of 1
/// and the share that has this layout.
fn main_layout(stretches: &[Stretch]) -> (Classification, Option<&Stretch>) {
    let time = |same: &dyn Fn(&Classification) -> bool| -> f64 {
        let same = stretches.iter().filter(|stretch| same(&stretch.found));
        same.map(|stretch| stretch.frames.len() as f64).sum()
    };
    let time_of_type = |found: &Classification| time(&|other| other.layout == found.layout);
    let time_of_layout =
        |found: &Classification| time(&|other| other.resembles(found, MIN_OVERLAP));
    let longest = stretches.iter().max_by(|one, other| {
        let key = |stretch: &Stretch| {
            let found = &stretch.found;
            let length = stretch.frames.len() as f64;
            [time_of_type(found), time_of_layout(found), length]
        };
        key(one)
            .partial_cmp(&key(other))
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    let Some(longest) = longest else {
        return (Classification::unknown(0.0), None);
    };
    let all = time(&|_| true);
    let confidence = (longest.found.confidence)
        .min(time_of_type(&longest.found) / all)
        .min(f64::midpoint(1.0, time_of_layout(&longest.found) / all));
    if confidence < MIN_CONFIDENCE {
        return (Classification::unknown(confidence), None);
    }
    let main = Classification {
        confidence,
        ..longest.found
    };
    (main, Some(longest))
}

/// The frames are in the middle of equal parts of the recording.
fn time_of(stretch: &Stretch, frames: &[SampledFrame]) -> Result<TimeRange, Invalid> {
    let (first, last) = match frames {
        [] => return TimeRange::new(0.0, 0.0),
        [first, .., last] => (first.time, last.time),
        [only] => (only.time, only.time),
    };
    let half_step = if frames.len() > 1 {
        (last - first) / (frames.len() - 1) as f64 / 2.0
    } else {
        first
    };
    let boundary = |index: usize| match index.checked_sub(1) {
        None => 0.0,
        Some(before) => match frames.get(index) {
            Some(frame) => f64::midpoint(frames[before].time, frame.time),
            None => last + half_step,
        },
    };
    TimeRange::new(boundary(stretch.frames.start), boundary(stretch.frames.end))
}
