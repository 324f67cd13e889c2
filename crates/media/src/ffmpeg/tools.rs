//! Finding ffmpeg and ffprobe.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use lectern_domain::error_chain;

use crate::process::{ChildError, Confinement, Limits, Program};

/// Environment variable with the path of ffmpeg.
const FFMPEG_VARIABLE: &str = "LECTERN_FFMPEG";
/// Environment variable with the path of ffprobe.
const FFPROBE_VARIABLE: &str = "LECTERN_FFPROBE";

/// Environment variable with the command of the sandbox.
const SANDBOX_VARIABLE: &str = "LECTERN_SANDBOX";

/// Largest single allocation of the tools, in bytes. A plane of the largest frame and the
/// index of a recording of 24 hours need less.
const MAX_ALLOCATION_BYTES: &str = "536870912";

/// How long a tool may take to print its version.
const VERSION_TIMEOUT: Duration = Duration::from_secs(20);

/// Usable ffmpeg and ffprobe programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tools {
    ffmpeg: PathBuf,
    ffprobe: PathBuf,
    version: String,
    has_x264: bool,
    has_zimg: bool,
    confinement: Confinement,
}

/// A tool does not exist, does not run, or lacks a feature.
#[derive(Debug, thiserror::Error)]
#[error("{tool} is required, but {} {reason}; {}", .tried.display(), remedy(.variable))]
pub struct MissingTool {
    /// `ffmpeg` or `ffprobe`.
    pub tool: &'static str,
    /// The environment variable that can name the tool, or the variable of the sandbox if
    /// the tool does not run in the sandbox.
    pub variable: &'static str,
    /// The path or name that was tried.
    pub tried: PathBuf,
    /// A verb phrase such as `was not found`.
    pub reason: String,
}

impl Tools {
    /// Finds the programs named by `LECTERN_FFMPEG` and `LECTERN_FFPROBE`, or else
    /// `ffmpeg` and `ffprobe` on `PATH`. The error names the package to install.
    pub fn find() -> Result<Self, MissingTool> {
        let path = |variable, name: &str| env::var_os(variable).unwrap_or_else(|| name.into());
        Self::at(
            path(FFMPEG_VARIABLE, "ffmpeg"),
            path(FFPROBE_VARIABLE, "ffprobe"),
        )
    }

    /// Uses the programs at these paths, or with these names on `PATH`.
    pub fn at(
        ffmpeg: impl Into<OsString>,
        ffprobe: impl Into<OsString>,
    ) -> Result<Self, MissingTool> {
        let (ffmpeg, ffprobe) = (ffmpeg.into(), ffprobe.into());
        let confinement = Confinement::default();
        let build = build_info("ffmpeg", FFMPEG_VARIABLE, &ffmpeg, &confinement)?;
        build_info("ffprobe", FFPROBE_VARIABLE, &ffprobe, &confinement)?;
        Ok(Self {
            ffmpeg: ffmpeg.into(),
            ffprobe: ffprobe.into(),
            version: build.version,
            has_x264: build.configuration.contains("--enable-libx264"),
            has_zimg: build.configuration.contains("--enable-libzimg"),
            confinement,
        })
    }

    /// Fails if ffmpeg cannot encode clips. Everything else works without
    /// libx264.
    pub fn require_h264_encoder(self) -> Result<Self, MissingTool> {
        if self.has_x264 {
            return Ok(self);
        }
        Err(MissingTool {
            tool: "ffmpeg",
            variable: FFMPEG_VARIABLE,
            tried: self.ffmpeg,
            reason: "cannot encode H.264 (it was built without libx264)".into(),
        })
    }

    /// Whether ffmpeg has the filter `zscale`, with which pictures of high dynamic range are
    /// converted.
    pub fn has_tone_mapping(&self) -> bool {
        self.has_zimg
    }

    /// ffmpeg's version as ffmpeg prints it, such as `5.1.9-0+deb12u1`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Replaces the default confinement of the programs. Fails if one of the programs does
    /// not run in the sandbox.
    pub fn confined_by(self, confinement: Confinement) -> Result<Self, MissingTool> {
        if !confinement.sandbox.is_empty() {
            for (tool, path) in [("ffmpeg", &self.ffmpeg), ("ffprobe", &self.ffprobe)] {
                build_info(tool, SANDBOX_VARIABLE, path.as_os_str(), &confinement)?;
            }
        }
        Ok(Self {
            confinement,
            ..self
        })
    }

    pub(crate) fn ffmpeg(&self) -> Program {
        self.program(&self.ffmpeg)
    }

    pub(crate) fn ffprobe(&self) -> Program {
        self.program(&self.ffprobe)
    }

    fn program(&self, path: &Path) -> Program {
        Program::new(path)
            .confined_by(&self.confinement)
            .args(["-max_alloc", MAX_ALLOCATION_BYTES])
    }
}

/// The advice at the end of the error about a missing tool.
fn remedy(variable: &str) -> String {
    if variable == SANDBOX_VARIABLE {
        return format!("check the command in {variable}");
    }
    format!(
        "install it with `apt install ffmpeg` (Debian, Ubuntu), `dnf install ffmpeg` (Fedora, \
         from RPM Fusion: its own ffmpeg-free has no libx264) or `brew install ffmpeg` (macOS), \
         or set {variable} to its path"
    )
}

struct BuildInfo {
    version: String,
    /// The options with which the program was built.
    configuration: String,
}

/// Reads the output of `-version`, which starts with `ffmpeg version 5.1.9
/// Copyright …` and contains `configuration: --enable-…`.
fn build_info(
    tool: &'static str,
    variable: &'static str,
    path: &OsStr,
    confinement: &Confinement,
) -> Result<BuildInfo, MissingTool> {
    let missing = |reason: String| MissingTool {
        tool,
        variable,
        tried: path.into(),
        reason,
    };
    let output = Program::new(path)
        .confined_by(confinement)
        .arg("-version")
        .output(&Limits::within(VERSION_TIMEOUT))
        .map_err(|error| match error {
            ChildError::NotFound(_) if confinement.sandbox.is_empty() => {
                missing("was not found".into())
            }
            error => missing(format!("does not run ({})", error_chain(&error))),
        })?;
    let output = String::from_utf8_lossy(&output);
    let mut words = output.split_whitespace();
    match (words.next(), words.next(), words.next()) {
        (Some(name), Some("version"), Some(version)) if name == tool => Ok(BuildInfo {
            version: version.to_owned(),
            configuration: words.collect::<Vec<_>>().join(" "),
        }),
        _ => Err(missing(format!("is not {tool}"))),
    }
}
