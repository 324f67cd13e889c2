//! Finding ffmpeg and ffprobe.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use lectern_domain::error_chain;

use crate::process::{ChildError, Limits, Program};

/// Environment variable with the path of ffmpeg.
const FFMPEG_VARIABLE: &str = "LECTERN_FFMPEG";
/// Environment variable with the path of ffprobe.
const FFPROBE_VARIABLE: &str = "LECTERN_FFPROBE";

/// How long a tool may take to print its version.
const VERSION_TIMEOUT: Duration = Duration::from_secs(20);

/// Usable ffmpeg and ffprobe programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tools {
    ffmpeg: PathBuf,
    ffprobe: PathBuf,
    version: String,
    has_x264: bool,
}

/// A tool does not exist, does not run, or lacks a feature.
#[derive(Debug, thiserror::Error)]
#[error(
    "{tool} is required, but {} {reason}; install it with `apt install ffmpeg` (Debian, Ubuntu), \
     `dnf install ffmpeg` (Fedora, from RPM Fusion: its own ffmpeg-free has no libx264) or \
     `brew install ffmpeg` (macOS), or set {variable} to its path",
    .tried.display()
)]
pub struct MissingTool {
    /// `ffmpeg` or `ffprobe`.
    pub tool: &'static str,
    /// The environment variable that can name the tool.
    pub variable: &'static str,
    /// The path or name that was tried.
    pub tried: PathBuf,
    /// A verb phrase such as `was not found`.
    pub reason: String,
}

impl Tools {
    /// Finds the programs named by `LECTERN_FFMPEG` and `LECTERN_FFPROBE`, or
    /// else those on `PATH`. The error says which package to install.
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
        let build = build_info("ffmpeg", FFMPEG_VARIABLE, &ffmpeg)?;
        build_info("ffprobe", FFPROBE_VARIABLE, &ffprobe)?;
        Ok(Self {
            ffmpeg: ffmpeg.into(),
            ffprobe: ffprobe.into(),
            version: build.version,
            has_x264: build.configuration.contains("--enable-libx264"),
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

    /// ffmpeg's version as ffmpeg prints it, such as `5.1.9-0+deb12u1`.
    pub fn version(&self) -> &str {
        &self.version
    }

    pub(crate) fn ffmpeg(&self) -> Program {
        Program::new(&self.ffmpeg).without_secrets()
    }

    pub(crate) fn ffprobe(&self) -> Program {
        Program::new(&self.ffprobe).without_secrets()
    }
}

struct BuildInfo {
    version: String,
    /// The options of its `configure`.
    configuration: String,
}

/// Reads the output of `-version`, which starts with `ffmpeg version 5.1.9
/// Copyright …` and contains `configuration: --enable-…`.
fn build_info(
    tool: &'static str,
    variable: &'static str,
    path: &OsStr,
) -> Result<BuildInfo, MissingTool> {
    let missing = |reason: String| MissingTool {
        tool,
        variable,
        tried: path.into(),
        reason,
    };
    let output = Program::new(path)
        .arg("-version")
        .output(&Limits::within(VERSION_TIMEOUT))
        .map_err(|error| match error {
            ChildError::NotFound(_) => missing("was not found".into()),
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

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn the_tools_do_not_get_secret_variables() {
        const SECRETS: [&str; 3] = ["LECTERN_SECRET", "DATABASE_URL", "AWS_SECRET_ACCESS_KEY"];
        if env::var("LECTERN_SECRET").as_deref() != Ok("of this test") {
            // A process cannot safely set its own variables: run this test again
            // in a child process that has them.
            let name = concat!(module_path!(), "::the_tools_do_not_get_secret_variables");
            let name = name.split_once("::").unwrap().1;
            let child = Command::new(env::current_exe().unwrap())
                .args(["--exact", name])
                .envs(SECRETS.map(|secret| (secret, "of this test")))
                .output()
                .unwrap();
            let stdout = String::from_utf8_lossy(&child.stdout);
            assert!(
                child.status.success() && stdout.contains("1 passed"),
                "{stdout}"
            );
            return;
        }
        let tools = Tools {
            ffmpeg: "env".into(),
            ffprobe: "env".into(),
            version: String::new(),
            has_x264: false,
        };
        for tool in [tools.ffmpeg(), tools.ffprobe()] {
            let output = tool.output(&Limits::within(VERSION_TIMEOUT)).unwrap();
            let variables = String::from_utf8(output).unwrap();
            assert!(variables.contains("PATH="), "{variables}");
            assert!(!variables.contains("of this test"), "{variables}");
        }
    }
}
