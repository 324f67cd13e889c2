//! ffmpeg and ffprobe.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use crate::{ChildError, Limits, Program};

/// The variable that names ffmpeg.
const FFMPEG: &str = "LECTERN_FFMPEG";

/// How long a program may take to say its version.
const PATIENCE: Duration = Duration::from_secs(20);

/// The programs this crate runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tools {
    ffmpeg: PathBuf,
    ffprobe: PathBuf,
    version: String,
    has_x264: bool,
}

/// ffmpeg or ffprobe is not there, does not run, or lacks what is needed.
#[derive(Debug, thiserror::Error)]
#[error(
    "{tool} is needed and {} {reason}; install it with `apt install ffmpeg` (Debian, Ubuntu), \
     `dnf install ffmpeg` (Fedora, from RPM Fusion: its own ffmpeg-free has no libx264) or \
     `brew install ffmpeg` (macOS), or set {variable} to where it is",
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
        Self::at(named(FFMPEG, "ffmpeg"), named("LECTERN_FFPROBE", "ffprobe"))
    }

    /// The programs at these paths, or of these names on `PATH`.
    pub fn at(
        ffmpeg: impl Into<OsString>,
        ffprobe: impl Into<OsString>,
    ) -> Result<Self, MissingTool> {
        let (ffmpeg, ffprobe) = (ffmpeg.into(), ffprobe.into());
        let told = ask("ffmpeg", FFMPEG, &ffmpeg)?;
        ask("ffprobe", "LECTERN_FFPROBE", &ffprobe)?;
        Ok(Self {
            ffmpeg: ffmpeg.into(),
            ffprobe: ffprobe.into(),
            version: told.version,
            has_x264: told.configuration.contains("--enable-libx264"),
        })
    }

    /// The same, for one who wants to encode clips: all else can be done without
    /// libx264.
    pub fn require_h264_encoder(self) -> Result<Self, MissingTool> {
        if self.has_x264 {
            return Ok(self);
        }
        Err(MissingTool {
            tool: "ffmpeg",
            variable: FFMPEG,
            tried: self.ffmpeg,
            reason: "cannot encode H.264 (it was built without libx264)".into(),
        })
    }

    /// ffmpeg's version in its own words, such as `5.1.9-0+deb12u1`.
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

/// What a program tells of itself.
struct Told {
    version: String,
    /// How it was built.
    configuration: String,
}

/// Asks a program for its version: `ffmpeg version 5.1.9 Copyright …`, and below
/// it `configuration: --enable-…`.
fn ask(tool: &'static str, variable: &'static str, path: &OsStr) -> Result<Told, MissingTool> {
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
        (Some(name), Some("version"), Some(version)) if name == tool => Ok(Told {
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
    fn the_tools_are_not_told_what_is_secret() {
        const SECRETS: [&str; 3] = ["LECTERN_SECRET", "DATABASE_URL", "AWS_SECRET_ACCESS_KEY"];
        if env::var("LECTERN_SECRET").as_deref() != Ok("of this test") {
            // Once more in a process that has them.
            let name = concat!(module_path!(), "::the_tools_are_not_told_what_is_secret");
            let name = name.split_once("::").unwrap().1;
            let again = Command::new(env::current_exe().unwrap())
                .args(["--exact", name])
                .envs(SECRETS.map(|secret| (secret, "of this test")))
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&again.stdout);
            assert!(
                again.status.success() && said.contains("1 passed"),
                "{said}"
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
            let told = tool.output(&Limits::within(PATIENCE)).unwrap();
            let told = String::from_utf8(told).unwrap();
            assert!(told.contains("PATH="), "{told}");
            assert!(!told.contains("of this test"), "{told}");
        }
    }
}
