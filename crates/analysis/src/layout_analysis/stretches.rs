//! Divides a recording into stretches with one layout each.
//!
//! The frames of a window are classified as a recording of their own, in windows that overlap.
//! Windows with about the same camera rectangle have the same camera. [`BlockMeans::cameras`]
//! then says for each frame which of these cameras is in the picture. Consecutive frames with the
//! same camera, or without one, are a stretch, which is classified again. A camera that is not
//! found again is left out.
//!
//! A moving area on top of the screen may also be a video on a slide: it begins and ends with
//! this slide, while the camera stays when the slide changes.

use std::ops::Range;

use lectern_domain::LayoutType::{CameraOnly, PictureInPicture, ScreenOnly};

use super::classify::{Classification, MAX_VIDEO_CONFIDENCE, classify};
use super::motion::{Motion, fraction_true};
use super::presence::BlockMeans;
use super::rectangle::Rectangle;
use super::sampling::{SampledFrame, SampledFrames, pair_step};

/// The number of frames of a window, without the distance of the frames of a pair.
const WINDOW: usize = 11;
/// Frames from the start of a window to the start of the next one.
const WINDOW_DISTANCE: usize = 4;
/// The smallest confidence of a window without a screen. It is higher than for a recording:
/// slides and a camera in turns look like a camera.
const MIN_CAMERA_ONLY: f64 = 0.6;
/// Rectangles of the same camera overlap by at least this fraction of their union.
const MIN_OVERLAP: f64 = 0.6;
/// The fraction of the windows in a run that a camera has to be found in, if it is not found in
/// the run as a whole: more than this.
const MIN_WINDOW_SHARE: f64 = 0.5;
/// A video on a slide takes less than this fraction of the recording.
const MAX_VIDEO_TIME: f64 = 0.5;
/// How far a change of the slide may be from the start or the end of a video, in frames.
const MAX_SLIDE_CHANGE_DISTANCE: usize = 2;
/// The highest confidence of a stretch that is too short to be classified.
const MAX_SHORT_CONFIDENCE: f64 = 0.6;

/// Consecutive frames, and their layout.
#[derive(Debug, Clone)]
pub(super) struct Stretch {
    pub(super) frames: Range<usize>,
    pub(super) found: Classification,
}

/// A camera in some windows.
struct Candidate {
    /// In the window with the highest confidence.
    found: Classification,
    rectangle: Rectangle,
    windows: Vec<Range<usize>>,
}

/// The stretches of all frames, at least one if there are frames.
pub(super) fn find_stretches(frames: &[SampledFrame]) -> Vec<Stretch> {
    let all = SampledFrames::select(frames);
    let whole = classify(&all);
    let single = |found| {
        vec![Stretch {
            frames: 0..frames.len(),
            found,
        }]
    };
    let step = pair_step(frames);
    let window = WINDOW + step;
    if frames.len() < 2 * window {
        return single(whole);
    }
    let mut candidates = Vec::new();
    if let Some(rectangle) = whole.camera {
        add_candidate(&mut candidates, whole, rectangle, 0..frames.len());
    }
    let windows: Vec<_> = (0..=frames.len() - window)
        .step_by(WINDOW_DISTANCE)
        .map(|start| start..start + window)
        .collect();
    for range in &windows {
        let found = classify(&SampledFrames::select(&frames[range.clone()]));
        let is_certain = found.layout != CameraOnly || found.confidence >= MIN_CAMERA_ONLY;
        if let Some(rectangle) = found.camera.filter(|_| is_certain) {
            add_candidate(&mut candidates, found, rectangle, range.clone());
        }
    }
    let means = BlockMeans::new(frames, Motion::detect(&all).threshold, step);
    let candidates = confirmed(candidates, frames, &means, &windows);
    let runs = runs_of(&means, &candidates);
    let (mut cameras, mut videos) = (Vec::new(), Vec::new());
    for (index, candidate) in candidates.into_iter().enumerate() {
        if is_video(index, &candidate, &runs, &means) {
            videos.push(candidate);
        } else {
            cameras.push(candidate);
        }
    }
    let classifier = StretchClassifier {
        frames,
        whole,
        candidates: &cameras,
        videos: &videos,
    };
    classifier.stretches(runs_of(&means, &cameras))
}

/// Adds a window's camera to the candidate that it resembles, or as a new one.
fn add_candidate(
    candidates: &mut Vec<Candidate>,
    found: Classification,
    rectangle: Rectangle,
    window: Range<usize>,
) {
    let same = candidates
        .iter_mut()
        .find(|candidate| candidate.rectangle.overlap(rectangle) >= MIN_OVERLAP);
    let Some(candidate) = same else {
        candidates.push(Candidate {
            found,
            rectangle,
            windows: vec![window],
        });
        return;
    };
    candidate.windows.push(window);
    if found.confidence > candidate.found.confidence {
        candidate.found = found;
        candidate.rectangle = rectangle;
    }
}

/// Consecutive frames with the same candidate in the picture, or with none.
type Run = (Range<usize>, Option<usize>);

fn runs_of(means: &BlockMeans, candidates: &[Candidate]) -> Vec<Run> {
    let cameras: Vec<_> = candidates
        .iter()
        .map(|candidate| {
            let windows = candidate.windows.iter().cloned();
            (candidate.rectangle, windows.flatten().collect())
        })
        .collect();
    let mut runs: Vec<Run> = Vec::new();
    for (frame, camera) in means.cameras(&cameras).into_iter().enumerate() {
        match runs.last_mut() {
            Some((frames, last)) if *last == camera => frames.end = frame + 1,
            _ => runs.push((frame..frame + 1, camera)),
        }
    }
    runs
}

/// Leaves out candidates, the worst first, until all others are found again in the frames in
/// which they are in the picture: in the longest run as a whole, or in most windows inside it.
///
/// A window that begins with one layout and ends with another may have a camera that is in
/// neither.
fn confirmed(
    mut candidates: Vec<Candidate>,
    frames: &[SampledFrame],
    means: &BlockMeans,
    windows: &[Range<usize>],
) -> Vec<Candidate> {
    loop {
        let runs = runs_of(means, &candidates);
        let shares = candidates.iter().enumerate().map(|(index, candidate)| {
            let of_candidate = runs.iter().filter(|(_, camera)| *camera == Some(index));
            let longest = of_candidate.max_by_key(|(frames, _)| frames.len());
            let Some((run, _)) = longest else {
                return 0.0;
            };
            let is_inside =
                |window: &&Range<usize>| run.start <= window.start && window.end <= run.end;
            let inside = windows.iter().filter(is_inside);
            let found = fraction_true(inside.map(|window| candidate.windows.contains(window)));
            let as_a_whole = classify(&SampledFrames::select(&frames[run.clone()]));
            if as_a_whole.resembles(&candidate.found, MIN_OVERLAP) {
                1.0
            } else {
                found
            }
        });
        let shares: Vec<f64> = shares.collect();
        let worst = (0..shares.len()).min_by(|&a, &b| shares[a].total_cmp(&shares[b]));
        match worst {
            Some(worst) if shares[worst] <= MIN_WINDOW_SHARE => drop(candidates.remove(worst)),
            _ => return candidates,
        }
    }
}

/// Whether a candidate is a video on a slide: each of its runs begins and ends with a change of
/// the slide, and has none in between.
fn is_video(index: usize, candidate: &Candidate, runs: &[Run], means: &BlockMeans) -> bool {
    let total = runs.last().map_or(0, |(frames, _)| frames.end);
    let of_candidate = || {
        let runs = runs.iter().filter(|(_, camera)| *camera == Some(index));
        runs.map(|(frames, _)| frames.clone())
    };
    let time: usize = of_candidate().map(|frames| frames.len()).sum();
    if candidate.found.layout != PictureInPicture
        || time == 0
        || time as f64 >= MAX_VIDEO_TIME * total as f64
    {
        return false;
    }
    let changes = |frames: Range<usize>| means.slide_changes(frames, candidate.rectangle);
    // A frame is compared with a later one, so that a change is seen before it.
    let near = |frame: usize| {
        let start = frame.saturating_sub(MAX_SLIDE_CHANGE_DISTANCE + means.step());
        start..frame + MAX_SLIDE_CHANGE_DISTANCE
    };
    of_candidate().all(|frames| {
        let inside = near(frames.start).end..near(frames.end).start;
        frames.start > 0
            && frames.end < total
            && changes(near(frames.start))
            && changes(near(frames.end))
            && !changes(inside)
    })
}

struct StretchClassifier<'a> {
    frames: &'a [SampledFrame],
    /// The classification of all frames.
    whole: Classification,
    candidates: &'a [Candidate],
    videos: &'a [Candidate],
}

impl StretchClassifier<'_> {
    fn stretches(&self, runs: Vec<Run>) -> Vec<Stretch> {
        let mut stretches: Vec<Stretch> = Vec::new();
        let is_one = runs.len() == 1;
        let runs = runs.into_iter().map(|(frames, camera)| {
            let found = self.classify(
                &frames,
                camera
                    // Whether one camera is all that moves is decided by all frames.
                    .filter(|_| !is_one)
                    .map(|camera| &self.candidates[camera]),
            );
            Stretch { frames, found }
        });
        for stretch in runs {
            match stretches.last_mut() {
                Some(last) if last.found.resembles(&stretch.found, MIN_OVERLAP) => {
                    last.frames.end = stretch.frames.end;
                    last.found = self.classify(&last.frames, None).or(last.found);
                }
                _ => stretches.push(stretch),
            }
        }
        self.describe_short_screens(&mut stretches);
        stretches
    }

    /// The layout of consecutive frames with this camera in the picture, or without one.
    fn classify(&self, frames: &Range<usize>, camera: Option<&Candidate>) -> Classification {
        let found = if frames.len() == self.frames.len() {
            self.whole
        } else {
            classify(&SampledFrames::select(&self.frames[frames.clone()]))
        };
        if let Some(camera) = camera {
            return if found.resembles(&camera.found, MIN_OVERLAP) {
                found
            } else {
                camera.found
            };
        }
        let is_video = |rectangle: Rectangle| {
            let mut videos = self.videos.iter();
            videos.any(|video| video.rectangle.overlap(rectangle) >= MIN_OVERLAP)
        };
        if found.camera.is_some_and(is_video) {
            return Classification {
                layout: ScreenOnly,
                camera: None,
                confidence: found.confidence.min(MAX_VIDEO_CONFIDENCE),
                ..found
            };
        }
        found
    }

    /// Gives stretches that are too short to be classified the layout of another stretch with a
    /// screen only, because no camera was found in them.
    fn describe_short_screens(&self, stretches: &mut [Stretch]) {
        let window = WINDOW + pair_step(self.frames);
        let screens = stretches
            .iter()
            .map(|stretch| stretch.found)
            .filter(|found| found.layout == ScreenOnly);
        let Some(screen) = screens.max_by(|a, b| a.confidence.total_cmp(&b.confidence)) else {
            return;
        };
        for stretch in stretches {
            if stretch.found.is_unknown() && stretch.frames.len() < window {
                stretch.found = Classification {
                    confidence: screen.confidence.min(MAX_SHORT_CONFIDENCE),
                    ..screen
                };
            }
        }
    }
}
