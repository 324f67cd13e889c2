//! One picture that stands for a clip.

use std::path::Path;

use crate::picture::{fit, shown_from_start};
use crate::seek::Entry;
use crate::{Error, FrameRate, Media, Probe};

/// A grid of times that is finer than anybody's idea of when a picture is taken.
const GRID: FrameRate = FrameRate {
    frames: 25,
    seconds: 1,
};

impl Media {
    /// Writes what is shown at `time` (in seconds; the last frame if it is past
    /// the end) as JPEG, `max_height` pixels high at most.
    pub fn thumbnail(
        &self,
        recording: &Probe,
        time: f64,
        max_height: u32,
        out: &Path,
    ) -> Result<(), Error> {
        let video = recording.video.as_ref().ok_or(Error::NoVideo)?;
        let (width, height) = fit(video, video.height.min(max_height));
        let time = time.clamp(0.0, recording.duration);
        let filter = format!(
            "{shown},scale={width}:{height},setsar=1,format=yuvj420p",
            shown = shown_from_start(GRID),
        );
        let ffmpeg = |entry: Entry| {
            self.telling_ffmpeg()
                .args(entry.input(&recording.path))
                .args(["-map", &format!("0:{}", video.index), "-vf", &filter])
                .args(["-frames:v", "1", "-c:v", "mjpeg", "-q:v", "3"])
                .args(["-f", "mjpeg"])
        };
        let from = (recording, time);
        self.write_from("make a thumbnail", from, &ffmpeg, out, &mut |_| {})
    }
}
