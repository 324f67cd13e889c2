//! Seeking: where ffmpeg has to start reading to decode the picture and the sound
//! of a given time.

use std::ffi::OsString;
use std::path::Path;

use crate::error::Error;
use crate::ffmpeg::{Media, is_sound_format_change};
use crate::probe::{MediaInfo, VideoStream};
use crate::process::{ChildError, LineBuffer, Program};

/// Containers in which ffmpeg seeks to the exact time, and then can decode nothing
/// before the next key frame. In all other containers, ffmpeg seeks to the key frame
/// before the time.
const WITHOUT_KEY_FRAME_SEEK: [&str; 2] = ["mpegts", "mpeg"];
/// How long before the wanted time the first search for a key frame starts, in
/// seconds. Most encoders write a key frame at least every ten seconds; if no key frame
/// is found, the distance grows.
const FIRST_SEARCH_SECONDS: f64 = 12.0;
/// Greatest distance in the file, in seconds, between a key frame and the sound
/// that is played with it.
const INTERLEAVING_SECONDS: f64 = 1.0;
/// ffmpeg's default threshold: ffmpeg takes a jump of the timestamps by more than this
/// many seconds for a discontinuity.
const DISCONTINUITY_SECONDS: f64 = 10.0;

/// A time in the recording, and where to start reading for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SeekPoint {
    /// Where ffmpeg starts reading, in seconds.
    read_from: f64,
    /// The wanted time, in seconds. The filters see this time as 0.
    time: f64,
}

impl SeekPoint {
    /// Reads from the beginning of the recording.
    fn beginning(time: f64) -> Self {
        Self {
            read_from: 0.0,
            time,
        }
    }

    /// The options in front of [`Media::input_options`]. The filters get everything
    /// from the key frame on; frames before the wanted time have negative
    /// timestamps.
    pub(crate) fn options(self) -> Vec<OsString> {
        let mut options: Vec<OsString> = Vec::new();
        // In a file without an index even seeking to 0 fails: ffmpeg searches for
        // the index up to the end of the file, and does not return to the start.
        if self.read_from > 0.0 {
            options.extend(["-noaccurate_seek", "-ss"].map(OsString::from));
            options.push(self.read_from.to_string().into());
        }
        // ffmpeg removes discontinuities, which broadcasts have. ffmpeg must not take
        // the negative timestamps before the wanted time for a discontinuity.
        let threshold = self.time + DISCONTINUITY_SECONDS;
        for (option, seconds) in [
            ("-dts_delta_threshold", threshold),
            ("-itsoffset", self.read_from - self.time),
        ] {
            options.extend([option.into(), seconds.to_string().into()]);
        }
        options
    }
}

impl Media {
    /// Writes a file, reading from the key frame before `time`. `command` returns
    /// the ffmpeg command for a seek point. If ffmpeg fails, as with a damaged index or
    /// when a track has no packets, it runs again from the beginning of the
    /// recording.
    pub(crate) fn write_after_seek(
        &self,
        doing: &'static str,
        recording: &MediaInfo,
        time: f64,
        command: &dyn Fn(SeekPoint) -> Program,
        out: &Path,
        progress: &mut dyn FnMut(f64),
    ) -> Result<(), Error> {
        let mut write = |point| {
            let ffmpeg = command(point).args(["-abort_on", "empty_output_stream"]);
            self.write(doing, ffmpeg, out, progress)
        };
        let point = self
            .seek_point(recording, time)
            .map_err(Error::from_child(doing))?;
        let written = write(point);
        match written.as_ref().map_err(Error::child) {
            Err(Some(error @ ChildError::Failed { status, .. }))
                if point.read_from > 0.0
                    && status.code().is_some()
                    && !is_sound_format_change(error) =>
            {
                write(SeekPoint::beginning(time))
            }
            _ => written,
        }
    }

    /// Finds where to start reading for the picture and sound at `time`.
    pub(crate) fn seek_point(
        &self,
        recording: &MediaInfo,
        time: f64,
    ) -> Result<SeekPoint, ChildError> {
        let needs_search = !has_key_frame_seek(recording);
        let Some(video) = recording.video.as_ref().filter(|_| needs_search) else {
            return Ok(SeekPoint {
                read_from: time,
                time,
            });
        };
        let mut distance = FIRST_SEARCH_SECONDS;
        while distance < time {
            let key_frame = self.last_key_frame(recording, video, time - distance, time)?;
            if let Some(key_frame) = key_frame {
                let read_from = (key_frame - INTERLEAVING_SECONDS).max(0.0);
                return Ok(SeekPoint { read_from, time });
            }
            distance *= 4.0;
        }
        Ok(SeekPoint::beginning(time))
    }

    /// The decoding time of the last key frame that is shown between `from` and
    /// `to`. `None` if there is no such frame or ffprobe fails.
    fn last_key_frame(
        &self,
        recording: &MediaInfo,
        video: &VideoStream,
        from: f64,
        to: f64,
    ) -> Result<Option<f64>, ChildError> {
        let [from, to] = [from, to].map(|time| time + recording.start);
        let mut last = None;
        let mut lines = LineBuffer::default();
        let ran = self
            .tools
            .ffprobe()
            .args(["-v", "error", "-select_streams", &video.index.to_string()])
            .args(["-read_intervals", &format!("{from}%{to}")])
            .args(["-show_entries", "packet=pts_time,dts_time,flags"])
            .args(["-of", "csv=p=0"])
            .args(self.input_options(&recording.path))
            .run(&self.limits, &mut |bytes| {
                lines.push(bytes, |line| match key_frame_timestamps(line) {
                    Some((pts, dts)) if pts <= to => last = Some(dts - recording.start),
                    _ => {}
                });
            });
        match ran {
            Err(ChildError::Failed { .. }) => Ok(None),
            ran => ran.map(|_| last),
        }
    }
}

/// Whether ffmpeg seeks to the key frame before a time.
pub(crate) fn has_key_frame_seek(recording: &MediaInfo) -> bool {
    !WITHOUT_KEY_FRAME_SEEK.contains(&recording.format_name.as_str())
}

/// The presentation and decoding timestamps of a key frame, in seconds, from a line
/// such as `11.48,11.4,K_`. `None` for other frames.
fn key_frame_timestamps(line: &str) -> Option<(f64, f64)> {
    let mut fields = line.split(',');
    let mut next = || fields.next();
    let [pts, dts] = [next()?, next()?].map(|time| time.parse::<f64>().ok());
    if !next()?.starts_with('K') {
        return None;
    }
    let pts = pts.or(dts)?;
    Some((pts, dts.unwrap_or(pts).min(pts)))
}
