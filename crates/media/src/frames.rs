//! Small gray pictures out of a recording.

use crate::media::input;
use crate::picture::fit;
use crate::{ChildError, Error, Media, Probe, VideoStream};

/// Up to how many seconds from one frame to the next everything between them
/// is decoded; farther apart it is faster to seek for each (measured with 720p
/// and a key frame every 250 frames).
const NEAR: f64 = 8.0;

/// A picture of brightness, 0 black to 255 white, row by row from the top left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrayPicture {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// `width * height` bytes.
    pub data: Vec<u8>,
}

/// A picture and when it is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct GrayFrame {
    /// Where in the recording it was taken, in seconds.
    pub time: f64,
    /// The picture as it is shown: rotated, and with square pixels.
    pub picture: GrayPicture,
}

/// Frames of one recording, all of one size.
#[derive(Debug, Clone, PartialEq)]
pub struct Frames {
    /// Width of the recording's picture in pixels, as it is shown.
    pub source_width: u32,
    /// Height of the recording's picture in pixels, as it is shown.
    pub source_height: u32,
    /// The frames, in order.
    pub frames: Vec<GrayFrame>,
}

impl Media {
    /// Takes `count` frames, each in the middle of its part of the recording
    /// when that is cut into as many equal ones, `height` pixels high (made
    /// even) and as wide as the picture's shape asks. Of a damaged recording
    /// there may be fewer, but one at least.
    ///
    /// `progress` is told how many seconds of the recording are done.
    pub fn sample_frames(
        &self,
        recording: &Probe,
        count: u32,
        height: u32,
        progress: &mut dyn FnMut(f64),
    ) -> Result<Frames, Error> {
        let video = recording.video.as_ref().ok_or(Error::NoVideo)?;
        let mut taking = Taking::new(video, count, height, recording.duration);
        let done = if taking.step <= NEAR {
            self.decode_through(recording, video, &mut taking, progress)
        } else {
            self.seek_each(recording, video, &mut taking, progress)
        };
        match done {
            Err(ChildError::Failed { .. }) if !taking.frames.is_empty() => {}
            done => done.map_err(Error::while_doing("sample frames"))?,
        }
        if taking.frames.is_empty() {
            return Err(Error::NoVideo);
        }
        Ok(Frames {
            source_width: video.width,
            source_height: video.height,
            frames: taking.frames,
        })
    }

    /// Decodes everything once and keeps what is shown at the times.
    fn decode_through(
        &self,
        recording: &Probe,
        video: &VideoStream,
        taking: &mut Taking,
        progress: &mut dyn FnMut(f64),
    ) -> Result<(), ChildError> {
        // The grid begins at 0, so time is moved. Rounded up, a frame stands for
        // no time before its own.
        let filter = format!(
            "setpts=PTS-{first}/TB,fps=fps=1/{step}:start_time=0:round=up,{scale}",
            step = taking.step,
            first = taking.time(0),
            scale = taking.scale(),
        );
        self.ffmpeg()
            .args(input(&recording.path))
            .args(["-map", &format!("0:{}", video.index), "-vf", &filter])
            .args(["-frames:v", &taking.count.to_string()])
            .args(["-f", "rawvideo", "pipe:1"])
            .run(&self.limits, &mut |bytes| {
                taking.take(bytes, None);
                progress(taking.time(taking.frames.len()));
            })?;
        Ok(())
    }

    /// Seeks for each frame.
    fn seek_each(
        &self,
        recording: &Probe,
        video: &VideoStream,
        taking: &mut Taking,
        progress: &mut dyn FnMut(f64),
    ) -> Result<(), ChildError> {
        let mut damaged = None;
        for index in 0..taking.count as usize {
            let time = taking.time(index);
            let entry = self.entry(recording, time)?;
            let filter = format!("trim=start=0,{}", taking.scale());
            let done = self
                .ffmpeg()
                .args(entry.input(&recording.path))
                .args(["-map", &format!("0:{}", video.index), "-vf", &filter])
                .args(["-frames:v", "1", "-f", "rawvideo", "pipe:1"])
                .run(&self.limits, &mut |bytes| taking.take(bytes, Some(time)));
            taking.begun.clear();
            match done {
                Ok(_) => {}
                // Others may be found.
                Err(error @ ChildError::Failed { .. }) => damaged = Some(error),
                Err(error) => return Err(error),
            }
            progress(time);
        }
        damaged.map_or(Ok(()), Err)
    }
}

/// Puts frames together from the bytes of a pipe.
struct Taking {
    count: u32,
    /// Seconds from one frame to the next.
    step: f64,
    width: u32,
    height: u32,
    begun: Vec<u8>,
    frames: Vec<GrayFrame>,
}

impl Taking {
    fn new(video: &VideoStream, count: u32, height: u32, duration: f64) -> Self {
        let count = count.max(1);
        let height = (height / 2 * 2).max(2);
        let (width, height) = fit(video, height);
        Self {
            count,
            step: duration / f64::from(count),
            width,
            height,
            begun: Vec::new(),
            frames: Vec::new(),
        }
    }

    fn time(&self, index: usize) -> f64 {
        (index as f64 + 0.5) * self.step
    }

    fn scale(&self) -> String {
        format!("scale={}:{},setsar=1,format=gray", self.width, self.height)
    }

    /// Takes what came through the pipe; a frame without a `time` is the next
    /// in line.
    fn take(&mut self, bytes: &[u8], time: Option<f64>) {
        self.begun.extend_from_slice(bytes);
        let size = self.width as usize * self.height as usize;
        while self.begun.len() >= size {
            let rest = self.begun.split_off(size);
            let data = std::mem::replace(&mut self.begun, rest);
            let time = time.unwrap_or_else(|| self.time(self.frames.len()));
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
