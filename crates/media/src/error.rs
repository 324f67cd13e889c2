//! What can go wrong with a recording.

use std::io;
use std::path::PathBuf;

use crate::{ChildError, ProbeError};

/// The error of everything that is done with a recording.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// ffmpeg could not do it, or was not allowed to go on.
    #[error("failed to {doing}")]
    Child {
        /// What was being done, such as `cut a clip`.
        doing: &'static str,
        /// What happened.
        #[source]
        source: ChildError,
    },

    /// A file could not be told.
    #[error(transparent)]
    Probe(#[from] ProbeError),

    /// Sound is needed, and there is none.
    #[error("the recording has no sound")]
    NoAudio,

    /// A picture is needed, and there is none.
    #[error("the recording has no picture")]
    NoVideo,

    /// Nothing of the recording is in the wanted range.
    #[error("there is nothing from {start} s to {end} s in a recording of {duration} s")]
    Outside {
        /// Where the range begins, in seconds.
        start: f64,
        /// Where it ends, in seconds.
        end: f64,
        /// How long the recording is, in seconds.
        duration: f64,
    },

    /// A region has no pixel of the picture in it.
    #[error("the {region} region is outside the picture of {width} × {height}")]
    RegionOutside {
        /// `screen` or `camera`.
        region: &'static str,
        /// Width of the picture.
        width: u32,
        /// Height of the picture.
        height: u32,
    },

    /// There is nothing to put together.
    #[error("there is no clip to put together")]
    NoClips,

    /// A file could not be written or read.
    #[error("failed to {doing} {}", .path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
}

impl Error {
    /// The error of a child, if it was one: what tells cancelled and timed out
    /// work from work that failed, and has the last lines of stderr.
    pub fn child(&self) -> Option<&ChildError> {
        match self {
            Self::Child { source, .. } | Self::Probe(ProbeError::Child(source)) => Some(source),
            _ => None,
        }
    }

    /// Says what was being done when a child failed.
    pub(crate) fn while_doing(doing: &'static str) -> impl Fn(ChildError) -> Self {
        move |source| Self::Child { doing, source }
    }
}
