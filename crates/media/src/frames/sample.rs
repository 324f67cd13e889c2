//! Small grayscale frames, evenly spread over a recording.

use std::fmt;
use std::sync::Arc;

use lectern_domain::TimeRange;

use super::frame_memory::{FRAME_MEMORY, Reservation};
use crate::error::Error;
use crate::ffmpeg::Media;
use crate::picture::{constant_size_options, square_pixel_size};
use crate::probe::{MediaInfo, VideoStream};
use crate::process::ChildError;

/// If the samples are at most this many seconds apart, decoding the whole recording
/// is faster than seeking to each sample. Measured with 720p and a key frame every
/// 250 frames.
const MAX_DECODED_STEP_SECONDS: f64 = 8.0;

/// A grayscale picture: 0 is black, 255 white. Rows follow each other from the
/// top, pixels from the left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrayPicture {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// `width * height` bytes.
    pub data: Vec<u8>,
}

/// A picture with its time.
#[derive(Debug, Clone, PartialEq)]
pub struct GrayFrame {
    /// Position in the recording, in seconds.
    pub time: f64,
    /// The displayed picture: rotated, and with square pixels.
    pub picture: GrayPicture,
}

/// Sampled frames of one recording, all of the same size.
#[derive(Clone)]
pub struct Frames {
    /// Displayed width of the recording's picture in pixels.
    pub source_width: u32,
    /// Displayed height of the recording's picture in pixels.
    pub source_height: u32,
    /// The frames in order of time.
    pub frames: Vec<GrayFrame>,
    _memory: Arc<Reservation>,
}

impl fmt::Debug for Frames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frames")
            .field("source_width", &self.source_width)
            .field("source_height", &self.source_height)
            .field("frames", &self.frames)
            .finish_non_exhaustive()
    }
}

impl Media {
    /// Divides the recording into `count` equal parts and samples the frame in
    /// the middle of each part. Frames are `height` pixels high (rounded down to an
    /// even number), and as wide as the picture's shape requires. A damaged
    /// recording may give fewer frames, but at least one.
    ///
    /// The frames of all recordings that this process samples share 64 MiB. If
    /// `count` frames would take more, fewer frames are sampled. This function waits
    /// until enough of the memory is free.
    ///
    /// `progress` gets the seconds of the recording that are done.
    pub fn sample_frames(
        &self,
        recording: &MediaInfo,
        count: u32,
        height: u32,
        progress: &mut dyn FnMut(f64),
    ) -> Result<Frames, Error> {
        let range = TimeRange::new(0.0, recording.duration).map_err(|_| Error::NoVideo)?;
        self.sample_frames_in(recording, range, count, height, progress)
    }

    /// Like [`sample_frames`](Self::sample_frames), for a range of the recording.
    pub fn sample_frames_in(
        &self,
        recording: &MediaInfo,
        range: TimeRange,
        count: u32,
        height: u32,
        progress: &mut dyn FnMut(f64),
    ) -> Result<Frames, Error> {
        let video = recording.video.as_ref().ok_or(Error::NoVideo)?;
        let mut collector = FrameCollector::new(video, count, height, range)?;
        let memory = FRAME_MEMORY
            .reserve(collector.memory_bytes(), &self.limits)
            .map_err(Error::from_child("sample frames"))?;
        let sampled = if collector.step <= MAX_DECODED_STEP_SECONDS {
            self.decode_range(recording, video, &mut collector, progress)
        } else {
            self.seek_to_each(recording, video, &mut collector, progress)
        };
        match sampled {
            Err(ChildError::Failed { .. }) if !collector.frames.is_empty() => {}
            sampled => sampled.map_err(Error::from_child("sample frames"))?,
        }
        collector.finish(recording, memory)
    }

    /// Decodes the whole range and keeps the frames at the sample times.
    fn decode_range(
        &self,
        recording: &MediaInfo,
        video: &VideoStream,
        collector: &mut FrameCollector,
        progress: &mut dyn FnMut(f64),
    ) -> Result<(), ChildError> {
        let point = self.seek_point(recording, collector.start)?;
        self.ffmpeg()
            .args(point.options())
            .args(constant_size_options(video))
            .args(self.input_options(&recording.path))
            .args(["-map", &format!("0:{}", video.index)])
            .args(["-vf", &collector.sampling_filters()])
            .args(["-frames:v", &collector.count.to_string()])
            .args(["-f", "rawvideo", "pipe:1"])
            .run(&self.limits, &mut |bytes| {
                collector.push(bytes, None);
                progress(collector.sample_time(collector.frames.len()));
            })?;
        Ok(())
    }

    /// Runs ffmpeg once for each sample.
    fn seek_to_each(
        &self,
        recording: &MediaInfo,
        video: &VideoStream,
        collector: &mut FrameCollector,
        progress: &mut dyn FnMut(f64),
    ) -> Result<(), ChildError> {
        let mut failure = None;
        for index in 0..collector.count as usize {
            let time = collector.sample_time(index);
            let point = self.seek_point(recording, time)?;
            let filter = format!("trim=start=0,{}", collector.scale_filters());
            let sampled = self
                .ffmpeg()
                .args(point.options())
                .args(constant_size_options(video))
                .args(self.input_options(&recording.path))
                .args(["-map", &format!("0:{}", video.index), "-vf", &filter])
                .args(["-frames:v", "1", "-f", "rawvideo", "pipe:1"])
                .run(&self.limits, &mut |bytes| collector.push(bytes, Some(time)));
            collector.unfinished.clear();
            match sampled {
                Ok(_) => {}
                // In a damaged recording, later samples may succeed.
                Err(error @ ChildError::Failed { .. }) => failure = Some(error),
                Err(error) => return Err(error),
            }
            progress(time);
        }
        failure.map_or(Ok(()), Err)
    }
}

/// Collects frames from the bytes of a pipe.
pub(super) struct FrameCollector {
    count: u32,
    /// The start of the range, in seconds.
    start: f64,
    /// Seconds between two samples.
    step: f64,
    width: u32,
    height: u32,
    /// The first bytes of the next frame.
    unfinished: Vec<u8>,
    frames: Vec<GrayFrame>,
}

impl FrameCollector {
    /// Fails if a single frame is larger than the memory for all frames.
    pub(super) fn new(
        video: &VideoStream,
        count: u32,
        height: u32,
        range: TimeRange,
    ) -> Result<Self, Error> {
        let height = (height / 2 * 2).max(2);
        let (width, height) = square_pixel_size(video, height);
        let max_count = FRAME_MEMORY.max_bytes / frame_bytes(width, height);
        if max_count == 0 {
            return Err(Error::FrameTooLarge { width, height });
        }
        let count = count.clamp(1, u32::try_from(max_count).unwrap_or(u32::MAX));
        Ok(Self {
            count,
            start: range.start(),
            step: range.duration() / f64::from(count),
            width,
            height,
            unfinished: Vec::new(),
            frames: Vec::new(),
        })
    }

    /// The bytes of all frames, including the unfinished frame.
    pub(super) fn memory_bytes(&self) -> usize {
        self.count as usize * frame_bytes(self.width, self.height)
    }

    /// The time of a sample in the recording, in seconds.
    fn sample_time(&self, index: usize) -> f64 {
        self.start + (index as f64 + 0.5) * self.step
    }

    /// The number of frames that are wanted, which may be less than was asked for.
    pub(super) fn count(&self) -> u32 {
        self.count
    }

    /// The filters that turn the pictures from the start of the range on into the frames.
    pub(super) fn sampling_filters(&self) -> String {
        format!("{},{}", middles_filter(self.step), self.scale_filters())
    }

    fn scale_filters(&self) -> String {
        format!("scale={}:{},setsar=1,format=gray", self.width, self.height)
    }

    /// The collected frames. Fails if there are none.
    pub(super) fn finish(
        self,
        recording: &MediaInfo,
        memory: Arc<Reservation>,
    ) -> Result<Frames, Error> {
        match &recording.video {
            Some(video) if !self.frames.is_empty() => Ok(Frames {
                source_width: video.width,
                source_height: video.height,
                frames: self.frames,
                _memory: memory,
            }),
            _ => Err(Error::NoVideo),
        }
    }

    /// Appends bytes from the pipe. A completed frame gets `time`, or else the time of
    /// the next sample. After `count` frames, all further bytes are discarded.
    pub(super) fn push(&mut self, mut bytes: &[u8], time: Option<f64>) {
        let size = frame_bytes(self.width, self.height);
        while !bytes.is_empty() && self.frames.len() < self.count as usize {
            // Doubling the capacity would take more memory than is reserved.
            self.unfinished.reserve_exact(size - self.unfinished.len());
            let missing = size - self.unfinished.len();
            let (next, rest) = bytes.split_at(missing.min(bytes.len()));
            self.unfinished.extend_from_slice(next);
            bytes = rest;
            if self.unfinished.len() == size {
                let data = std::mem::take(&mut self.unfinished);
                let time = time.unwrap_or_else(|| self.sample_time(self.frames.len()));
                let (width, height) = (self.width, self.height);
                let picture = GrayPicture {
                    width,
                    height,
                    data,
                };
                self.frames.push(GrayFrame { time, picture });
            }
        }
    }
}

/// The filters that sample the pictures in the middles of parts of `step` seconds.
pub(super) fn middles_filter(step: f64) -> String {
    // `fps` samples at multiples of the step, so the first sample time is moved to 0. With
    // `round=up`, a sample never shows a frame that starts after the sample's time.
    let first = step / 2.0;
    format!("setpts=PTS-{first}/TB,fps=fps=1/{step}:start_time=0:round=up")
}

/// Bytes of a grayscale frame.
fn frame_bytes(width: u32, height: u32) -> usize {
    (width as usize).saturating_mul(height as usize)
}
