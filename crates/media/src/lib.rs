//! Recordings through ffmpeg and ffprobe: what is in them, where they are
//! silent, what they look like, and cutting them.
//!
//! [`Tools`] finds the two programs, [`Limits`] say how long a piece of work may
//! take, who may stop it and which [`Scratch`] space it fills, and [`Media`]
//! does it. All of it blocks the calling thread; there is no runtime.
//!
//! ```no_run
//! use std::path::Path;
//! use std::time::Duration;
//!
//! use lectern_domain::TimeRange;
//! use lectern_media::{CancellationToken, CutSettings, Limits, Media, Scratch, SilenceSettings, Tools};
//!
//! let tools = Tools::find()?;
//! let cancel = CancellationToken::new();
//! let scratch = Scratch::new("/var/tmp/lectern", 20 << 30)?;
//! let limits = Limits::within(Duration::from_secs(3600))
//!     .cancelled_by(&cancel)
//!     .in_scratch(&scratch);
//! let media = Media::new(&tools, limits);
//!
//! let lecture = media.probe(Path::new("lecture.mp4"))?;
//! let silences = media.find_silences(&lecture, SilenceSettings::default(), &mut |_| {})?;
//! println!("{:?} of {} s are silent", silences.audio, lecture.duration);
//!
//! let dir = scratch.dir("clips")?;
//! let clip = dir.path().join("1.mp4");
//! let range = TimeRange::new(61.5, 128.0)?;
//! media.cut(&lecture, range, &CutSettings::default(), &clip, &mut |seconds| {
//!     println!("{seconds} s of {} s", range.duration());
//! })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Children
//!
//! Every program runs in a process group of its own, without input, and never
//! longer than its [`Limits`]; see [`Program`], which runs others than ffmpeg
//! just as well. When it has to end, all of its group ends, and so it does when
//! this process dies. Its last lines of stderr are in [`ChildError::Failed`].
//!
//! # Times
//!
//! Times are seconds from the start of the recording, which is where its first
//! track begins, whatever number the file gives to that instant.
//!
//! # Files from anywhere
//!
//! A recording comes from somebody else, and ffmpeg reads much that is none: a
//! playlist under the name of a video would have it open the files and the
//! addresses it lists. So only containers of recordings are read, only from
//! files, and by names that can be neither options nor addresses; and ffmpeg is
//! not told the secrets of the service ([`Program::without_secrets`]).

mod audio;
mod cancel;
mod child;
mod concat;
mod cut;
mod error;
mod ffprobe;
mod frames;
mod group;
mod limits;
mod matroska;
mod media;
mod picture;
mod probe;
mod progress;
mod scratch;
mod seek;
mod silence;
mod subtitles;
mod tail;
mod thumbnail;
mod tools;

pub use cancel::{CancellationCallback, CancellationToken};
pub use child::{ChildError, Program};
pub use cut::CutSettings;
pub use error::Error;
pub use frames::{Frames, GrayFrame, GrayPicture};
pub use limits::Limits;
pub use media::Media;
pub use picture::Composition;
pub use probe::{AudioStream, FrameRate, Probe, ProbeError, SubtitleStream, VideoStream};
pub use scratch::{Scratch, ScratchDir, ScratchFull};
pub use silence::{SilenceSettings, Silences};
pub use tools::{MissingTool, Tools};
