//! Errors of operations on recordings.

use std::io;
use std::path::{Path, PathBuf};

use crate::process::ChildError;

/// Why an operation on a recording failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// ffmpeg failed, or was ended before it was done.
    #[error("failed to {doing}")]
    Child {
        /// The operation, such as `cut a clip`.
        doing: &'static str,
        /// The cause.
        #[source]
        source: ChildError,
    },

    /// A file could not be probed.
    #[error(transparent)]
    Probe(#[from] ProbeError),

    /// The operation needs an audio track.
    #[error("the recording has no sound")]
    NoAudio,

    /// The operation needs a video track.
    #[error("the recording has no picture")]
    NoVideo,

    /// The range is empty or starts after the recording's end.
    #[error(
        "the range from {start} s to {end} s is empty or outside the recording, which is \
         {duration} s long"
    )]
    EmptyRange {
        /// Start of the range, in seconds.
        start: f64,
        /// End of the range, in seconds.
        end: f64,
        /// Length of the recording, in seconds.
        duration: f64,
    },

    /// A region of a composition has no pixel in common with the picture.
    #[error("the {region} region is outside the picture of {width} × {height}")]
    RegionOutsidePicture {
        /// `screen`, `camera` or `selected`.
        region: &'static str,
        /// Width of the picture, in pixels.
        width: u32,
        /// Height of the picture, in pixels.
        height: u32,
    },

    /// A single frame of this size takes more memory than all sampled frames together may
    /// take.
    #[error("a frame of {width} × {height} pixels is too large to be sampled")]
    FrameTooLarge {
        /// Width of the frame, in pixels.
        width: u32,
        /// Height of the frame, in pixels.
        height: u32,
    },

    /// The list of clips to join is empty.
    #[error("there are no clips to join")]
    NoClips,

    /// A file could not be read or written.
    #[error("failed to {doing} {}", .path.display())]
    Io {
        /// The action that failed, such as `write`.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        #[source]
        source: io::Error,
    },
}

impl Error {
    /// The error of the child process, if a child process failed or was ended. The
    /// error distinguishes cancellation and timeouts from failures, and has the last
    /// lines of stderr.
    pub fn child(&self) -> Option<&ChildError> {
        match self {
            Self::Child { source, .. } | Self::Probe(ProbeError::Child(source)) => Some(source),
            _ => None,
        }
    }

    /// Converts the error of a child process. `doing` is the operation.
    pub(crate) fn from_child(doing: &'static str) -> impl Fn(ChildError) -> Self {
        move |source| Self::Child { doing, source }
    }

    /// Adds the action and the file to an I/O error.
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl Fn(io::Error) -> Self {
        move |source| Self::Io {
            doing,
            path: path.to_owned(),
            source,
        }
    }
}

/// Why a file could not be probed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProbeError {
    /// The file is not a recording, or too damaged to be read.
    #[error("not a media file: {0}")]
    NotMedia(String),

    /// ffmpeg can read the container, but it is not one of those that are accepted.
    #[error(
        "the format {0} is not supported: convert the recording to another one, such as MP4 or \
         Matroska"
    )]
    UnsupportedFormat(String),

    /// The recording is larger or longer than the limits allow.
    #[error("the recording is beyond a limit: {0}")]
    BeyondLimits(String),

    /// The file could not be opened or read.
    #[error("failed to read {}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        #[source]
        source: io::Error,
    },

    /// ffprobe or ffmpeg failed, or was ended before it was done.
    #[error("failed to probe the recording")]
    Child(#[source] ChildError),
}
