//! ffmpeg and ffprobe.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use crate::{ChildError, Limits, Program};

/// How long a program may take to say its version.
const PATIENCE: Duration = Duration::from_secs(20);

/// The programs this crate runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tools {
    ffmpeg: PathBuf,
    ffprobe: PathBuf,
    version: String,
}

/// ffmpeg or ffprobe is not there, or does not run.
#[derive(Debug, thiserror::Error)]
#[error(
    "{tool} is needed and {} {reason}; install it with `apt install ffmpeg` (Debian, Ubuntu), \
     `dnf install ffmpeg-free` (Fedora) or `brew install ffmpeg` (macOS), or set {variable} to where it is",
    .tried.display()
)]
pub struct MissingTool {
    /// `ffmpeg` or `ffprobe`.
    pub tool: &'static str,
    /// Which environment variable names it.
    pub variable: &'static str,
    /// What was tried to run.
    pub tried: PathBuf,
    /// What happened then.
    pub reason: String,
}

impl Tools {
    /// The programs named by `LECTERN_FFMPEG` and `LECTERN_FFPROBE`, or else
    /// found on `PATH`. The error says what to install.
    pub fn find() -> Result<Self, MissingTool> {
        let named = |variable, name: &str| env::var_os(variable).unwrap_or_else(|| name.into());
        Self::at(
            named("LECTERN_FFMPEG", "ffmpeg"),
            named("LECTERN_FFPROBE", "ffprobe"),
        )
    }

    /// The programs at these paths, or of these names on `PATH`.
    pub fn at(
        ffmpeg: impl Into<OsString>,
        ffprobe: impl Into<OsString>,
    ) -> Result<Self, MissingTool> {
        let (ffmpeg, ffprobe) = (ffmpeg.into(), ffprobe.into());
        let version = version("ffmpeg", "LECTERN_FFMPEG", &ffmpeg)?;
        self::version("ffprobe", "LECTERN_FFPROBE", &ffprobe)?;
        Ok(Self {
            ffmpeg: ffmpeg.into(),
            ffprobe: ffprobe.into(),
            version,
        })
    }

    /// ffmpeg's version in its own words, such as `5.1.9-0+deb12u1`.
    pub fn version(&self) -> &str {
        &self.version
    }

    pub(crate) fn ffmpeg(&self) -> Program {
        Program::new(&self.ffmpeg)
    }

    pub(crate) fn ffprobe(&self) -> Program {
        Program::new(&self.ffprobe)
    }
}

/// Asks a program for its version: `ffmpeg version 5.1.9 Copyright …`.
fn version(
    tool: &'static str,
    variable: &'static str,
    path: &OsStr,
) -> Result<String, MissingTool> {
    let missing = |reason: String| MissingTool {
        tool,
        variable,
        tried: path.into(),
        reason,
    };
    let output = Program::new(path)
        .arg("-version")
        .output(&Limits::within(PATIENCE))
        .map_err(|error| match error {
            ChildError::NotFound(_) => missing("was not found".into()),
            error => missing(format!("does not run ({error})")),
        })?;
    let output = String::from_utf8_lossy(&output);
    let mut words = output.split_whitespace();
    match (words.next(), words.next(), words.next()) {
        (Some(name), Some("version"), Some(version)) if name == tool => Ok(version.to_owned()),
        _ => Err(missing(format!("is not {tool}"))),
    }
}
