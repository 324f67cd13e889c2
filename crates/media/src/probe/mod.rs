//! Examining a recording.

mod chapters;
mod check_limits;
mod ffprobe;
mod matroska;
mod recording;
mod rewrite;
mod stream_clock;

use std::fs;
use std::path::{self, Path};

pub use self::chapters::Chapter;
pub use self::recording::{
    AudioStream, FieldOrder, FrameRate, HdrTransfer, MediaInfo, StereoChannel, SubtitleStream,
    VideoStream,
};
use crate::error::ProbeError;
use crate::ffmpeg::Media;
use crate::process::ChildError;

impl Media {
    /// Reads the headers of a file, and checks them against the
    /// [`RecordingLimits`](crate::RecordingLimits). If the headers have no duration, or a
    /// duration that does not fit the size of the file, the duration is measured: all
    /// packets are read, but not decoded.
    ///
    /// The other operations need a recording with one clock: one that has
    /// [`has_clock_restarts`](MediaInfo::has_clock_restarts) has to be rewritten by
    /// [`Media::join_clocks`].
    pub fn probe(&self, path: &Path) -> Result<MediaInfo, ProbeError> {
        let io = |source| ProbeError::Io {
            path: path.to_owned(),
            source,
        };
        let not_media = |reason: &str| ProbeError::NotMedia(reason.to_owned());
        let metadata = fs::metadata(path).map_err(io)?;
        // Reading a pipe or a device could block for ever.
        if !metadata.is_file() {
            return Err(not_media("it is not a file"));
        }
        if metadata.len() == 0 {
            return Err(not_media("the file is empty"));
        }
        let path = path::absolute(path).map_err(io)?;
        let output = self
            .tools
            .ffprobe()
            .args(["-v", "error", "-of", "json"])
            .args(["-show_format", "-show_streams"])
            .args(self.input_options(&path))
            .output(&self.limits)
            .map_err(|error| self.probe_error(error, &path))?;
        let headers = ffprobe::read(&output)?;
        check_limits::check_tracks(&headers, &self.recording_limits)?;
        let mut probe = MediaInfo {
            duration: headers.duration.unwrap_or(0.0),
            start: headers.start,
            size: metadata.len(),
            format_name: headers.format_name,
            video: headers.video,
            picture_end: headers.picture_end,
            audio: headers.audio,
            has_clock_restarts: false,
            audio_tracks: headers.audio_tracks,
            subtitles: headers.subtitles,
            path,
        };
        if probe.video.is_none() && probe.audio.is_none() {
            return Err(not_media("it has neither picture nor sound"));
        }
        let is_truncated = probe.format_name.starts_with("matroska")
            && matroska::expected_size(&probe.path)
                .map_err(io)?
                .is_some_and(|expected| expected > probe.size);
        probe.has_clock_restarts =
            stream_clock::may_restart(&probe.path, &probe.format_name).map_err(io)?;
        if probe.has_clock_restarts {
            probe.duration = self.measure_duration(&probe)?;
        } else if is_truncated || !check_limits::is_credible(probe.duration, probe.size) {
            let measured = self.measure_duration(&probe)?;
            let claimed = headers.duration.filter(|_| !is_truncated);
            probe.duration = check_limits::confirmed_duration(claimed, measured);
        }
        check_limits::check_duration(probe.duration, &self.recording_limits)?;
        Ok(probe)
    }

    /// The time of the last packet, in seconds. The recording ends at most one frame
    /// later.
    fn measure_duration(&self, probe: &MediaInfo) -> Result<f64, ProbeError> {
        let tracks = [
            probe.video.as_ref().map(|video| video.index),
            probe.audio.as_ref().map(|audio| audio.index),
        ];
        let mut ffmpeg = self
            .ffmpeg_with_progress()
            .args(self.input_options(&probe.path));
        for track in tracks.into_iter().flatten() {
            ffmpeg = ffmpeg.args(["-map", &format!("0:{track}")]);
        }
        let mut duration: f64 = 0.0;
        let ffmpeg = ffmpeg.args(["-c", "copy", "-f", "null", "-"]);
        self.run_with_progress(
            ffmpeg,
            &mut |seconds| duration = duration.max(seconds),
            &mut |_| {},
        )
        .map_err(|error| self.probe_error(error, &probe.path))?;
        if duration <= 0.0 {
            return Err(ProbeError::NotMedia("it has no timestamps".into()));
        }
        Ok(duration)
    }

    /// Converts the error of a tool. If the tool exited with an error, the file is
    /// beyond a limit or not a recording. The reasons are the lines on stderr,
    /// without ffmpeg's memory addresses and without the path, which the caller
    /// knows.
    fn probe_error(&self, error: ChildError, path: &Path) -> ProbeError {
        let ChildError::Failed {
            status,
            stderr_tail,
            ..
        } = &error
        else {
            return ProbeError::Child(error);
        };
        // A signal says nothing about the file.
        if status.code().is_none() {
            return ProbeError::Child(error);
        }
        if let Some(format) = check_limits::unsupported_format_in(stderr_tail) {
            return ProbeError::UnsupportedFormat(format.to_owned());
        }
        let stderr = stderr_tail.replace(&format!("file:{}: ", path.display()), "");
        let reasons: Vec<&str> = stderr
            .lines()
            .map(|line| match line.split_once("] ") {
                Some((source, reason)) if source.starts_with('[') => reason,
                _ => line,
            })
            .collect();
        let reasons = reasons.join("; ");
        check_limits::limit_in(&reasons, &self.recording_limits)
            .unwrap_or(ProbeError::NotMedia(reasons))
    }
}
