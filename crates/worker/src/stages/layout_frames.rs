//! The frames in which the layout is found. The stage that detects silence decodes all pictures,
//! and samples them as well, so that the stage that analyses the layout does not decode the
//! recording again where the same worker runs both.

use lectern_media::{Error, FrameFile, Frames, MediaInfo};

use crate::failure::Failure;
use crate::recording_cache::FramesInScratch;
use crate::stage_handler::StageContext;

/// Number of frames sampled from a recording.
const SAMPLE_COUNT: u32 = 120;
/// Height of the sampled frames, in pixels.
const SAMPLE_HEIGHT: u32 = 144;

/// A file of the scratch space for the frames.
pub(super) fn new_file(context: &StageContext<'_>) -> Result<FramesInScratch, Failure> {
    let dir = context.scratch_space().dir("frames")?;
    let file = FrameFile::new(dir.path().join("frames"), SAMPLE_COUNT, SAMPLE_HEIGHT);
    Ok(FramesInScratch::new(file, dir))
}

/// The frames that this worker has sampled while it looked for silence. If it is doing so, waits
/// for them; otherwise samples them. `progress` gets the seconds done.
///
/// # Errors
///
/// [`Error::NoVideo`] if no frame can be read.
pub(super) fn take_or_sample(
    context: &StageContext<'_>,
    recording: &MediaInfo,
    progress: &mut dyn FnMut(f64),
) -> Result<Result<Frames, Error>, Failure> {
    let media = context.media();
    let sampled = context.sampled_frames()?.take(context.cancellation())?;
    Ok(match sampled {
        Some(frames) => media.read_frames(recording, &frames.file),
        None => media.sample_frames(recording, SAMPLE_COUNT, SAMPLE_HEIGHT, progress),
    })
}
