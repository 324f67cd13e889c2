//! What is in a recording.

use std::fs;
use std::io;
use std::path::{self, Path, PathBuf};

use crate::media::input;
use crate::{ChildError, Media, ffprobe, matroska};

/// What ffprobe tells about a file, read.
#[derive(Debug, Clone, PartialEq)]
pub struct Probe {
    /// The file, as an absolute path.
    pub path: PathBuf,
    /// Length in seconds, more than 0.
    pub duration: f64,
    /// What number the file gives to its start, in seconds.
    pub start: f64,
    /// Size in bytes.
    pub size: u64,
    /// The container in ffmpeg's words, such as `mov,mp4,m4a,3gp,3g2,mj2`.
    pub format_name: String,
    /// The picture, if there is one that moves: cover art is none.
    pub video: Option<VideoStream>,
    /// The sound, if there is any.
    pub audio: Option<AudioStream>,
    /// Subtitle tracks, as one would choose among them: what is marked as default
    /// before the others, and last what is forced, which tells only parts.
    pub subtitles: Vec<SubtitleStream>,
}

/// A video track.
#[derive(Debug, Clone, PartialEq)]
pub struct VideoStream {
    /// Its number among all tracks of the file.
    pub index: u32,
    /// Its codec in ffmpeg's words, such as `h264`.
    pub codec: String,
    /// Width in pixels as it is shown: after rotation.
    pub width: u32,
    /// Height in pixels as it is shown: after rotation.
    pub height: u32,
    /// By how many degrees it is turned clockwise to be shown, 0 to 359.
    pub rotation: u32,
    /// How wide a pixel is for its height, as it is shown: 1 for square ones.
    pub pixel_aspect: f64,
    /// Frames in a second, on average.
    pub frame_rate: FrameRate,
    /// Whether the time from one frame to the next changes.
    pub variable_frame_rate: bool,
}

/// An audio track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudioStream {
    /// Its number among all tracks of the file.
    pub index: u32,
    /// Its codec in ffmpeg's words, such as `aac`.
    pub codec: String,
    /// Samples in a second.
    pub sample_rate: u32,
    /// How many channels it has.
    pub channels: u32,
}

/// A subtitle track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubtitleStream {
    /// Its number among all tracks of the file.
    pub index: u32,
    /// Its codec in ffmpeg's words, such as `mov_text` or `subrip`.
    pub codec: String,
    /// Its language as the file tells it, such as `eng`.
    pub language: Option<String>,
}

/// Frames in a second, exactly: 30000/1001 is no decimal number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameRate {
    /// How many frames …
    pub frames: u32,
    /// … in how many seconds; not 0.
    pub seconds: u32,
}

impl FrameRate {
    /// Frames in a second.
    pub fn get(self) -> f64 {
        f64::from(self.frames) / f64::from(self.seconds)
    }
}

/// Why a file could not be told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProbeError {
    /// It is no recording, or too damaged to be read as one.
    #[error("not a media file: {0}")]
    NotMedia(String),

    /// The file could not be looked at.
    #[error("failed to look at {}", .path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },

    /// ffprobe could not do it, or was not allowed to go on.
    #[error("failed to probe the recording")]
    Child(#[source] ChildError),
}

impl Media {
    /// Looks at the headers of a file. When they do not tell a length, or the
    /// file ends before they say, all its packets are read, though none is
    /// decoded.
    pub fn probe(&self, path: &Path) -> Result<Probe, ProbeError> {
        let io = |source| ProbeError::Io {
            path: path.to_owned(),
            source,
        };
        let metadata = fs::metadata(path).map_err(io)?;
        // Anything but a file could keep ffprobe waiting.
        if !metadata.is_file() {
            return Err(ProbeError::NotMedia("it is not a file".into()));
        }
        if metadata.len() == 0 {
            return Err(ProbeError::NotMedia("the file is empty".into()));
        }
        let path = path::absolute(path).map_err(io)?;
        let output = self
            .tools
            .ffprobe()
            .args([
                "-v",
                "error",
                "-of",
                "json",
                "-show_format",
                "-show_streams",
            ])
            .args(input(&path))
            .output(&self.limits)
            .map_err(|error| unreadable(error, &path))?;
        let told = ffprobe::read(&output)?;
        let mut probe = Probe {
            duration: told.duration.unwrap_or(0.0),
            start: told.start,
            size: metadata.len(),
            format_name: told.format_name,
            video: told.video,
            audio: told.audio,
            subtitles: told.subtitles,
            path,
        };
        if probe.video.is_none() && probe.audio.is_none() {
            return Err(ProbeError::NotMedia(
                "it has neither picture nor sound".into(),
            ));
        }
        let ends_early = probe.format_name.starts_with("matroska")
            && matroska::end(&probe.path)
                .map_err(io)?
                .is_some_and(|end| end > probe.size);
        if probe.duration <= 0.0 || ends_early {
            probe.duration = self.measure(&probe)?;
        }
        Ok(probe)
    }

    /// How long a recording is whose headers do not tell it: when its last packet
    /// begins, in seconds, which is at most a frame too short.
    fn measure(&self, probe: &Probe) -> Result<f64, ProbeError> {
        let tracks = [
            probe.video.as_ref().map(|video| video.index),
            probe.audio.as_ref().map(|audio| audio.index),
        ];
        let mut ffmpeg = self.telling_ffmpeg().args(input(&probe.path));
        for track in tracks.into_iter().flatten() {
            ffmpeg = ffmpeg.args(["-map", &format!("0:{track}")]);
        }
        let mut duration: f64 = 0.0;
        let ffmpeg = ffmpeg.args(["-c", "copy", "-f", "null", "-"]);
        self.follow(
            ffmpeg,
            &mut |seconds| duration = duration.max(seconds),
            &mut |_| {},
        )
        .map_err(|error| unreadable(error, &probe.path))?;
        if duration <= 0.0 {
            return Err(ProbeError::NotMedia("nothing in it has a time".into()));
        }
        Ok(duration)
    }
}

/// A file ffmpeg gives up on is no recording; its reasons without its own
/// addresses in memory and the path, which the caller knows.
fn unreadable(error: ChildError, path: &Path) -> ProbeError {
    let ChildError::Failed {
        status,
        stderr_tail,
        ..
    } = &error
    else {
        return ProbeError::Child(error);
    };
    if status.code().is_none() {
        return ProbeError::Child(error);
    }
    let reasons = stderr_tail.replace(&format!("file:{}: ", path.display()), "");
    let reasons: Vec<&str> = reasons
        .lines()
        .map(|line| match line.split_once("] ") {
            Some((source, reason)) if source.starts_with('[') => reason,
            _ => line,
        })
        .collect();
    ProbeError::NotMedia(reasons.join("; "))
}
