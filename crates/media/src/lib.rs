//! Operations on recordings with ffmpeg and ffprobe: examining them, detecting
//! silence, sampling frames, and cutting clips.
//!
//! [`Tools`] finds the two programs. [`Limits`] bound the time and the
//! [`Scratch`] space of one piece of work, which can also be cancelled. [`Media`]
//! combines both; the operations are its methods. All of them block the calling
//! thread; no async runtime is needed.
//!
//! ```no_run
//! use std::path::Path;
//! use std::time::Duration;
//!
//! use lectern_domain::TimeRange;
//! use lectern_media::{
//!     CancellationToken, CutSettings, Limits, Media, Scratch, SilenceSettings, Tools,
//! };
//!
//! let tools = Tools::find()?;
//! let token = CancellationToken::new();
//! let scratch = Scratch::new("/var/tmp/lectern", 20 << 30)?;
//! let limits = Limits::within(Duration::from_secs(3600))
//!     .cancelled_by(&token)
//!     .in_scratch(&scratch);
//! let media = Media::new(&tools, limits);
//!
//! let lecture = media.probe(Path::new("lecture.mp4"))?;
//! let silence = media.detect_silence(&lecture, SilenceSettings::default(), &mut |_| {})?;
//! println!("{:?} of {} s are silent", silence.audio, lecture.duration);
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
//! # Operations
//!
//! | method of [`Media`] | result |
//! |---|---|
//! | [`probe`](Media::probe) | the tracks and the duration of a file |
//! | [`detect_silence`](Media::detect_silence) | silent and black regions |
//! | [`sample_frames`](Media::sample_frames) | small grayscale frames |
//! | [`detect_silence_and_sample`](Media::detect_silence_and_sample) | both, and a picture of small pictures, of one pass over the recording |
//! | [`extract_audio`](Media::extract_audio), [`extract_subtitles`](Media::extract_subtitles) | a track as a file |
//! | [`cut`](Media::cut), [`concat`](Media::concat) | a clip, and several clips in one file |
//! | [`thumbnail`](Media::thumbnail) | a picture as a file |
//!
//! # Child processes
//!
//! Every program runs without input in its own process group, and never longer
//! than its [`Limits`] allow. The whole group ends with the program, or when this
//! process dies. The program gets few environment variables, and limits of memory,
//! processor time and file size ([`Confinement`]). The last lines of stderr are in
//! [`ChildError::Failed`]. [`Program`] runs other programs in the same way.
//!
//! # Times
//!
//! Times are seconds from the start of the recording, where its first track
//! starts. The timestamp of that moment in the file does not matter.
//!
//! # Untrusted files
//!
//! ffmpeg also reads playlists, and opens the files and addresses that a playlist
//! names. Therefore ffmpeg may only read files, and only the formats of recordings.
//! Paths are passed so that ffmpeg cannot mistake a path for an option or an address.
//! ffmpeg may use only the decoders of recordings, and a bounded number of threads.
//!
//! A recording beyond the [`RecordingLimits`] is refused by [`Media::probe`] before
//! more than its headers is read. A duration in the headers that does not fit the
//! size of the file is not trusted, but measured.

mod clip;
mod combing;
mod error;
mod extract;
mod ffmpeg;
mod format_changes;
mod frames;
mod picture;
mod probe;
mod process;
mod recording_limits;
mod scratch;
mod seek;
mod silence_region;
mod sound;

pub use clip::{CompositionChange, CutSettings};
pub use error::{Error, ProbeError};
pub use extract::SubtitleFormat;
pub use ffmpeg::{Media, MissingTool, Tools};
pub use format_changes::Formats;
pub use frames::{FrameFile, Frames, GrayFrame, GrayPicture, SpriteFile, Tile};
pub use picture::Composition;
pub use probe::{
    AudioStream, Chapter, FieldOrder, FrameRate, HdrTransfer, MediaInfo, StereoChannel,
    SubtitleStream, VideoStream,
};
pub use process::{
    CancellationCallback, CancellationToken, ChildError, Confinement, Limits, Program,
};
pub use recording_limits::RecordingLimits;
pub use scratch::{Scratch, ScratchDir, ScratchFull};
pub use silence_region::{SampledFiles, SilenceRegions, SilenceSettings};
pub use sound::{Extremes, MeasuredSound, NoSuchTrack, Waveform};
