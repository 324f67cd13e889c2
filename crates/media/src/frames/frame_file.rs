//! Frames that are sampled while the recording is decoded for something else.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::path::{self, Path, PathBuf};

use lectern_domain::TimeRange;

use super::frame_memory::FRAME_MEMORY;
use super::sample::{FrameCollector, Frames};
use crate::error::Error;
use crate::ffmpeg::{Media, file_url};
use crate::probe::MediaInfo;

/// How many bytes of a file are read at once.
const BUFFER_BYTES: usize = 64 << 10;
/// The frames are written with the rate 1,000,000 per second, so that they do not count as
/// progress: they stand for much longer times, and ffmpeg reports the latest end of all outputs.
pub(super) const WRITTEN_RATE: &str = "1000000";

/// A file with the frames of a recording that [`Media::sample_frames`] would return.
/// [`Media::detect_silence_and_sample`] writes it, and [`Media::read_frames`] reads it.
#[derive(Debug, Clone)]
pub struct FrameFile {
    path: PathBuf,
    count: u32,
    height: u32,
}

impl FrameFile {
    /// A file for this number of frames of this height in pixels. It is at most 64 MiB long.
    pub fn new(path: impl Into<PathBuf>, count: u32, height: u32) -> Self {
        Self {
            path: path.into(),
            count,
            height,
        }
    }

    /// The path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn collector(&self, recording: &MediaInfo) -> Result<FrameCollector, Error> {
        let video = recording.video.as_ref().ok_or(Error::NoVideo)?;
        let all = TimeRange::new(0.0, recording.duration).map_err(|_| Error::NoVideo)?;
        FrameCollector::new(video, self.count, self.height, all)
    }

    /// ffmpeg's arguments for an output that samples the frames from the beginning of the
    /// recording on. None if it has no picture, or frames of that height would be too large.
    pub(crate) fn output_options(&self, recording: &MediaInfo) -> Result<Vec<OsString>, Error> {
        let (Ok(collector), Some(video)) = (self.collector(recording), &recording.video) else {
            return Ok(Vec::new());
        };
        let path = path::absolute(&self.path)
            .map_err(Error::io("resolve the path", self.path.as_path()))?;
        let track = format!("0:{}", video.index);
        let filters = format!(
            "{},settb=1/{WRITTEN_RATE},setpts=N",
            collector.sampling_filters()
        );
        let count = collector.count().to_string();
        let mut options: Vec<_> = [
            ["-map", &track],
            ["-vf", &filters],
            ["-frames:v", &count],
            ["-r", WRITTEN_RATE],
            ["-f", "rawvideo"],
        ]
        .as_flattened()
        .iter()
        .map(OsString::from)
        .collect();
        options.push(file_url(&path));
        Ok(options)
    }
}

impl Media {
    /// The frames in a file, as [`Media::sample_frames`] returns them. Waits until enough of the
    /// memory for frames is free.
    ///
    /// # Errors
    ///
    /// [`Error::NoVideo`] if the file has no frame; and if it cannot be read.
    pub fn read_frames(&self, recording: &MediaInfo, file: &FrameFile) -> Result<Frames, Error> {
        let mut collector = file.collector(recording)?;
        let memory = FRAME_MEMORY
            .reserve(collector.memory_bytes(), &self.limits)
            .map_err(Error::from_child("read frames"))?;
        let failed = || Error::io("read frames", file.path.as_path());
        let mut content = File::open(&file.path).map_err(failed())?;
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            let length = content.read(&mut buffer).map_err(failed())?;
            if length == 0 {
                break;
            }
            collector.push(&buffer[..length], None);
        }
        collector.finish(recording, memory)
    }
}
