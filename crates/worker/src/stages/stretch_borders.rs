//! The exact times at which the layout of a recording changes.
//!
//! The layout is found in frames that are far apart, 30 seconds in an hour. The picture of a clip
//! changes at the border of two stretches, so that the border is looked for again in frames that
//! are close together.

use lectern_analysis::layout_analysis::{GrayFrame, find_change};
use lectern_domain::{
    LayoutStretch, LayoutStretches, LayoutType, NewLayoutAnalysis, Region, TimeRange,
};
use lectern_media::{ChildError, Error, Frames, Media, MediaInfo};

use crate::failure::Failure;

/// Greatest number of frames that are compared at once.
const MAX_FRAMES: u32 = 120;
/// Height of the compared frames, in pixels.
const FRAME_HEIGHT: u32 = 144;
/// A border is exact enough if the frames are at most this many seconds apart.
const PRECISION_SECONDS: f64 = 0.05;
/// How far a border may be from the change of the picture: in distances of the frames of which
/// the stretches were made, and at least in seconds. If the nearer range has no change, the
/// wider one is searched.
const DISTANCES: [f64; 2] = [1.0, 2.5];
const MIN_DISTANCE_SECONDS: f64 = 1.5;

/// The frames as the analysis takes them.
pub(super) fn views(frames: &Frames) -> Vec<GrayFrame<'_>> {
    let frames = frames.frames.iter();
    frames
        .map(|frame| GrayFrame {
            width: frame.picture.width as usize,
            height: frame.picture.height as usize,
            data: &frame.picture.data,
            time: frame.time,
        })
        .collect()
}

/// Moves the borders of the stretches to the changes of the picture. `step` is the distance of
/// the frames in which the stretches were found, in seconds. Where no change stands out, or
/// frames cannot be read, the border stays. `progress` gets the fraction done.
///
/// No search goes beyond the middle of a stretch, so that all together decode the recording at
/// most twice.
pub(super) fn find_borders(
    media: &Media,
    recording: &MediaInfo,
    analysis: &mut NewLayoutAnalysis,
    step: f64,
    progress: &mut dyn FnMut(f64),
) -> Result<(), Failure> {
    let mut stretches = analysis.stretches.as_slice().to_vec();
    let count = stretches.len();
    for after in 1..count {
        progress(after as f64 / count as f64);
        let pair = [stretches[after - 1], stretches[after]];
        if let Some(border) = find_border(media, recording, pair, step)? {
            stretches[after - 1].time = TimeRange::new(pair[0].time.start(), border)?;
            stretches[after].time = TimeRange::new(border, pair[1].time.end())?;
        }
    }
    analysis.stretches = LayoutStretches::new(stretches)?;
    Ok(())
}

/// The time of the change between two stretches.
fn find_border(
    media: &Media,
    recording: &MediaInfo,
    pair: [LayoutStretch; 2],
    step: f64,
) -> Result<Option<f64>, Failure> {
    let [before, after] = pair.map(|stretch| stretch.time);
    let border = after.start();
    // The borders keep their order if none moves beyond the middle of a stretch.
    let earliest = f64::midpoint(before.start(), before.end());
    let latest = f64::midpoint(after.start(), after.end());
    let regions = compared_regions(pair);
    for distance in DISTANCES {
        let distance = (distance * step).max(MIN_DISTANCE_SECONDS);
        let (mut start, mut end) = (
            (border - distance).max(earliest),
            (border + distance).min(latest),
        );
        let mut best = None;
        while let Some((found, distance)) = change_in(media, recording, (start, end), &regions)? {
            best = Some((found * 1000.0).round() / 1000.0);
            if distance <= PRECISION_SECONDS {
                break;
            }
            (start, end) = ((found - distance).max(start), (found + distance).min(end));
        }
        if best.is_some() {
            return Ok(best);
        }
    }
    Ok(None)
}

/// The time of the change in a range, and the distance of the compared frames.
fn change_in(
    media: &Media,
    recording: &MediaInfo,
    (start, end): (f64, f64),
    regions: &[Region],
) -> Result<Option<(f64, f64)>, Failure> {
    if end - start < PRECISION_SECONDS {
        return Ok(None);
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a positive number of frames; the cast saturates"
    )]
    let count = ((end - start) / PRECISION_SECONDS).ceil() as u32;
    // One frame on each side cannot be told from noise.
    let count = count.clamp(4, MAX_FRAMES);
    let range = TimeRange::new(start, end)?;
    let sampled = media.sample_frames_in(recording, range, count, FRAME_HEIGHT, &mut |_| {});
    let frames = match sampled {
        Ok(frames) => frames,
        // As in a part of the recording that is damaged.
        Err(Error::NoVideo) => return Ok(None),
        Err(error) if matches!(error.child(), Some(ChildError::Failed { .. })) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let views = views(&frames);
    let size = (frames.source_width, frames.source_height);
    let change = find_change(&views, regions, size)?;
    let distance = range.duration() / f64::from(count);
    Ok(change.map(|index| (views[index].time - distance / 2.0, distance)))
}

/// The parts of the picture that are different: the cameras, unless one of them is all of the
/// picture. Empty if it is all of the picture.
fn compared_regions(pair: [LayoutStretch; 2]) -> Vec<Region> {
    if pair
        .iter()
        .any(|stretch| stretch.layout_type == LayoutType::CameraOnly)
    {
        return Vec::new();
    }
    let cameras = pair.iter().filter_map(|stretch| stretch.camera_region);
    cameras.collect()
}
