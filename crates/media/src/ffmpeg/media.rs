//! The tools together with the limits of one piece of work.

use std::ffi::OsString;
use std::fs;
use std::path::{self, Path};

use super::input_options::{file_url, input_options};
use super::tools::Tools;
use crate::error::Error;
use crate::process::{ChildError, Limits, LineBuffer, Program};
use crate::recording_limits::RecordingLimits;

/// All operations on recordings, within [`Limits`].
///
/// An operation that fails, is cancelled or runs out of time leaves no output
/// file.
#[derive(Debug, Clone)]
pub struct Media {
    pub(crate) tools: Tools,
    pub(crate) limits: Limits,
    pub(crate) recording_limits: RecordingLimits,
}

impl Media {
    /// Runs these tools within these limits.
    pub fn new(tools: &Tools, limits: Limits) -> Self {
        Self {
            tools: tools.clone(),
            limits,
            recording_limits: RecordingLimits::default(),
        }
    }

    /// Replaces the default limits of recordings.
    pub fn with_recording_limits(self, recording_limits: RecordingLimits) -> Self {
        Self {
            recording_limits,
            ..self
        }
    }

    /// The arguments for reading a recording: options, then `-i` and the file. The path
    /// must be absolute.
    pub(crate) fn input_options(&self, path: &Path) -> Vec<OsString> {
        input_options(path, &self.recording_limits)
    }

    /// An ffmpeg command that writes only errors to stderr.
    pub(crate) fn ffmpeg(&self) -> Program {
        let quiet = ["-hide_banner", "-nostdin", "-nostats", "-v", "error", "-y"];
        self.tools.ffmpeg().args(quiet)
    }

    /// Like [`Media::ffmpeg`], and reports the progress on stdout.
    pub(crate) fn ffmpeg_with_progress(&self) -> Program {
        self.ffmpeg().args(["-progress", "pipe:1"])
    }

    /// Runs a command from [`Media::ffmpeg_with_progress`]. `progress` gets the
    /// seconds done, `on_line` all remaining lines of stdout. Returns the last lines of
    /// stderr.
    pub(crate) fn run_with_progress(
        &self,
        ffmpeg: Program,
        progress: &mut dyn FnMut(f64),
        on_line: &mut dyn FnMut(&str),
    ) -> Result<String, ChildError> {
        let mut lines = LineBuffer::default();
        ffmpeg.run(&self.limits, &mut |bytes| {
            lines.push(bytes, |line| match seconds_done(line) {
                Some(seconds) => progress(seconds),
                None => on_line(line),
            });
        })
    }

    /// Runs a command from [`Media::ffmpeg_with_progress`] that writes the file
    /// `out`, which becomes its last argument. If the command fails, removes the file.
    pub(crate) fn write(
        &self,
        doing: &'static str,
        ffmpeg: Program,
        out: &Path,
        progress: &mut dyn FnMut(f64),
    ) -> Result<(), Error> {
        let out = path::absolute(out).map_err(Error::io("resolve the path", out))?;
        let ran = self.run_with_progress(ffmpeg.arg(file_url(&out)), progress, &mut |_| {});
        ran.map(drop).map_err(|source| {
            // The file may not exist yet.
            let _ = fs::remove_file(&out);
            Error::Child { doing, source }
        })
    }
}

/// Parses the seconds of output written so far from a line of `-progress`. The
/// line has microseconds, or `N/A` before the first frame.
fn seconds_done(line: &str) -> Option<f64> {
    let micros: f64 = line.strip_prefix("out_time_us=")?.trim().parse().ok()?;
    (micros >= 0.0).then_some(micros / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_number_of_microseconds_is_progress() {
        assert_eq!(seconds_done("out_time_us=1500000"), Some(1.5));
        for line in [
            "out_time_us=N/A",
            "out_time_us=-23",
            "out_time=00:00:01.5",
            "progress=end",
        ] {
            assert_eq!(seconds_done(line), None, "{line}");
        }
    }
}
