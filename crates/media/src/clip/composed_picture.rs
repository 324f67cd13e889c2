//! The picture of a clip whose arrangement may change.

use super::encoding::CutSettings;
use crate::error::Error;
use crate::picture::{Composition, capped_height, fit_filters, square_pixel_size};
use crate::probe::{FrameRate, VideoStream};

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
    let height = capped_height(video, settings.resolution);
    let size = |composition: Option<Composition>| {
        composition.map_or_else(
            || square_pixel_size(video, height),
            |composition| composition.size(video, height),
        )
    };
    let frames_of_size = |size_of_clip: (u32, u32)| -> u64 {
        let same = parts
            .iter()
            .filter(|part| size(part.composition) == size_of_clip);
        same.map(|part| part.end_frame - part.start_frame).sum()
    };
    let sizes = parts.iter().map(|part| size(part.composition));
    // Of equally frequent sizes, the first.
    let Some(canvas) = sizes.rev().max_by_key(|size| frames_of_size(*size)) else {
        return Ok("null".into());
    };
    let arranged = |part: &Part| match part.composition {
        None => Ok(format!("{},setsar=1", fit_filters(canvas))),
        Some(composition) => {
            // The regions are in pixels of the first picture.
            let (width, height) = (video.width, video.height);
            let filters = composition.filters(video, canvas)?;
            Ok(format!("scale={width}:{height},{filters},setsar=1"))
        }
    };
    if let [part] = &parts[..] {
        return arranged(part);
    }
    let labels = |name: &str| -> String {
        let label = |i: usize| ["[", name, &i.to_string(), "]"].concat();
        (0..parts.len()).map(label).collect()
    };
    let branch = |(i, part): (usize, &Part)| {
        let (start, end) = (part.start_frame, part.end_frame);
        // Labels have to be different within a graph.
        let filters = arranged(part)?.replace(']', &format!("{i}]"));
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
