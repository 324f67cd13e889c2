//! The picture of a clip whose arrangement may change.

use super::encoding::CutSettings;
use crate::error::Error;
use crate::picture::{Composition, capped_height, even, fit_filters, square_pixel_size};
use crate::probe::{FrameRate, VideoStream};

/// How much widths or heights of similar sizes differ, as a fraction of the greater one.
const MAX_SIZE_DIFFERENCE: f64 = 0.1;

/// Consecutive frames of a clip with one arrangement.
#[derive(Debug, PartialEq)]
struct Part {
    start_frame: u64,
    end_frame: u64,
    composition: Option<Composition>,
}

/// The filters that arrange the picture of a clip with this number of frames, at a constant
/// rate. All frames of the result have the same size, and square pixels.
///
/// Each part has a branch of the graph, which lets only the frames of this part pass. As the
/// parts follow each other, no branch waits for another one, and no frames are kept.
pub(super) fn picture_filters(
    video: &VideoStream,
    frame_count: u64,
    rate: FrameRate,
    settings: &CutSettings,
) -> Result<String, Error> {
    let parts = parts(frame_count, rate, settings);
    let canvas = canvas(video, &parts, settings);
    if let [part] = &parts[..] {
        return arranged(video, part.composition, canvas);
    }
    let labels = |name: &str| -> String {
        let label = |i: usize| ["[", name, &i.to_string(), "]"].concat();
        (0..parts.len()).map(label).collect()
    };
    let branch = |(i, part): (usize, &Part)| {
        let (start, end) = (part.start_frame, part.end_frame);
        // Labels have to be different within a graph.
        let filters = arranged(video, part.composition, canvas)?.replace(']', &format!("{i}]"));
        Ok(format!(
            "[part{i}]trim=start_frame={start}:end_frame={end},setpts=PTS-STARTPTS,{filters}[arranged{i}];"
        ))
    };
    let branches = parts.iter().enumerate().map(branch);
    let branches = branches.collect::<Result<String, Error>>()?;
    let FrameRate { frames, seconds } = rate;
    Ok(format!(
        "split={count}{inputs};{branches}{outputs}concat=n={count},fps=fps={frames}/{seconds}",
        count = parts.len(),
        inputs = labels("part"),
        outputs = labels("arranged"),
    ))
}

/// The filters that arrange the picture in the middle of such a clip alone, in the shape of the
/// clip, but at most `max_height` pixels high.
pub(super) fn middle_picture_filters(
    video: &VideoStream,
    frame_count: u64,
    rate: FrameRate,
    settings: &CutSettings,
    max_height: u32,
) -> Result<String, Error> {
    let parts = parts(frame_count, rate, settings);
    let (width, height) = canvas(video, &parts, settings);
    let scale = (f64::from(max_height) / f64::from(height)).min(1.0);
    let canvas = [width, height].map(|length| even(f64::from(length) * scale));
    let middle = parts.iter().find(|part| part.end_frame > frame_count / 2);
    let composition = middle.and_then(|part| part.composition);
    arranged(video, composition, canvas.into())
}

/// Width and height of all pictures of a clip.
fn canvas(video: &VideoStream, parts: &[Part], settings: &CutSettings) -> (u32, u32) {
    let height = capped_height(video, settings.resolution);
    let size = |composition: Option<Composition>| {
        composition.map_or_else(
            || square_pixel_size(video, height),
            |composition| composition.size(video, height),
        )
    };
    let sizes: Vec<_> = parts
        .iter()
        .map(|part| (size(part.composition), part.end_frame - part.start_frame))
        .collect();
    most_frequent(&sizes)
}

/// The filters that arrange a picture on a canvas of this size.
fn arranged(
    video: &VideoStream,
    composition: Option<Composition>,
    canvas: (u32, u32),
) -> Result<String, Error> {
    let Some(composition) = composition else {
        return Ok(format!("{},setsar=1", fit_filters(canvas)));
    };
    // The regions are in pixels of the first picture.
    let (width, height) = (video.width, video.height);
    let filters = composition.filters(video, canvas)?;
    Ok(format!("scale={width}:{height},{filters},setsar=1"))
}

/// The size of most frames: of the sizes that most others resemble the one with most frames. The
/// regions of a camera are found with some tolerance, so that it has several sizes over time.
fn most_frequent(sizes: &[((u32, u32), u64)]) -> (u32, u32) {
    let is_similar = |one: u32, other: u32| {
        f64::from(one.abs_diff(other)) <= MAX_SIZE_DIFFERENCE * f64::from(one.max(other))
    };
    let frames_of = |is_counted: &dyn Fn((u32, u32)) -> bool| -> u64 {
        let counted = sizes.iter().filter(|(size, _)| is_counted(*size));
        counted.map(|(_, frames)| frames).sum()
    };
    let key = |size: (u32, u32)| {
        let similar =
            frames_of(&|other| is_similar(size.0, other.0) && is_similar(size.1, other.1));
        (similar, frames_of(&|other| other == size))
    };
    // Of equally frequent sizes, the first.
    let sizes = sizes.iter().rev().map(|(size, _)| *size);
    sizes.max_by_key(|size| key(*size)).unwrap_or((2, 2))
}

/// The parts of the clip, in order of time, each with at least two frames: `concat` cannot know
/// how long a single one is. A shorter part gets the arrangement that comes next, or at the end
/// of the clip the one before.
fn parts(frame_count: u64, rate: FrameRate, settings: &CutSettings) -> Vec<Part> {
    let mut parts = vec![Part {
        start_frame: 0,
        end_frame: frame_count,
        composition: settings.composition,
    }];
    for change in &settings.composition_changes {
        let composition = change.composition;
        let start_frame = frame_at(change.time, rate);
        let Some(last) = parts.last_mut() else {
            continue;
        };
        if start_frame.saturating_add(2) > frame_count || last.composition == composition {
            continue;
        }
        if start_frame < last.start_frame.saturating_add(2) {
            last.composition = composition;
            continue;
        }
        last.end_frame = start_frame;
        parts.push(Part {
            start_frame,
            end_frame: frame_count,
            composition,
        });
    }
    parts
}

/// The number of frames before a time in seconds.
pub(super) fn frame_at(seconds: f64, rate: FrameRate) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number of frames; the cast saturates"
    )]
    let frames = (seconds * rate.get()).round() as u64;
    frames
}

#[cfg(test)]
mod tests {
    use lectern_domain::Region;

    use super::super::encoding::CompositionChange;
    use super::*;

    #[test]
    fn a_clip_has_the_size_of_most_frames() {
        let (narrow, wide, wider, whole) = ((160, 360), (560, 360), (566, 360), (640, 360));
        assert_eq!(most_frequent(&[(whole, 5)]), whole);
        assert_eq!(
            most_frequent(&[(narrow, 42), (wide, 28), (whole, 20), (wider, 30)]),
            wider
        );
        assert_eq!(most_frequent(&[(narrow, 50), (whole, 50)]), narrow);
    }

    #[test]
    fn parts_follow_each_other_and_have_at_least_two_frames() {
        let rate = FrameRate {
            frames: 10,
            seconds: 1,
        };
        let crop = |x| Some(Composition::Crop(Region::new(x, 0, 8, 8).unwrap()));
        let parts_of = |changes: &[(f64, i32)]| -> Vec<_> {
            let change = |(time, x): &(f64, i32)| CompositionChange {
                time: *time,
                composition: crop(*x),
            };
            let settings = CutSettings {
                composition: crop(0),
                composition_changes: changes.iter().map(change).collect(),
                ..CutSettings::default()
            };
            let parts = parts(50, rate, &settings);
            let found = parts.iter().map(|part| {
                let x = (0..9).find(|x| part.composition == crop(*x)).unwrap();
                (part.start_frame, part.end_frame, x)
            });
            found.collect()
        };
        assert_eq!(parts_of(&[]), [(0, 50, 0)]);
        assert_eq!(
            parts_of(&[(1.0, 1), (2.5, 2)]),
            [(0, 10, 0), (10, 25, 1), (25, 50, 2)]
        );
        assert_eq!(parts_of(&[(0.1, 1), (4.9, 2)]), [(0, 50, 1)]);
        assert_eq!(
            parts_of(&[(1.0, 0), (2.0, 1), (2.1, 2)]),
            [(0, 20, 0), (20, 50, 2)]
        );
        assert_eq!(parts_of(&[(-1.0, 1), (1e300, 2)]), [(0, 50, 1)]);
    }
}
